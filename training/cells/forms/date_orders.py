"""The order of day and month in a column of dates, and its calendar: as its cells tell, or as the user says."""

import shlex
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from recommender.reading import ReadingOptions
from training.cells.findings import Question
from training.cells.forms.proposed_patterns import pattern_of
from training.writing.calendars import Calendar, SeemingCalendar, seeming_calendar, to_date
from training.writing.date_text import DateText, Order

_ODD = 0.01
"""Share of the cells that may contradict the others and count as bad rows."""
_MONTHS = 12
_DAYS = 31
_LEAP_YEAR = 2028
_DAY_FIRST, _MONTH_FIRST = Order(day_first=True), Order(day_first=False)


class Seen(NamedTuple):
    """How often a date stands in a column, and one of its cells."""

    cells: int
    example: str


Dates = Mapping[DateText, Seen]


@dataclass(frozen=True)
class DateForm:
    """What the dates of a column are taken for.

    Attributes:
        order: of day, month and year.
        calendar: of the years that can be of it.
        question: what is unclear; None: nothing.
    """

    order: Order
    calendar: Calendar = "gregorian"
    question: Question | None = None


def decide_form(column: str, dates: Dates, options: ReadingOptions, whole: Callable[[], Order]) -> DateForm:
    """The order and the calendar of a column of dates.

    Args:
        column: its name, for the question.
        dates: of its head.
        options: what the user says about dates.
        whole: looks through the whole column where the head leaves open which number is the day.
    """
    seems = _seeming_calendar(dates)
    calendar = options.calendar or "gregorian"
    if options.calendar is None and seems != "gregorian":
        return DateForm(Order(), question=_calendar_question(column, dates, seems))
    unclear = {one: seen for one, seen in dates.items() if not one.has_order}
    short = {one: seen for one, seen in unclear.items() if one.year is None}
    if calendar == "persian":
        year_first = all(one.numbers[2] <= _DAYS for one in short)
        return DateForm(Order(options.day_first is not False, year_first), calendar)
    if options.day_first is not None or not unclear:
        return DateForm(Order(options.day_first), calendar)
    if 2 * _count(short, lambda one: one.numbers[0] > _DAYS) > len(unclear):
        return DateForm(Order(day_first=None, year_first=True), calendar)
    order, question = _decide_order(column, unclear, whole)
    return DateForm(order, calendar, question or _short_year(column, short, order))


def _count(dates: Dates, rule: Callable[[DateText], bool]) -> int:
    return sum(seen.cells for one, seen in dates.items() if rule(one))


def _seeming_calendar(dates: Dates) -> SeemingCalendar:
    """The calendar of most years of four digits; one that stands beside a Persian month is known."""
    calendars: Counter[SeemingCalendar] = Counter()
    for one, seen in dates.items():
        calendars["gregorian" if one.persian else seeming_calendar(one.year or 2000)] += seen.cells
    return max(calendars, key=calendars.__getitem__, default="gregorian")


def _calendar_question(column: str, dates: Dates, seems: SeemingCalendar) -> Question:
    one = next(each for each in dates if seeming_calendar(each.year or 0) == seems)
    cell = dates[one].example
    if seems != "persian":
        remedy = f"a date of the {seems.capitalize()} calendar, which is not read: export Gregorian dates"
        return Question(f"{seems}_calendar", column, cell, {}, remedy)
    meaning = f"{_words(one.read(_DAY_FIRST, 'persian'))}, as a date of the Persian calendar"
    return Question("calendar", column, cell, {"--calendar persian": meaning})


def _decide_order(column: str, dates: Dates, whole: Callable[[], Order]) -> tuple[Order, Question | None]:
    day_first = {one: seen for one, seen in dates.items() if one.numbers[0] > _MONTHS and one.read(_DAY_FIRST)}
    month_first = {one: seen for one, seen in dates.items() if one.numbers[1] > _MONTHS and one.read(_MONTH_FIRST)}
    days, months = (_count(each, lambda _: True) for each in (day_first, month_first))
    if min(days, months) > _ODD * (days + months):
        cells = [next(iter(each.values())).example for each in (day_first, month_first)]
        return Order(), _contradiction(column, *cells)
    order = Order(days > months) if days or months else whole()
    return order, _day_or_month(column, dates) if order.day_first is None else None


def _contradiction(column: str, day_first: str, month_first: str) -> Question:
    choices = {
        "--month-first": f"a date whose month stands first; then {day_first!r} is a bad row",
        "--day-first": f"a bad row, as {day_first!r} begins with its day",
    }
    return Question("day_and_month_first", column, month_first, choices)


def _day_or_month(column: str, dates: Dates) -> Question:
    one = next((each for each in dates if each.numbers[0] != each.numbers[1]), next(iter(dates)))
    choices = {"--day-first": _words(one.read(_DAY_FIRST)), "--month-first": _words(one.read(_MONTH_FIRST))}
    return Question("day_or_month_first", column, dates[one].example, choices)


def _short_year(column: str, dates: Dates, order: Order) -> Question | None:
    """A question where 26-09-13 could begin with its year: all cells allow it, and the last numbers vary as much."""
    if not dates or not order.day_first or not all(_year_can_be_first(one) for one in dates):
        return None
    firsts, lasts = ({one.numbers[place] for one in dates} for place in (0, 2))
    if len(lasts) < len(firsts):
        return None
    one = next(iter(dates))
    pattern = pattern_of(dates[one].example, ("%y", "%m", "%d"))
    choices = {
        "--day-first": _words(one.read(order)),
        f"--time-format {shlex.quote(pattern)}": _words(one.read(Order(day_first=None, year_first=True))),
    }
    return Question("short_year", column, dates[one].example, choices)


def _year_can_be_first(one: DateText) -> bool:
    _, month, day = one.numbers
    return to_date(_LEAP_YEAR, month, day) is not None


def _words(day: date | None) -> str:
    return f"{day.day} {day:%B %Y}" if day else "no date"
