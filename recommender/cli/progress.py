"""Progress of long work: bars on a terminal, plain lines elsewhere, and the seconds each step took."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO

Advance = Callable[[int], None]


class Progress:
    """Progress of named steps, shown on `stream`, and their wall time in `seconds`. `show=False` only measures."""

    def __init__(self, *, show: bool = True, stream: IO[str] | None = None) -> None:
        self.seconds: dict[str, float] = {}
        self._stream = stream or sys.stderr
        self._show = show

    @contextmanager
    def step(self, title: str, total: int | None = None) -> Iterator[Advance]:
        """One step. The block may call the yielded function with the number of `total` units just done.

        A title used twice adds up.
        """
        started = time.perf_counter()
        with self._shown(title, total) as advance:
            yield advance
        seconds = time.perf_counter() - started
        self.seconds[title] = round(self.seconds.get(title, 0.0) + seconds, 3)
        if self._show:
            self._stream.write(f"{title} … {seconds:.1f} s\n")
            self._stream.flush()

    @contextmanager
    def _shown(self, title: str, total: int | None) -> Iterator[Advance]:
        if not (self._show and self._stream.isatty()):
            yield lambda _: None
            return
        # rich takes 60 ms to import: only where there is a terminal to draw on
        from rich.console import Console  # noqa: PLC0415
        from rich.progress import Progress as Bars  # noqa: PLC0415

        with Bars(console=Console(file=self._stream), transient=True) as bars:
            task = bars.add_task(title, total=total)
            yield lambda units: bars.advance(task, units)
