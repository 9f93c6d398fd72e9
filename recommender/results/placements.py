"""Results of placements: what was seen, clicked, put into the cart and bought, a row for each day and cell."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

CELL = ("placement", "kind", "reason", "ranks")
"""What a row is about, besides its day. None where no event says it."""
RANKS = ("1-3", "4-6", "7-12", "13 on", "unknown")
"""Bands of ranks, in their order."""
COUNTS = ("seen", "clicked", "carted", "bought", "units")
WITHIN_DAYS = 7
"""Days after a product was seen or clicked in which it counts as put into the cart or bought because of that."""

Money = Mapping[str, float]
"""Currency → amount; "" stands for a currency that nobody named."""


@dataclass(frozen=True, slots=True)
class PlacementRow:
    """The results of one cell, of a day or of several.

    Attributes:
        placement, kind, reason: as in the answer; None where no event says it.
        ranks: one of RANKS.
        seen, clicked, carted, bought: products in answers, each once a day.
        units: how many were bought.
        money: what they cost; {} where no price is known.
    """

    placement: str | None
    kind: str | None
    reason: str | None
    ranks: str
    seen: int = 0
    clicked: int = 0
    carted: int = 0
    bought: int = 0
    units: float = 0.0
    money: Money = field(default_factory=dict)

    def to_list(self) -> list[Any]:
        """The fields in their order, as plain JSON types."""
        return [getattr(self, name) for name in self.__slots__]

    @classmethod
    def from_list(cls, fields: Sequence[Any]) -> "PlacementRow":
        """The inverse of `to_list`. Raises TypeError or ValueError where these are no fields."""
        return cls(*fields)


@dataclass(frozen=True, slots=True)
class DayResults:
    """The results of one UTC day, on which things were seen, clicked, put into the cart and bought.

    Attributes:
        day: ISO-8601.
        rows: one for each cell.
    """

    day: str
    rows: tuple[PlacementRow, ...]

    def to_fields(self) -> tuple[str, list[list[Any]]]:
        """The day, and its rows as plain JSON types."""
        return self.day, [row.to_list() for row in self.rows]


def sum_rows(rows: Iterable[PlacementRow], by: Sequence[str] = CELL) -> list[PlacementRow]:
    """Rows added up over what is not in `by`, which is None then ("" for ranks); sorted by `by`, what is None last.

    Args:
        rows: of any days.
        by: some of CELL, in any order.
    """
    sums: dict[tuple[str | None, ...], dict[str, Any]] = {}
    for row in rows:
        key = tuple(getattr(row, name) if name in by else ("" if name == "ranks" else None) for name in CELL)
        total = sums.setdefault(key, {**dict.fromkeys(COUNTS, 0), "money": {}})
        for name in COUNTS:
            total[name] += getattr(row, name)
        for currency, amount in row.money.items():
            total["money"][currency] = round(total["money"].get(currency, 0.0) + amount, 2)
    summed = [PlacementRow(*key, **total) for key, total in sums.items()]  # type: ignore[arg-type]
    return sorted(summed, key=lambda row: [_place(getattr(row, name), name) for name in by])


def _place(value: str | None, name: str) -> tuple[bool, Any]:
    return (value is None, RANKS.index(value) if name == "ranks" and value in RANKS else value or "")
