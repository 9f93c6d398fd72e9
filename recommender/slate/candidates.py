"""Candidates: the products that an answer might show, read from published lists and put in one order."""

import heapq
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property, lru_cache, partial
from itertools import groupby
from math import isfinite
from typing import Literal, NamedTuple

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


to_candidate = partial(tuple.__new__, Candidate)
"""A candidate of a tuple of its fields, without a call of Python's."""


class Bought:
    """A customer's own products by product_index, decoded only where one is needed.

    Args:
        published: the `buy_again` list; None for somebody who has none.
    """

    def __init__(self, published: PublishedList | None) -> None:
        self._published = published

    @cached_property
    def places(self) -> Mapping[int, int]:
        """Where each product is on the list, from 0."""
        indices = () if self._published is None else self._published.indices()
        return dict(zip(indices, range(len(indices)), strict=True))

    def find(self, product_index: int) -> Own | None:
        """The customer's history with a product; None where it was not bought before."""
        place = self.places.get(product_index)
        return None if place is None or self._published is None else self._published.own_at(place)


NOTHING_BOUGHT = Bought(None)
_NONE_LEFT = (None, None)


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
        reading: holds the list.
        key: the list.
        kind: why its products are candidates.
        because: title or id of the product that explains them.
        bought: the customer's own products, which are of kind `buy_again` on every list.

    Raises:
        KeyError: `key` is not in `reading`; raised with the first candidate.
    """
    published, find = reading.lists[key], reading.products.find
    if published is None:
        return
    if published.basis != Basis.MODEL:
        kind, because = "popular", None
    for record in published:
        product = find(record[0])
        if product is None:
            continue
        own = record if isinstance(record, Own) else bought.find(record[0])
        if own is not None:
            yield own_candidate(product, own)
        else:
            probability = record[1] if key.name in _PROBABILITIES and isfinite(record[1]) else None
            yield to_candidate((product, kind, probability, None, because, key.name))


def own_candidate(product: Product, own: Own) -> Candidate:
    """The candidate that a customer's own product is, on whatever list it stands."""
    return to_candidate((product, "buy_again", own[1] if isfinite(own[1]) else None, own, None, "buy_again"))


def scored_candidates(
    reading: FetchedLists,
    key: ListKey,
    kind: Kind,
    because: str | None = None,
    bought: Bought = NOTHING_BOUGHT,
) -> Iterator[tuple[float, Candidate]]:
    """The candidates on one list with their scores; one without a score comes last. Arguments as of `candidates_of`."""
    known = (one for one in reading.lists[key] or () if reading.products.find(one.product_index) is not None)
    scores = (one.score if isfinite(one.score) else -math.inf for one in known)
    return zip(scores, candidates_of(reading, key, kind, because, bought), strict=True)


def merge_by_score(scored: Iterable[Iterator[tuple[float, Candidate]]]) -> Iterator[Candidate]:
    """Lists whose scores compare in one order by falling score; the order within each list is kept."""
    return (candidate for _, candidate in heapq.merge(*scored, key=lambda pair: -pair[0]))


def candidates_of_all(
    reading: FetchedLists, keys: Sequence[ListKey], kind: Kind, bought: Bought = NOTHING_BOUGHT
) -> Iterator[Candidate]:
    """The candidates on lists of one name and several owners, such as categories, in one order of score."""
    if len(keys) == 1:
        return candidates_of(reading, keys[0], kind, bought=bought)
    return merge_by_score([scored_candidates(reading, key, kind, bought=bought) for key in keys])


@lru_cache(maxsize=64)
def fallback_keys(categories: tuple[str, ...] = ()) -> tuple[ListKey, ...]:
    """The lists of best sellers that stand in where there is too little else: trending products, then popular ones.

    They are of each category, or of the whole shop.
    """
    names: tuple[ListName, ...] = ("trending", "popular")
    return tuple(ListKey(name, owner_id) for name in names for owner_id in categories or (WHOLE_SHOP,))


@lru_cache(maxsize=64)
def by_name(keys: tuple[ListKey, ...]) -> Mapping[ListName, list[ListKey]]:
    """The same keys by the name of their lists, in their order."""
    return {name: list(same) for name, same in groupby(keys, key=lambda key: key.name)}


FALLBACK_KEYS = fallback_keys()
"""Best sellers of the whole shop: always in memory, and shown where nothing else can be."""


def fallback_candidates(reading: FetchedLists, bought: Bought = NOTHING_BOUGHT) -> dict[str, Iterator[Candidate]]:
    """The candidates of FALLBACK_KEYS by the name that placements call them. Raises as `candidates_of`."""
    return {key.name: candidates_of(reading, key, "popular", bought=bought) for key in FALLBACK_KEYS}


def merge_by_probability(
    buy_again: Iterable[Candidate], discover: Iterable[tuple[float | None, Candidate]]
) -> Iterator[Candidate]:
    """Two lists in one order by falling probability; the order within each list is kept.

    A tie, and a candidate without a probability, goes to `buy_again`: what was bought before is the safer guess.

    Args:
        buy_again: products that were bought before.
        discover: others, each with the probability by which it takes its turn.
    """
    others = iter(discover)
    turn, other = next(others, _NONE_LEFT)
    for own in buy_again:
        least = math.inf if own.probability is None else own.probability
        while turn is not None and turn > least and other is not None:
            yield other
            turn, other = next(others, _NONE_LEFT)
        yield own
    while other is not None:
        yield other
        _, other = next(others, _NONE_LEFT)


def with_probability(candidates: Iterable[Candidate]) -> Iterator[tuple[float | None, Candidate]]:
    """Candidates that take their turns by their own probabilities, for `merge_by_probability`."""
    return ((candidate.probability, candidate) for candidate in candidates)
