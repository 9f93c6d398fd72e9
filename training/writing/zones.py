"""Time zones as cells name them: offsets, abbreviations and names such as `Europe/Berlin`."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

_OFFSET = re.compile(r"(?:utc|gmt)? ?([+-])(\d{1,2}):?(\d\d)?")
_ABBREVIATIONS = (
    (-10.0, "hst"),
    (-9.0, "akst"),
    (-8.0, "akdt pst"),
    (-7.0, "mst pdt"),
    (-6.0, "mdt"),
    (-5.0, "est cdt"),
    (-4.0, "edt"),
    (-3.0, "adt art brt"),
    (0.0, "z utc gmt ut wet"),
    (1.0, "cet met mez west"),
    (2.0, "cest mest mesz eet"),
    (3.0, "eest msk trt"),
    (3.5, "irst"),
    (4.5, "irdt"),
    (5.0, "pkt"),
    (7.0, "wib"),
    (8.0, "hkt sgt pht awst"),
    (9.0, "jst kst"),
    (9.5, "acst"),
    (10.0, "aest"),
    (10.5, "acdt"),
    (11.0, "aedt"),
    (12.0, "nzst"),
    (13.0, "nzdt"),
)
"""Abbreviations that mean one zone; those of North America as RFC 5322 has them."""
_HOURS = {name: hours for hours, names in _ABBREVIATIONS for name in names.split()}
AMBIGUOUS: Mapping[str, tuple[str, ...]] = {
    "cst": ("America/Chicago", "Asia/Shanghai"),
    "ist": ("Asia/Kolkata", "Asia/Jerusalem", "Europe/Dublin"),
    "bst": ("Europe/London", "Asia/Dhaka"),
    "ast": ("America/Halifax", "Asia/Riyadh"),
    "gst": ("Asia/Dubai", "Atlantic/South_Georgia"),
    "sst": ("Pacific/Pago_Pago", "Asia/Singapore"),
}
"""Abbreviation → zones that use it, or are commonly called so."""


def offset_of(name: str) -> timedelta | None:
    """Offset from UTC of a zone's name in small letters, such as `+02:00`, `gmt+2` and `cet`; None for any other."""
    if found := _OFFSET.fullmatch(name):
        sign, hours, minutes = found.groups()
        size = timedelta(hours=int(hours), minutes=int(minutes or 0))
        size = size if sign == "+" else -size
        return size if abs(size) <= timedelta(hours=15) else None
    hours = _HOURS.get(name)
    return None if hours is None else timedelta(hours=hours)


def zone_of(name: str, default: str) -> str | None:
    """The zone of a name in small letters, such as `europe/berlin`; None for any other.

    An abbreviation that several zones use is that of `default`, where it uses it.
    """
    if name in AMBIGUOUS:
        known = default in AMBIGUOUS[name] or name in _abbreviations(default)
        return default if known else None
    return _zones().get(name)


@cache
def _zones() -> dict[str, str]:
    return {name.lower(): name for name in available_timezones() if "/" in name}


@cache
def _abbreviations(zone: str) -> set[str]:
    """What a zone is called in winter and in summer."""
    months = (datetime(2026, month, 1, tzinfo=UTC).astimezone(ZoneInfo(zone)) for month in (1, 7))
    return {moment.strftime("%Z").lower() for moment in months}
