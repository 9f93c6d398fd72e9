"""Window: how much of each name was taken in the seconds that run, which bounds what strangers can make."""

import math
from collections import Counter


class Window:
    """Counts by name, which begin anew after so many seconds. Whoever shares it between threads locks it.

    Args:
        seconds: of a window.
        most: of one name in a window.
    """

    def __init__(self, seconds: int, most: int) -> None:
        self._seconds = seconds
        self._most = most
        self._number = 0
        self._counts: Counter[str] = Counter()

    def take(self, name: str, n: int, now: float) -> int:
        """Count `n` more of a name; the seconds to wait, and nothing is counted, where that is too many, else 0."""
        number = int(now // self._seconds)
        if number != self._number:
            self._number, self._counts = number, Counter()
        if self._counts[name] + n > self._most:
            return max(1, math.ceil((number + 1) * self._seconds - now))
        self._counts[name] += n
        return 0
