"""Progress of long work: bars on a terminal, plain lines elsewhere, and the seconds each step took.

A step that knows its total tells how much is done and what time is left.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO

Advance = Callable[[int], None]
_EVERY_S = 30.0
"""Seconds between two lines about one step where there is no terminal."""


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
            self._write(f"{title} … {seconds:.1f} s")

    def note(self, text: str) -> None:
        """One line about what is to come."""
        if self._show:
            self._write(text)

    @contextmanager
    def _shown(self, title: str, total: int | None) -> Iterator[Advance]:
        if not (self._show and self._stream.isatty()):
            yield self._tell(title, total) if self._show and total else lambda _: None
            return
        # rich takes 60 ms to import: only where there is a terminal to draw on
        from rich.console import Console  # noqa: PLC0415
        from rich.progress import MofNCompleteColumn  # noqa: PLC0415
        from rich.progress import Progress as Bars  # noqa: PLC0415

        columns = Bars.get_default_columns() if total is None else (*Bars.get_default_columns(), MofNCompleteColumn())
        with Bars(*columns, console=Console(file=self._stream), transient=True) as bars:
            task = bars.add_task(title, total=total)
            yield lambda units: bars.advance(task, units)

    def _tell(self, title: str, total: int) -> Advance:
        """A function that writes a line now and then: units done, and the time left if the others take as long."""
        done, started = 0, time.perf_counter()
        told = started

        def advance(units: int) -> None:
            nonlocal done, told
            done, now = done + units, time.perf_counter()
            if done < total and now - told >= _EVERY_S:
                told = now
                left = (now - started) * (total - done) / done
                self._write(f"{title}: {done:,} of {total:,}, about {left / 60:.0f} min left")

        return advance

    def _write(self, line: str) -> None:
        self._stream.write(line + "\n")
        self._stream.flush()
