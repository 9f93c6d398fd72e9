"""Insights: what a version tells people about the shop, beside what it recommends.

The document holds no customer: repurchase rhythms, cohorts, value in tenths, lifecycle flow, key figures. Only the due
board names customers, each under the own id, so that erasing one takes the lines along. Sizes are bounded by the
constants below, whatever the shop's size; a document takes about 0.2 MB packed, the board 1.5 MB at most.
"""

import json
import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from pydantic_core import from_json

MOST_PRODUCTS = 5_000
"""Products with a repurchase rhythm: those with the most buyers."""
MOST_DUE_CUSTOMERS = 10_000
"""Customers on the due board: those most likely to buy."""
MOST_DUE_LINES = 3
"""Products of one customer on it."""
DUE_DAYS = 30
"""Days that the board reaches ahead."""
MOST_COHORTS = 24
"""Latest months of first orders."""
MOST_FIRSTS = 30
"""First products, and first categories, with the most customers."""
MOST_CATEGORIES = 30
"""Categories that the board counts by; the others count together."""


class DueLine(NamedTuple):
    """One product that a customer will want.

    Attributes:
        product_id: the shop's own.
        days: when it is due, from the day of `as_of`.
        probability: of a purchase within the horizon, a number.
    """

    product_id: str
    days: int
    probability: float


@dataclass(frozen=True)
class Insights:
    """The insights of one version.

    Attributes:
        document: plain JSON, see `training.analytics.insights.build`.
        due: customer_id → lines, at most MOST_DUE_LINES of MOST_DUE_CUSTOMERS.
    """

    document: Mapping[str, Any]
    due: Mapping[str, Sequence[DueLine]]

    def to_json(self) -> str:
        """Everything, as it is saved on disk: the same insights give the same text."""
        return json.dumps({"document": self.document, "due": self.due}, separators=(",", ":"), sort_keys=True)

    @classmethod
    def from_json(cls, text: str | bytes) -> "Insights":
        """The inverse of `to_json`. Raises ValueError, KeyError or TypeError where it is none."""
        found = json.loads(text)
        return cls(found["document"], {one: [DueLine(*line) for line in lines] for one, lines in found["due"].items()})

    def without(self, customers: Collection[str]) -> "Insights":
        """The same without the lines of some customers."""
        return replace(self, due={one: lines for one, lines in self.due.items() if one not in customers})


def pack_document(document: Mapping[str, Any]) -> bytes:
    """The document as Redis keeps it."""
    return zlib.compress(json.dumps(document, separators=(",", ":"), sort_keys=True).encode())


def unpack_document(wire: bytes) -> dict[str, Any]:
    """The inverse. Raises ValueError where somebody else wrote it."""
    try:
        found = from_json(zlib.decompress(wire))
    except zlib.error as error:
        raise ValueError("the insights cannot be unpacked") from error
    if not isinstance(found, dict):
        raise ValueError("the insights are no object")  # noqa: TRY004 - what is stored, not what was passed
    return found


def pack_lines(lines: Sequence[DueLine]) -> bytes:
    """The lines of one customer as Redis keeps them."""
    return json.dumps(lines, separators=(",", ":")).encode()


def unpack_lines(wire: bytes) -> list[DueLine]:
    """The inverse. Raises ValueError or TypeError."""
    return [DueLine(*line) for line in from_json(wire)]
