"""Throttling: a token bucket for the rate of mails, and exponential back-off while the server fails."""

import random
import threading
from collections.abc import Callable

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0


class Throttle:
    """A token bucket of size one: callers pass one by one, never faster than `per_second`.

    Args:
        per_second: more than 0.
        now: seconds of a clock that never goes back.
        sleep: waits for seconds.
    """

    def __init__(self, per_second: float, now: Callable[[], float], sleep: Callable[[float], object]) -> None:
        self._gap_s = 1 / per_second
        self._now = now
        self._sleep = sleep
        self._next = now()
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Block until it is the caller's turn."""
        with self._lock:
            now = self._now()
            turn = max(now, self._next)
            self._next = turn + self._gap_s
        if turn > now:
            self._sleep(turn - now)


def pause_s(failures: int, random_: random.Random) -> float:
    """Seconds of back-off after so many failures in a row, from 1: doubled each time, with a jitter of ± 50 %."""
    longest = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** (min(failures, 30) - 1))
    return longest * random_.uniform(0.5, 1.5)
