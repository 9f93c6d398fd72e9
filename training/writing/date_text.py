"""The text of a date, taken apart: numbers, a month's name, and which number could be what."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import NamedTuple

from training.writing.calendars import Calendar, to_date
from training.writing.month_names import month_names, passed_over, persian_month_names
from training.writing.scripts import fold_marks

_TOKEN = re.compile(r"\d+|[^\W\d_]+")
_WEEK = re.compile(r"(\d{4})-?w(\d\d)-?([1-7])")
_ORDINAL = re.compile(r"(\d{4})-(\d{3})")
_LONGEST = 60


class Order(NamedTuple):
    """The order of day, month and year where the text of a date alone does not tell it.

    Attributes:
        day_first: whether the day stands before the month; None: not known.
        year_first: whether a year of two digits stands before both.
    """

    day_first: bool | None = None
    year_first: bool = False


@dataclass(frozen=True)
class DateText:
    """The numbers of a date, in the order in which they stand.

    Attributes:
        numbers: three, as far as there is no month's name: else the day and the year, in either order.
        digits: how many digits each has.
        month: that a name says; None without one.
        persian: whether the name is one of the Persian calendar.
    """

    numbers: tuple[int, ...]
    digits: tuple[int, ...]
    month: int | None = None
    persian: bool = False

    @property
    def year(self) -> int | None:
        """The year, where it has four digits."""
        return next((n for n, digits in zip(self.numbers, self.digits, strict=True) if digits == 4), None)

    @property
    def has_order(self) -> bool:
        """Whether it is told by the text alone what is day, month and year."""
        return self.month is not None or self.digits[0] == 4

    def read(self, order: Order, calendar: Calendar = "gregorian") -> date | None:
        """The date; None where there is no such day, or where only an order, which is not given, could tell."""
        first, *middle, last = self.numbers
        if self.month is not None:
            year, month, day = (first, self.month, last) if self.digits[0] == 4 else (last, self.month, first)
        elif self.digits[0] == 4 or (order.year_first and self.year is None):
            year, month, day = first, middle[0], last
        elif order.day_first is None:
            return None
        else:
            year, month, day = (last, middle[0], first) if order.day_first else (last, first, middle[0])
        calendar = "persian" if self.persian else calendar
        if self.year is None:
            year += _century(year, calendar)
        elif year > 1700:
            calendar = "gregorian"
        return to_date(year, month, day, calendar)


def _century(year: int, calendar: Calendar) -> int:
    if calendar == "persian":
        return 1400 if year < 50 else 1300
    return 2000 if year < 69 else 1900


@lru_cache(maxsize=100_000)
def take_apart(text: str) -> DateText | date | None:
    """The parts of a date; the date itself, where it is of ISO's weeks or days of the year; None for any other text.

    Args:
        text: in ASCII digits and small letters, without a time of day.
    """
    if len(text) > _LONGEST:
        return None
    if special := _iso_special(text):
        return special
    if not text[:1].isalnum():
        return None
    tokens = _TOKEN.findall(text)
    words = _joined([fold_marks(token) for token in tokens if not token.isdigit()])
    months = {word: found for word in words if (found := _month_of(word))}
    if any(word not in months and word not in passed_over() for word in words):
        return None
    if len(months) > 1:
        # a weekday, such as `mar` in Italian, may be called like a month
        months = {word: found for word, found in months.items() if word not in passed_over()}
        if len(months) != 1:
            return None
    month, persian = next(iter(months.values()), (None, False))
    return _of_numbers([token for token in tokens if token.isdigit()], month, persian=persian)


def _of_numbers(numbers: list[str], month: int | None, *, persian: bool) -> DateText | None:
    if len(numbers) == 1 and len(numbers[0]) == 8 and month is None:
        numbers = [numbers[0][:4], numbers[0][4:6], numbers[0][6:]]
    digits = tuple(map(len, numbers))
    four = digits.count(4)
    if len(numbers) != (3 if month is None else 2) or four > 1 or any(d not in {1, 2, 4} for d in digits):
        return None
    if month is None and digits[1] == 4:
        return None
    if not four and 1 in digits[-1:]:
        return None
    return DateText(tuple(map(int, numbers)), digits, month, persian)


def _joined(names: list[str]) -> list[str]:
    """Words, two in one where they name a month together, such as كانون الثاني."""
    joined: list[str] = []
    for word in names:
        if joined and f"{joined[-1]} {word}" in month_names():
            joined[-1] += f" {word}"
        else:
            joined.append(word)
    return joined


def _month_of(word: str) -> tuple[int, bool] | None:
    if word in month_names():
        return month_names()[word], False
    return (persian_month_names()[word], True) if word in persian_month_names() else None


def _iso_special(text: str) -> date | None:
    try:
        if week := _WEEK.fullmatch(text):
            return date.fromisocalendar(*map(int, week.groups()))
        if _ORDINAL.fullmatch(text):
            return datetime.strptime(text, "%Y-%j").date()  # noqa: DTZ007
    except ValueError:
        return None
    return None
