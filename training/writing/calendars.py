"""Calendars of dates: which one a year belongs to, and Persian dates as Gregorian ones."""

from datetime import date
from typing import Literal

from persiantools.jdatetime import JalaliDate

Calendar = Literal["gregorian", "persian"]
SeemingCalendar = Literal["gregorian", "persian", "islamic", "buddhist"]


def seeming_calendar(year: int) -> SeemingCalendar:
    """The calendar in which a year can be one of purchases: 1405 is 2026 in the Persian, 1448 in the Islamic one."""
    if 1300 <= year < 1425:
        return "persian"
    if 1425 <= year < 1500:
        return "islamic"
    return "buddhist" if 2500 <= year < 2650 else "gregorian"


def to_date(year: int, month: int, day: int, calendar: Calendar = "gregorian") -> date | None:
    """The date; None where there is no such day, as the 29th of February 2026."""
    try:
        if calendar == "persian":
            return JalaliDate(year, month, day).to_gregorian()  # type: ignore[no-untyped-call]
        return date(year, month, day)
    except ValueError:
        return None
