"""Fold-in of new customers: a `discover` list from their first purchases on, before the next training."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from recommender.events.event import Event
from recommender.person import digest_of_person
from recommender.publication.factors import ProductFactors
from recommender.publication.lists import RANKED, Basis, ListKey, fold
from recommender.slate.recent_activity import apply_activity
from recommender.storage.event_log import EventLog
from recommender.storage.versions import ListQuery, VersionStore

_CUSTOMERS_PER_TRIP = 100


@dataclass
class FoldIn:
    """Fold-in of the customers of a batch of events; idempotent.

    Attributes:
        store: where the version that answers is, with its product factors.
        log: where the lists go.
        clock: the aware moment.
        list_length: products in a list.
    """

    store: VersionStore
    log: EventLog
    clock: Callable[[], datetime]
    list_length: int
    _factors: dict[str, ProductFactors | None] = field(default_factory=dict)

    def __call__(self, events: Sequence[Event]) -> None:
        """Fold in customers with a purchase or refund and without a `discover` list in the live version."""
        version = self.store.current()
        if version is None:
            return
        if version not in self._factors:
            self._factors = {version: self.store.factors(version)}
        factors = self._factors[version]
        bought = {event.customer_id for event in events if event.event_type in ("purchase", "refund")}
        customers = sorted(customer_id for customer_id in bought if customer_id is not None)
        for first in range(0, len(customers) if factors else 0, _CUSTOMERS_PER_TRIP):
            self._fold(version, factors, customers[first : first + _CUSTOMERS_PER_TRIP])

    def _fold(self, version: str, factors: ProductFactors | None, customers: Sequence[str]) -> None:
        people = {customer_id: digest_of_person(customer_id, None) for customer_id in customers}
        keys = [ListKey(name, customer_id) for customer_id in customers for name in ("buy_again", "discover")]
        reading = self.store.read(ListQuery(keys, version, people=list(people.values())))
        if reading is None or reading.version != version or factors is None:
            return  # the next batch, or the next training, sees to them
        for customer_id, person in people.items():
            if reading.lists[ListKey("discover", customer_id)] is None:
                known, _ = apply_activity(reading, customer_id, [person], self.clock())
                own = known.lists[ListKey("buy_again", customer_id)]
                indices = sorted(set(own.indices())) if own is not None else []
                self.log.keep_folded(customer_id, fold(version, _to_wire(factors, indices, self.list_length)))


def _to_wire(factors: ProductFactors, bought: Sequence[int], k: int) -> bytes:
    indices, _ = factors.rank(np.array(bought, np.int64), k)
    records = np.zeros(len(indices), RANKED)
    records["product_index"], records["score"] = indices, np.nan  # a preference is no probability
    return bytes((Basis.MODEL,)) + records.tobytes()
