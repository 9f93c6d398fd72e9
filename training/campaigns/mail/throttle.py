"""How fast mails go: an even pace, and longer and longer pauses while the server is in trouble."""

import random
import threading
from collections.abc import Callable

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0


class Throttle:
    """Lets callers pass one by one, never faster than `per_second`: a bucket that holds one token.

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
        """Return when it is the caller's turn."""
        with self._lock:
            now = self._now()
            turn = max(now, self._next)
            self._next = turn + self._gap_s
        if turn > now:
            self._sleep(turn - now)


def pause_s(failures: int, luck: random.Random) -> float:
    """Seconds to wait after so many failures in a row: twice as long each time, give or take a half."""
    longest = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** (min(failures, 30) - 1))
    return longest * luck.uniform(0.5, 1.5)
