"""Days, counted since 1970-01-01 (UTC) and 86,400 seconds each, and exact moments in microseconds since then."""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

SECONDS_PER_DAY = 86_400
MICROSECONDS_PER_DAY = SECONDS_PER_DAY * 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_ORDINAL = _EPOCH.toordinal()


def day_of(seconds: float) -> int:
    """The day of a moment in seconds since 1970."""
    return int(seconds // SECONDS_PER_DAY)


@lru_cache(maxsize=4_096)
def date_of(day: int) -> date:
    """The date of a day. Raises ValueError or OverflowError where there is no such date."""
    return date.fromordinal(_EPOCH_ORDINAL + day)


def midnight_of(day: int) -> datetime:
    """The moment that a day begins, aware."""
    return _EPOCH + timedelta(days=day)


@lru_cache(maxsize=4_096)
def to_iso(on: date) -> str:
    """A date in ISO-8601. Most answers name dates that an earlier one named."""
    return on.isoformat()


def to_us(moment: datetime) -> int:
    """Microseconds since 1970 of an aware moment, exact."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def to_moment(us: int) -> datetime:
    """The inverse of `to_us`, in UTC. Raises OverflowError where there is no such date."""
    return _EPOCH + timedelta(microseconds=us)
