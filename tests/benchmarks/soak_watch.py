"""Memory and open files of some processes over time, and whether they grow."""

import statistics
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.benchmarks.api_speed_servers import open_files, rss_mb

WARM_UP = 180
"""Looks that say nothing of growth yet."""
MEMORY_TOLERANCE = 0.05
FILES_TOLERANCE = 8
"""Connections to Redis come and go with the threads that wait for it."""


@dataclass
class Series:
    """What was seen of one process, one look a second."""

    rss_mb: list[float] = field(default_factory=list)
    open_files: list[int] = field(default_factory=list)


class Watch:
    """Looks at processes.

    Args:
        pids: name → process id.
    """

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._pids = pids
        self.series = {name: Series() for name in pids}

    def look(self) -> None:
        """One look at each."""
        for name, pid in self._pids.items():
            self.series[name].rss_mb.append(rss_mb(pid))
            self.series[name].open_files.append(open_files(pid))

    def figures(self) -> dict[str, dict[str, object]]:
        """Name → means at start (after the warm-up), middle and end, and the slope since the middle."""
        return {
            name: {
                "rss_mb": [round(each, 1) for each in thirds(warm(seen.rss_mb))],
                "rss_mb_per_hour": round(slope(seen.rss_mb[len(seen.rss_mb) // 2 :]) * 3600, 1),
                "files": [round(each, 1) for each in thirds(warm(seen.open_files))],
            }
            for name, seen in self.series.items()
        }

    def problems(self, may_grow: Collection[str]) -> list[str]:
        """What grew that may not, in words."""
        found = []
        for name, seen in self.series.items():
            first, _, last = thirds(warm(seen.rss_mb))
            if name not in may_grow and last > first * (1 + MEMORY_TOLERANCE):
                found.append(f"memory of {name} rose from {first:.1f} to {last:.1f} MB")
            first, _, last = thirds(warm(seen.open_files))
            if last > first + FILES_TOLERANCE:
                found.append(f"open files of {name} rose from {first:.1f} to {last:.1f}")
        return found


def warm(values: list) -> list:
    """Without the warm-up, where more than as much again follows."""
    return values[WARM_UP:] if len(values) > 2 * WARM_UP else values


def thirds(values: list[float] | list[int]) -> tuple[float, float, float]:
    """Means of the first, the middle and the last third."""
    n = max(len(values) // 3, 1)
    return statistics.mean(values[:n]), statistics.mean(values[n:-n] or values), statistics.mean(values[-n:])


def slope(values: list[float]) -> float:
    """Rise from one value to the next, by least squares; 0 of fewer than two."""
    return statistics.linear_regression(range(len(values)), values).slope if len(values) > 1 else 0.0


@contextmanager
def repeating(seconds: float, act: Callable[[], None]) -> Iterator[None]:
    """Act every few seconds until the block ends."""
    done = threading.Event()

    def repeat() -> None:
        while not done.wait(seconds):
            act()

    thread = threading.Thread(target=repeat)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
