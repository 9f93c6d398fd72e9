"""What a person bought since the training, and what was taken back."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from recommender.days import day_of
from recommender.events.recent import RecentEvent

_NOTHING = 1e-9
"""A quantity below this is rounding."""


class RecentPurchase(NamedTuple):
    """One product since the training: `last_day` in days since 1970, `orders` that held it."""

    last_day: int
    orders: int


@dataclass(frozen=True, slots=True)
class RecentOrders:
    """Purchases and refunds, netted.

    Attributes:
        lines: the recent purchases that were not taken back, oldest first; some the training knew.
        bought: by product id, what is left of the purchases that the training did not know.
        taken_back: by product id, purchases that the training knew and that were taken back since.
    """

    lines: Sequence["Line"] = ()
    bought: Mapping[str, RecentPurchase] = field(default_factory=dict)
    taken_back: Mapping[str, int] = field(default_factory=dict)

    @property
    def last(self) -> Sequence["Line"]:
        """The lines of the latest order, oldest first; () for none."""
        return [line for line in self.lines if line.order == self.lines[-1].order]


@dataclass(slots=True)
class Line:
    """One purchase. What comes without an order id is one order with all else of that UTC day."""

    product_id: str
    order_id: str | None
    at: float
    left: float

    @property
    def day(self) -> int:
        """Days since 1970-01-01."""
        return day_of(self.at)

    @property
    def order(self) -> str | int:
        """Tells orders apart."""
        return self.day if self.order_id is None else self.order_id


NO_ORDERS = RecentOrders()


def net_orders(recent_events: Iterable[RecentEvent], known_until: float) -> RecentOrders:
    """Take refunds off purchases, as a training would.

    A refund takes back the line of its order that has its product, or where it names no order the latest purchase of
    the product, as far as its quantity goes. One that finds none takes back a purchase from before the training.

    Args:
        recent_events: purchases and refunds in any order.
        known_until: the training knew what happened before, in seconds since 1970.
    """
    lines: list[Line] = []
    taken_back: Counter[str] = Counter()
    for one in sorted(recent_events, key=lambda one: (one.at, one.event_type == "refund")):
        if one.event_type == "purchase":
            lines.append(Line(one.product_id, one.order_id, one.at, one.quantity))
            continue
        found = list(_take_back(lines, one))
        known = sum(line.at < known_until and line.left <= _NOTHING for line in found) if found else 1
        if one.at >= known_until and known:
            taken_back[one.product_id] += known
    left = [line for line in lines if line.left > _NOTHING]
    return RecentOrders(left, _bought_since(left, known_until), taken_back)


def _take_back(lines: Sequence[Line], refund: RecentEvent) -> Iterator[Line]:
    """The lines that a refund takes something off, latest first."""
    quantity = refund.quantity
    for line in reversed(lines):
        of_it = line.product_id == refund.product_id and refund.order_id in (None, line.order_id)
        if of_it and min(line.left, quantity) > _NOTHING:
            part = min(line.left, quantity)
            line.left, quantity = line.left - part, quantity - part
            yield line


def _bought_since(lines: Iterable[Line], known_until: float) -> dict[str, RecentPurchase]:
    since: dict[str, dict[str | int, int]] = {}
    for line in lines:
        if line.at >= known_until:
            since.setdefault(line.product_id, {})[line.order] = line.day
    return {product_id: RecentPurchase(max(days.values()), len(days)) for product_id, days in since.items()}
