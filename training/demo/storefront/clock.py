"""The clock of the demo, which its visitors move."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

MOST_DAYS_AHEAD = 366
"""What is due, or will not come any more, has shown itself by then."""


class DemoClock:
    """The machine's time, some whole days ahead. Called, it gives the aware moment.

    Args:
        machine: gives the aware moment; None is the machine's clock.
    """

    def __init__(self, machine: Callable[[], datetime] | None = None) -> None:
        self._machine = machine or partial(datetime.now, UTC)
        self.days_ahead = 0

    def __call__(self) -> datetime:
        """The moment that the demo takes for now."""
        return self._machine() + timedelta(days=self.days_ahead)

    def move(self, days: int) -> None:
        """Move on by `days`, up to MOST_DAYS_AHEAD in all; never behind the machine's own time."""
        self.days_ahead = max(0, min(MOST_DAYS_AHEAD, self.days_ahead + days))
