"""Candidates: the products that an answer might show, read from published lists and put in one order."""

import math
from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

from recommender.catalogue import Catalogue
from recommender.publication import Basis, ListKey, ListName, Own, Product, PublishedList
from recommender.store import Reading

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
        self._indices = frozenset[int]() if published is None else published.indices()

    def find(self, product_index: int) -> Own | None:
        """What is known of one product; None for one that was not bought."""
        if self._published is None or product_index not in self._indices:
            return None
        found = (own for own in self._published if isinstance(own, Own) and own.product_index == product_index)
        return next(found, None)


NOTHING_BOUGHT = Bought(None)


def candidates_of(
    reading: Reading,
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
    name = published.name
    likely = name in _PROBABILITIES
    if published.basis != Basis.MODEL:
        kind, because = "popular", None
    for record in published:
        product = products.find(record.product_index)
        if product is None:
            continue
        own = record if isinstance(record, Own) else bought.find(record.product_index)
        if own is not None:
            yield Candidate(product, "buy_again", _known(own.score), own, None, "buy_again")
        else:
            yield Candidate(product, kind, _known(record.score) if likely else None, None, because, name)


def _known(probability: float) -> float | None:
    return probability if math.isfinite(probability) else None


def merge_by_probability(buy_again: Iterable[Candidate], discover: Iterable[Candidate]) -> Iterator[Candidate]:
    """One order by falling probability, the order within each list kept.

    A tie, and a candidate without a probability, goes to `buy_again`: what was bought before is the safer guess.
    """
    others = iter(discover)
    other = next(others, None)
    for own in buy_again:
        while other is not None and _is_likelier(other, own):
            yield other
            other = next(others, None)
        yield own
    if other is not None:
        yield other
        yield from others


def _is_likelier(one: Candidate, other: Candidate) -> bool:
    if one.probability is None or other.probability is None:
        return False
    return one.probability > other.probability
