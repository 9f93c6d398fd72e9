"""When a campaign is to be sent: a moment in a time zone, and the wait for it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from recommender.errors import UsageError

_LONGEST_SLEEP_S = 30.0
"""A machine may sleep, or its clock be set: it is looked at again after so long."""


def parse_schedule(text: str, zone: str) -> datetime:
    """A moment from a date and time on the clocks of a zone; one that names its own offset is of that.

    Where clocks go back, the first of two equal times is meant.

    Raises:
        UsageError: it is no date with a time of day, the zone is none, or clocks skip the time on that day.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or len(text) < len("2026-12-01 9"):
        raise UsageError(f"--at {text!r} is no date with a time of day; write it as '2026-12-01 09:00'")
    if moment.tzinfo is not None:
        return moment.astimezone(UTC)
    try:
        local = moment.replace(tzinfo=ZoneInfo(zone))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UsageError(f"--time-zone {zone!r} is not known; give one such as Europe/Berlin") from None
    if local.astimezone(UTC).astimezone(local.tzinfo).replace(tzinfo=None) != moment:
        raise UsageError(f"on that day clocks in {zone} skip {moment:%H:%M}; take another time")
    return local.astimezone(UTC)


def wait_for(moment: datetime, clock: Callable[[], datetime], sleep: Callable[[float], object]) -> None:
    """Return at `moment`, aware, or at once where it is past, as after a kill."""
    while (left := moment - clock()) > timedelta():
        sleep(min(left.total_seconds(), _LONGEST_SLEEP_S))
