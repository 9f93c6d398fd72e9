"""Candidates: the products that an answer might show, read from published lists and put in one order."""

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from recommender.publication import Basis, ListKey, ListName, Own, Product
from recommender.store import Reading

Kind = Literal["buy_again", "discover", "complement", "similar", "popular"]
_PROBABILITIES: frozenset[ListName] = frozenset({"buy_again", "discover"})
"""Lists whose scores are probabilities; the scores of the others only order their own list."""


@dataclass(frozen=True, slots=True)
class Candidate:
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


def candidates_of(reading: Reading, key: ListKey, kind: Kind, because: str | None = None) -> list[Candidate]:
    """The candidates on one list, in its order; [] where the owner has no such list.

    A list that was filled with best sellers for want of buyers (see `Basis`) is of kind `popular` whatever was asked
    for: its products are explained as what they are. Raises KeyError where `reading` was not asked for `key`.
    """
    decoded = reading.lists[key]
    if decoded is None:
        return []
    if decoded.basis != Basis.MODEL:
        kind, because = "popular", None
    likely = key.name in _PROBABILITIES
    return [
        Candidate(
            product=reading.products[record.product_index],
            kind=kind,
            probability=record.score if likely and not math.isnan(record.score) else None,
            own=record if isinstance(record, Own) else None,
            because=because,
            source=key.name,
        )
        for record in decoded.records
    ]


def merge_by_probability(buy_again: Sequence[Candidate], discover: Sequence[Candidate]) -> list[Candidate]:
    """One order by falling probability, the order within each list kept.

    A tie, and a candidate without a probability, goes to `buy_again`: what was bought before is the safer guess.
    """
    merged: list[Candidate] = []
    waiting = deque(discover)
    for own in buy_again:
        while waiting and _is_likelier(waiting[0], own):
            merged.append(waiting.popleft())
        merged.append(own)
    return [*merged, *waiting]


def _is_likelier(one: Candidate, other: Candidate) -> bool:
    if one.probability is None or other.probability is None:
        return False
    return one.probability > other.probability
