"""Orders placed in the storefront: told to the service at once, and taken back when the demo begins anew."""

import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Any

from training.demo.storefront.backend import Backend
from training.demo.storefront.catalogue import Catalogue


@dataclass(frozen=True)
class Order:
    """One order.

    Attributes:
        at: ISO-8601.
        lines: product ids with their quantities.
        led: product id → the recommendation that led to it, where one did.
    """

    order_id: str
    customer_id: str
    at: str
    lines: Mapping[str, int]
    led: Mapping[str, str]

    def events(self, event_type: str, catalogue: Catalogue) -> Iterator[dict[str, Any]]:
        """The order as events: a purchase or a refund of each line, at the moment of the order and a site's prices."""
        for product_id, quantity in self.lines.items():
            product = catalogue.find(product_id)
            yield {
                "event_id": f"{event_type}-{self.order_id}-{product_id}",
                "event_type": event_type,
                "customer_id": self.customer_id,
                "product_id": product_id,
                "quantity": quantity,
                "unit_price": None if product is None else product.price,
                "currency": None if product is None else product.currency,
                "order_id": self.order_id,
                "recommendation_id": self.led.get(product_id),
                "occurred_at": self.at,
            }


class Orders:
    """All orders since the demo began; they outlive it in a file, as the service remembers them, too.

    Args:
        file: where they are kept.
        sites: the service is told of an order under the keys of each site, in the prices of its catalogue.
    """

    def __init__(self, file: Path, sites: Sequence[tuple[Backend, Catalogue]]) -> None:
        self.sites = sites
        self._file, self._lock = file, Lock()
        self._orders = _read(file)

    def place(self, customer_id: str, lines: Mapping[str, int], led: Mapping[str, str], now: datetime) -> Order | None:
        """Take an order at an aware moment; None where the service does not accept it."""
        order = Order(f"storefront-{secrets.token_hex(4)}", customer_id, now.isoformat(), dict(lines), dict(led))
        if not self._tell("purchase", [order]):
            return None
        with self._lock:
            self._orders.append(order)
            self._keep()
        return order

    def of(self, customer_id: str) -> Sequence[Order]:
        """A customer's orders, newest first."""
        return [one for one in reversed(self._orders) if one.customer_id == customer_id]

    @property
    def last_at(self) -> datetime | None:
        """The moment of the latest order by its date; None where there is none."""
        return max((datetime.fromisoformat(one.at) for one in self._orders), default=None)

    def take_back(self) -> None:
        """Give everything back, as if nothing had been bought; the service's clock is not before the last order."""
        with self._lock:
            if self._tell("refund", self._orders):
                self._orders = []
                self._keep()

    def _tell(self, event_type: str, orders: Sequence[Order]) -> bool:
        accepted = [
            backend.tell([event for order in orders for event in order.events(event_type, catalogue)])
            for backend, catalogue in self.sites
            if orders
        ]
        return all(accepted)

    def _keep(self) -> None:
        self._file.write_text(json.dumps([asdict(order) for order in self._orders]))


def _read(file: Path) -> list[Order]:
    """What an earlier demo kept; nothing where it kept nothing that can be read."""
    try:
        return [Order(**one) for one in json.loads(file.read_text())]
    except (OSError, ValueError, TypeError):
        return []
