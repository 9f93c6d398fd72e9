"""What came of recommendations, as the worker counts it: tables of the console, with a column of money a currency."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from api.console.page import Column
from api.console.visit import Visit
from recommender.results.placements import PlacementRow
from recommender.results.store import ResultStore

PERIODS = (7, 28, 90)
COUNTED = (
    Column("seen", "number"), Column("clicked", "number"), Column("click_rate", "share"), Column("carted", "number"),
    Column("bought", "number"),
)  # fmt: skip


def results_of(visit: Visit) -> ResultStore:
    """The results of the shop."""
    return visit.service.shops.storage.results(visit.shop)


def rows_of(visit: Visit, days: int) -> list[PlacementRow]:
    """The cells of the last so many whole or begun days."""
    until = visit.now.date() + timedelta(days=1)
    found = results_of(visit).days(until - timedelta(days=days), until)
    return [row for day in found for row in day.rows]


def counted_cells(row: PlacementRow) -> tuple[Any, ...]:
    """The cells of COUNTED."""
    rate = row.clicked / row.seen if row.seen else None
    return row.seen, row.clicked, rate, row.carted, row.bought


def money_columns(visit: Visit, monies: Iterable[Mapping[str, float]], name: str = "money") -> list[Column]:
    """A column for each currency of any of `monies`, the one of nobody's naming last, in the shop's own."""
    named = sorted({currency for one in monies for currency in one}, key=lambda one: (not one, one))
    return [Column(name, "money", one or visit.currency) for one in named]


def money_cells(monies: Sequence[Mapping[str, float]], row: Mapping[str, float]) -> tuple[float | None, ...]:
    """The cells of `money_columns`."""
    named = sorted({currency for one in monies for currency in one}, key=lambda one: (not one, one))
    return tuple(row.get(one) for one in named)
