"""What the shop wants of a placement: pins, boosts and blocks, each with the time in which it holds.

A pin is shown at its position, or at the end of a shorter slate, unless a rule of the slate objects; only the floor of
probabilities does not count for it. Where two pins want one position, the second goes behind the first.

A boost multiplies what an order goes by. In a list that is

    its probability, or 1 / place (from 1) where none was learned, but no more than that of the product before it,

so that a list without boosts is in order already; equals stay as they were. What is stated of a product is not touched.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from math import prod
from typing import TypeVar

from recommender.publication.product import Product
from recommender.slate.candidates import Candidate
from recommender.slate.placements import Block, Boost, Pin, Placement

_T = TypeVar("_T")


def turns_of(placement: Placement, as_of: datetime) -> list[float]:
    """When, from now on, rules of a placement begin or end to hold, in seconds since 1970."""
    rules = (*placement.pins, *placement.boosts, *placement.blocks)
    dates = [date for rule in rules for date in (rule.from_, rule.until)]
    return [date.timestamp() for date in dates if date is not None and date > as_of]


def pins_at(pins: Iterable[Pin], as_of: datetime, room: int) -> list[Pin]:
    """The pins that hold, by position; one a product, the first of each, and none beyond the `room` in a slate."""
    holding = [pin for pin in sorted(pins, key=lambda pin: pin.position) if pin.holds(as_of)]
    first = {pin.product_id: pin for pin in reversed(holding)}
    return [pin for pin in holding if first[pin.product_id] is pin and pin.position <= room]


def find_pinned(
    pins: Iterable[Pin], candidates: Iterable[Candidate], products: Mapping[str, Product]
) -> list[tuple[int, Candidate]]:
    """Position and candidate of each pin: what the list says of the product, else `products`; others are not known."""
    listed = {candidate.product.product_id: candidate for candidate in reversed(list(candidates))}
    bare = {product_id: Candidate(product, "popular") for product_id, product in products.items()}
    known = bare | listed
    return [(pin.position, known[pin.product_id]) for pin in pins if pin.product_id in known]


def boosts_at(boosts: Iterable[Boost], as_of: datetime) -> list[Boost]:
    """The boosts that hold."""
    return [boost for boost in boosts if boost.holds(as_of)]


def blocks_at(blocks: Iterable[Block], as_of: datetime) -> list[Block]:
    """The blocks that hold."""
    return [block for block in blocks if block.holds(as_of)]


def is_blocked(product: Product, blocks: Iterable[Block]) -> bool:
    """Whether one of `blocks` is meant for a product."""
    return any(block.covers(product) for block in blocks)


def boosted(candidates: Iterable[Candidate], boosts: Sequence[Boost]) -> list[Candidate]:
    """Candidates in the order that boosts give them; several for one product multiply."""
    listed = list(candidates)
    weights = (
        weight * prod(boost.factor for boost in boosts if boost.covers(candidate.product))
        for candidate, weight in zip(listed, _weights(listed), strict=True)
    )
    return [candidate for _, candidate in sorted(zip(weights, listed, strict=True), key=lambda pair: -pair[0])]


def _weights(candidates: Iterable[Candidate]) -> Iterable[float]:
    least = 1.0
    for place, candidate in enumerate(candidates, start=1):
        least = min(least, 1 / place if candidate.probability is None else candidate.probability)
        yield least


def insert(shown: Sequence[_T], pinned: Iterable[tuple[int, _T]]) -> list[_T]:
    """What is shown, with each of `pinned`, by rising position from 1, at its place or at the end."""
    slate, free = list(shown), 0
    for position, one in pinned:
        place = min(max(position - 1, free), len(slate))
        slate.insert(place, one)
        free = place + 1
    return slate
