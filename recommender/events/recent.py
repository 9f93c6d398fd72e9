"""What is kept of one person outside of the versions, as one answer reads it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, lru_cache, partial
from typing import NamedTuple

import orjson

from recommender.events.event import EventType
from recommender.publication.lists import ListKey, PublishedList, unfold
from recommender.retention import PersonalPart

MOST_READ: dict[PersonalPart, int] = {"orders": 200, "session": 100, "shown": 200}
"""So many of the newest events are read of each part."""
LEADS = 5
"""Products of one kind whose lists are read besides: the last bought, in the cart, viewed."""
NEIGHBOURS = 10
"""Products of each of these lists."""
MOST_DECODED = 8_192
"""Events that stay decoded, about 500 bytes each."""
_TEXT_OR_NONE = (str, type(None))


class RecentEvent(NamedTuple):
    """What is kept of a recent event. `at` is in seconds since 1970."""

    event_type: EventType
    product_id: str
    at: float
    quantity: float = 1.0
    order_id: str | None = None


_to_event = partial(tuple.__new__, RecentEvent)


@dataclass(frozen=True)
class RecentActivity:
    """What is kept of one person, and what the version says of the products in it.

    Attributes:
        orders: wire forms of the last purchases and refunds (MOST_READ), newest first; so are the next two.
        session: of views, clicks and what was put into the cart or taken out of it.
        shown: of impressions, one a product and day.
        hidden: ids of products that are not to be shown.
        folded: as `recommender.publication.lists.fold` wrote it; None where there is none.
        indices: product_index by product id, of what is in `orders` or leads to `neighbours` and the version knows.
        neighbours: the first NEIGHBOURS products of the `together` lists of what was bought last and of what is in the
            cart, and of the `similar` lists of what was viewed last.
    """

    orders: Sequence[bytes] = ()
    session: Sequence[bytes] = ()
    shown: Sequence[bytes] = ()
    hidden: frozenset[str] = frozenset()
    folded: bytes | None = None
    indices: Mapping[str, int] = field(default_factory=dict)
    neighbours: Mapping[ListKey, PublishedList] = field(default_factory=dict)

    @cached_property
    def order_events(self) -> list[RecentEvent]:
        """What can be read of `orders`; the rows of a page are made of one reading."""
        return recent_events(self.orders)

    @cached_property
    def session_events(self) -> list[RecentEvent]:
        """What can be read of `session`."""
        return recent_events(self.session)

    @property
    def n_bytes(self) -> int:
        """Memory that it takes, about, once its events are decoded."""
        n_bytes = 2 * sum(map(len, (*self.orders, *self.session))) + sum(map(len, self.shown))
        return n_bytes + sum(len(one.wire) for one in self.neighbours.values())

    @property
    def anything(self) -> bool:
        """Whether there is anything."""
        return bool(self.orders or self.session or self.shown or self.hidden or self.folded)

    def lists(self, version: str) -> list[PublishedList]:
        """Every list of `version` in it."""
        folded = None if self.folded is None else unfold(self.folded, version)
        return [*self.neighbours.values(), *([] if folded is None else [folded])]


def recent_events(wires: Sequence[bytes]) -> list[RecentEvent]:
    """Those of the events, as `Event.to_json` wrote them, that can be read, in the same order."""
    return [event for event in map(_decode, wires) if event is not None]


@lru_cache(maxsize=MOST_DECODED)
def _decode(wire: bytes) -> RecentEvent | None:
    """The event of a wire form; None where it cannot be read. A person who comes again brings the same events again."""
    try:
        fields = orjson.loads(wire)
        at = datetime.fromisoformat(fields["occurred_at"]).timestamp()
        event_type, product_id, order_id = fields["event_type"], fields["product_id"], fields.get("order_id")
        if not (isinstance(event_type, str) and isinstance(product_id, str) and isinstance(order_id, _TEXT_OR_NONE)):
            return None
        return _to_event((event_type, product_id, at, float(fields.get("quantity", 1.0)), order_id))
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
