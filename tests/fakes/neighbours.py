"""Which lists an answer reads besides a person's own, as the script in `recommender.redis.read` finds them."""

from collections.abc import Mapping, Sequence

from recommender.events.event import EventType
from recommender.events.recent import LEADS, RecentEvent, recent_events
from recommender.publication.lists import ListKey, ListName


def leads(orders: Sequence[bytes], session: Sequence[bytes]) -> list[ListKey]:
    """The lists that an answer to somebody with these events reads besides, newest product first, each once.

    The `together` lists of what was bought last and of what is in the cart, and the `similar` lists of what was viewed
    last. What a refund or an order takes out of them again is for `recommender.slate.recent_activity` to say.
    """
    bought, lately = recent_events(orders), recent_events(session)
    found: list[tuple[ListName, list[str]]] = [
        ("together", _latest(bought, {"purchase": True})),
        ("together", _latest(lately, {"add_to_cart": True, "remove_from_cart": False})),
        ("similar", _latest(lately, {"view": True})),
    ]
    return list(dict.fromkeys(ListKey(name, product_id) for name, ids in found for product_id in ids))


def products_in(orders: Sequence[bytes], keys: Sequence[ListKey]) -> list[str]:
    """The products in the orders and those of `leads`, each once: their indices are read."""
    bought = [event.product_id for event in recent_events(orders)]
    return list(dict.fromkeys([*bought, *(key.owner_id for key in keys)]))


def _latest(lately: Sequence[RecentEvent], counts: Mapping[EventType, bool]) -> list[str]:
    """The LEADS newest products whose newest event of these types counts."""
    newest: dict[str, bool] = {}
    for event in lately:
        if event.event_type in counts:
            newest.setdefault(event.product_id, counts[event.event_type])
    return [product_id for product_id, count in newest.items() if count][:LEADS]
