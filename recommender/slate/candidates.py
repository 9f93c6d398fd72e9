"""Candidates: the products that an answer might show, read from published lists and put in one order."""

import math
from collections.abc import Iterable, Iterator
from math import isfinite
from typing import Literal, NamedTuple

from recommender.catalogue.catalogue import Catalogue
from recommender.publication.lists import WHOLE_SHOP, Basis, ListKey, ListName, Own, PublishedList
from recommender.publication.product import Product
from recommender.slate.reading import FetchedLists

Kind = Literal["buy_again", "discover", "complement", "similar", "popular"]
_PROBABILITIES: frozenset[ListName] = frozenset({"buy_again", "discover"})
"""Lists whose scores are probabilities; the scores of the others only order their own list."""


class Candidate(NamedTuple):
    """One product that might be shown.

    Attributes:
        product: what an answer says of it.
        kind: why it is here.
        probability: of being bought within the horizon; None where none was learned.
        own: the customer's own history with it, for `buy_again`.
        because: title or id of the product that explains it, for `similar` and `complement`.
        source: the published list that it was read from; tells what is trending from what sells best.
    """

    product: Product
    kind: Kind
    probability: float | None = None
    own: Own | None = None
    because: str | None = None
    source: ListName | None = None


class Bought:
    """A customer's own products, found by product_index; decoded only where one is met.

    Args:
        published: the `buy_again` list; None for somebody who has none.
    """

    def __init__(self, published: PublishedList | None) -> None:
        self._published = published
        self.indices = frozenset[int]() if published is None else published.indices()

    def find(self, product_index: int) -> Own:
        """What is known of one of `indices`."""
        return next(own for own in self._published or () if isinstance(own, Own) and own.product_index == product_index)


NOTHING_BOUGHT = Bought(None)


def candidates_of(
    reading: FetchedLists,
    key: ListKey,
    kind: Kind,
    because: str | None = None,
    bought: Bought = NOTHING_BOUGHT,
) -> Iterator[Candidate]:
    """The candidates on one list, in its order, made one by one; none where the owner has no such list.

    A list that was filled with best sellers for want of buyers (see `Basis`) is of kind `popular` whatever was asked
    for: its products are explained as what they are.

    Args:
        reading: where the list is.
        key: the list.
        kind: why its products are candidates.
        because: title or id of the product that explains them.
        bought: the customer's own products; they are told as such on whichever list they are.

    Raises:
        KeyError: `reading` was not asked for `key`.
    """
    published = reading.lists[key]
    return iter(()) if published is None else candidates_in(published, reading.products, kind, because, bought)


def candidates_in(
    published: PublishedList,
    products: Catalogue,
    kind: Kind,
    because: str | None = None,
    bought: Bought = NOTHING_BOUGHT,
) -> Iterator[Candidate]:
    """As `candidates_of`, for a list and the products on it."""
    if published.name == "buy_again":
        for own in published.own():
            product = products.find(own.product_index)
            if product is not None:
                yield _bought_before(product, own)
        return
    name = published.name
    likely = name in _PROBABILITIES
    if published.basis != Basis.MODEL:
        kind, because = "popular", None
    for index, score in published.ranked():
        product = products.find(index)
        if product is None:
            continue
        if index in bought.indices:
            yield _bought_before(product, bought.find(index))
        else:
            yield Candidate(product, kind, score if likely and isfinite(score) else None, None, because, name)


def _bought_before(product: Product, own: Own) -> Candidate:
    return Candidate(product, "buy_again", own.score if isfinite(own.score) else None, own, None, "buy_again")


def fallback_keys(category: str | None = None) -> tuple[ListKey, ListKey]:
    """Best sellers, which stand in wherever there is too little else: what sells more than usual, then what sells best.

    Those of one category, or of the whole shop.
    """
    owner_id = category or WHOLE_SHOP
    return ListKey("trending", owner_id), ListKey("popular", owner_id)


FALLBACK_KEYS = fallback_keys()
"""Always at hand: what is shown where nothing else can be."""


def fallback_candidates(
    reading: FetchedLists, keys: Iterable[ListKey] = FALLBACK_KEYS, bought: Bought = NOTHING_BOUGHT
) -> dict[str, Iterator[Candidate]]:
    """The candidates of `fallback_keys` by the name that placements call them. Raises as `candidates_of`."""
    return {key.name: candidates_of(reading, key, "popular", bought=bought) for key in keys}


def merge_by_probability(buy_again: Iterable[Candidate], discover: Iterable[Candidate]) -> Iterator[Candidate]:
    """One order by falling probability, the order within each list kept.

    A tie, and a candidate without a probability, goes to `buy_again`: what was bought before is the safer guess.
    """
    others = iter(discover)
    other = next(others, None)
    for own in buy_again:
        least = math.inf if own.probability is None else own.probability
        while other is not None and other.probability is not None and other.probability > least:
            yield other
            other = next(others, None)
        yield own
    if other is not None:
        yield other
        yield from others
