"""What a person's recent events change: a pure function of the published lists, the events and the moment.

Nothing published is edited, so the same events give the same slate whenever they are played again.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import chain
from operator import itemgetter
from types import MappingProxyType
from typing import NamedTuple

from recommender.catalogue.catalogue import Catalogue
from recommender.days import SECONDS_PER_DAY, day_of
from recommender.events.orders import NO_ORDERS, RecentOrders, RecentPurchase, net_orders
from recommender.events.recent import RecentActivity, RecentEvent, recent_events
from recommender.publication.lists import ListKey, Own, PublishedList, own_of, to_own, to_row, unfold
from recommender.publication.manifest import version_as_of
from recommender.publication.product import Rhythm
from recommender.slate.due import HORIZONS_DAYS, probability_within
from recommender.slate.reading import FetchedLists

RECENT_DAYS = 3
"""An order and a view lead to other products for so long."""
TIRING_DAYS = 3
SHOWN_DAYS = 7
"""A new product shown on TIRING_DAYS of the last SHOWN_DAYS whole days (UTC), and not clicked since, stands behind
others. Today counts from tomorrow on, so that what is shown changes no order during a visit."""
UNKNOWN_RHYTHM = Rhythm(math.log(30), 1.0, 0.1)
"""Of a product in a version that publishes none: a month or so, one buyer in ten."""
_MOST_PURCHASES = 65_535


class ActivityEffects(NamedTuple):
    """What the recent events of one person say at one moment.

    Attributes:
        orders: what was bought and taken back.
        lead: products of the last order while it is recent, and before them those in the cart, latest first.
        viewed: products looked at lately, latest first.
        cart: what is in the cart.
        hidden: products that are not to be shown.
        tired: products that were shown often enough for now, unless they are the customer's own.
        indices: product_index of what `lead` and `viewed` hold and the version knows, by product id.
    """

    orders: RecentOrders = NO_ORDERS
    lead: Sequence[str] = ()
    viewed: Sequence[str] = ()
    cart: frozenset[str] = frozenset()
    hidden: frozenset[str] = frozenset()
    tired: frozenset[str] = frozenset()
    indices: Mapping[str, int] = MappingProxyType({})


NOTHING = ActivityEffects()


def observe(people: Sequence[RecentActivity], known_until: float, now: float) -> ActivityEffects:
    """The recent activity of one person, under one name or several (a customer, a session), as one.

    Args:
        people: recent activity under each name.
        known_until: the training knew the orders before; in seconds since 1970, as the next.
        now: the moment of the answer.
    """
    orders = net_orders(chain.from_iterable(one.order_events for one in people), known_until)
    session = sorted(chain.from_iterable(one.session_events for one in people), key=lambda one: -one.at)
    recently = now - RECENT_DAYS * SECONDS_PER_DAY
    cart = _cart(session, orders)
    ordered = [line.product_id for line in reversed(orders.last) if line.at >= recently]
    viewed = [one.product_id for one in session if one.event_type == "view" and one.at >= recently]
    return ActivityEffects(
        orders,
        list(dict.fromkeys([*cart, *ordered])),
        list(dict.fromkeys(viewed)),
        frozenset(cart),
        frozenset().union(*(one.hidden for one in people)),
        _tired(_shown_often(people), session, day_of(now)),
    )


def apply_activity(
    reading: FetchedLists, customer_id: str | None, people: Sequence[str], now: datetime
) -> tuple[FetchedLists, ActivityEffects]:
    """A reading as it would be had the training known the recent events of a person, and what these say.

    The customer's `buy_again` list has what was bought since, at its place; a customer without a `discover` list has
    the one that was folded in. The lists of `ActivityEffects.lead` and `ActivityEffects.viewed` are there as far as
    they were read.

    Args:
        reading: what was read; as it is where the person did nothing.
        customer_id: whose lists are in it; None for nobody's.
        people: the names whose events count, by `digest_of_person`.
        now: the moment of the answer, aware.
    """
    found = [reading.live[person] for person in people if person in reading.live]
    if not any(one.anything for one in found):
        return reading, NOTHING
    live = observe(found, _known_until(reading.version), now.timestamp())
    indices = {product_id: index for one in found for product_id, index in one.indices.items()}
    lists = {key: neighbours for one in found for key, neighbours in one.neighbours.items()} | dict(reading.lists)
    if customer_id is not None:
        own, discover = ListKey("buy_again", customer_id), ListKey("discover", customer_id)
        lists[own] = _own_list(lists.get(own), live.orders, indices, reading.products, now)
        if lists.get(discover) is None:
            lists[discover] = next((unfold(one.folded, reading.version) for one in found if one.folded), None)
    return reading._replace(lists=lists), live._replace(indices=indices)


@lru_cache(maxsize=64)
def _known_until(version: str) -> float:
    return version_as_of(version).timestamp()


def _shown_often(people: Iterable[RecentActivity]) -> list[RecentEvent]:
    """Impressions of products that may be tired; reading all of them would cost more than a slate.

    Two products are only ever taken for one here, where an id holds a quotation mark.
    """
    wires = [wire for one in people for wire in one.shown]
    products = [wire.partition(b'"product_id":"')[2].partition(b'"')[0] for wire in wires]
    times = Counter(products)
    return recent_events([wire for wire, product in zip(wires, products, strict=True) if times[product] >= TIRING_DAYS])


def _cart(session: Sequence[RecentEvent], orders: RecentOrders) -> list[str]:
    """What was put into the cart and neither taken out nor bought, latest first. `session` is newest first."""
    last: dict[str, RecentEvent] = {}
    for one in session:
        if one.event_type in ("add_to_cart", "remove_from_cart"):
            last.setdefault(one.product_id, one)
    bought_at = {line.product_id: line.at for line in orders.lines}
    added = [one for one in last.values() if one.event_type == "add_to_cart"]
    return [one.product_id for one in added if bought_at.get(one.product_id, -math.inf) < one.at]


def _tired(shown: Iterable[RecentEvent], session: Sequence[RecentEvent], today: int) -> frozenset[str]:
    """See TIRING_DAYS. `session` is newest first; a click counts its whole day off."""
    clicked: dict[str, int] = {}
    for one in session:
        if one.event_type == "click":
            clicked.setdefault(one.product_id, day_of(one.at))
    days = {(one.product_id, day_of(one.at)) for one in shown}
    in_vain = Counter(
        product_id
        for product_id, day in days
        if max(today - SHOWN_DAYS, clicked.get(product_id, -1) + 1) <= day < today
    )
    return frozenset(product_id for product_id, n_days in in_vain.items() if n_days >= TIRING_DAYS)


def _own_list(
    published: PublishedList | None,
    orders: RecentOrders,
    indices: Mapping[str, int],
    products: Catalogue,
    now: datetime,
) -> PublishedList | None:
    """The `buy_again` list with what was bought and taken back since; the very same where nothing was."""
    changed = list(dict.fromkeys([*orders.bought, *orders.taken_back]))
    if not changed:
        return published
    rows = {} if published is None else _rows(published)
    if any(product_id not in indices for product_id in changed):  # a version of an earlier release names no indices
        indices = {products[index].product_id: index for index in rows} | dict(indices)
    for product_id in changed:
        index = indices[product_id] if product_id in indices else products.newcomer_index(product_id)
        if index is None or products.find(index) is None:
            continue
        before = rows.pop(index, None)
        own = _new(index, products) if before is None else to_own(before[1])
        moved = _move(own, orders.bought.get(product_id), orders.taken_back.get(product_id, 0), now)
        if moved is not None:
            rows[index] = _place(moved.score), to_row(moved)
    if not rows and published is None:
        return None
    return PublishedList.of_rows([row for _, row in sorted(rows.values(), key=itemgetter(0))])


def _rows(published: PublishedList) -> dict[int, tuple[float, bytes]]:
    """The records of a `buy_again` list in their wire form, each with its place, by product_index."""
    return dict(
        zip(published.indices(), zip(map(_place, published.scores()), published.rows(), strict=True), strict=True)
    )


def _new(product_index: int, products: Catalogue) -> Own:
    """A product that was not bought before the training."""
    rhythm = products[product_index].rhythm or UNKNOWN_RHYTHM
    return own_of((product_index, math.nan, 0, 0, *rhythm))


def _move(own: Own, bought: RecentPurchase | None, taken_back: int, now: datetime) -> Own | None:
    """A product with what was bought since; None where all purchases were taken back.

    Its score becomes the chance of a purchase within the longest of HORIZONS_DAYS that its rhythm gives at `now`. When
    the one before the last was bought is not known: what was taken back from before the training leaves the day alone.
    """
    index, score, last_day, purchases, *rhythm = own
    purchases += (0 if bought is None else bought.orders) - taken_back
    if purchases <= 0:
        return None
    if bought is None:
        return own_of((index, score, last_day, purchases, *rhythm))
    last_day, purchases = max(last_day, bought.last_day), min(purchases, _MOST_PURCHASES)
    score = probability_within(HORIZONS_DAYS[-1], last_day, rhythm, now)
    return own_of((index, score, last_day, purchases, *rhythm))


def _place(score: float) -> float:
    """Sorts by falling probability. Lists without probabilities stay as they are, what was moved behind them."""
    return -math.inf if math.isnan(score) else -score
