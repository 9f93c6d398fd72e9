"""Who a visitor may be: customers of the made-up shop, found by their histories."""

import csv
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import NamedTuple

VISITOR = "visitor"
"""Somebody who has not said who they are."""
ROLES = ("weekly", "monthly", "quiet", "new", VISITOR)
_COFFEE = "COFFEE"


class Line(NamedTuple):
    """One purchase of a product."""

    day: date
    product_id: str


@dataclass(frozen=True)
class History:
    """What one customer bought, oldest first, seen on the day `today`."""

    customer_id: str
    lines: Sequence[Line]
    today: date

    @property
    def days(self) -> Sequence[date]:
        """The days with an order."""
        return sorted({line.day for line in self.lines})

    @property
    def gap(self) -> float:
        """Median days between two orders of the last ten; 0 with fewer than six orders."""
        return _median_gap(self.days[-11:]) if len(self.days) > 5 else 0.0

    @property
    def silence(self) -> int:
        """Days since the last order."""
        return (self.today - self.lines[-1].day).days

    def due_soon(self) -> Sequence[tuple[str, float]]:
        """Products that were bought every one to three weeks, at least six times, and are wanted about now.

        Each with the median days between; coffee first, then what is wanted most often.
        """
        days_of: dict[str, list[date]] = defaultdict(list)
        for line in self.lines:
            days_of[line.product_id].append(line.day)
        found = []
        for product_id, days in days_of.items():
            gap = _median_gap(days[-9:]) if len(days) > 5 else 0.0
            if 7 <= gap <= 22 and 0.85 <= (self.today - days[-1]).days / gap <= 1.3:
                found.append((product_id, gap))
        return sorted(found, key=lambda one: (not one[0].startswith(_COFFEE), one[1]))


def find_people(purchases: Path) -> Mapping[str, History]:
    """Role → the customer who plays it best on the day after the last purchase of a file; without those nobody can."""
    histories = list(_read(purchases))
    wanted: dict[str, tuple[Callable[[History], object], Callable[[History], tuple[float, float]]]] = {
        "weekly": (lambda one: 5 <= one.gap <= 9 and one.silence < 9 and one.due_soon(), _shows_a_rhythm),
        "monthly": (lambda one: 24 <= one.gap <= 40 and one.silence < 45, lambda one: (len(one.days), 0)),
        "quiet": (
            lambda one: one.gap and one.silence > 60 and one.silence > 5 * one.gap,
            lambda one: (len(one.lines), 0),
        ),
        "new": (lambda one: len(one.days) == 1, lambda one: (-one.silence, len(one.lines))),
    }
    found = {}
    for role, (plays, how_well) in wanted.items():
        best = max(filter(plays, histories), key=how_well, default=None)
        if best is not None:
            found[role] = best
    return found


def _shows_a_rhythm(history: History) -> tuple[int, float]:
    """Whose coffee is due, and is soon due again: that it comes back is seen by moving the clock once."""
    product_id, gap = history.due_soon()[0]
    return product_id.startswith(_COFFEE), -gap


def _read(purchases: Path) -> Iterable[History]:
    lines: dict[str, list[Line]] = defaultdict(list)
    with purchases.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        customer, product, ordered_at = map(next(rows).index, ("customer_id", "product_id", "ordered_at"))
        for row in rows:
            lines[row[customer]].append(Line(date.fromisoformat(row[ordered_at][:10]), row[product]))
    last = max((line.day for bought in lines.values() for line in bought), default=date.min)
    return (History(customer_id, sorted(bought), last + timedelta(days=1)) for customer_id, bought in lines.items())


def _median_gap(days: Sequence[date]) -> float:
    return median((later - day).days for day, later in pairwise(days))
