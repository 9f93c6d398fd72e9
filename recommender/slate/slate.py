"""Slates: what one answer shows. Candidates go in best first; rules leave some out; the cap ends it.

Pure Python without input or output: it runs on every page of the shop. A short slate, even an empty one, is a right
answer: nothing is put in only to fill it.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from types import MappingProxyType
from typing import NamedTuple

from recommender.days import date_of, day_of
from recommender.publication.product import Product
from recommender.slate.candidates import Candidate, Kind
from recommender.slate.due import Due, due, due_day
from recommender.slate.merchandising import (
    blocks_at,
    boosted,
    boosts_at,
    find_pinned,
    insert,
    is_blocked,
    pins_at,
    turns_of,
)
from recommender.slate.placements import Block, Limit, Placement
from recommender.slate.reasons import PINNED, Reason, explain

NOT_DUE_BEFORE = 0.5
"""Share of its usual interval that must have passed before a product is suggested again."""
_NO_FALLBACKS: Mapping[str, Iterable[Candidate]] = MappingProxyType({})
_NOTHING_PINNED: Mapping[str, Product] = MappingProxyType({})
_Shown = tuple[Candidate, str | None]
"""A candidate with the fallback list that it came from, if any; PINNED where it is on no list."""

Rule = Callable[[Candidate], str | None]
"""Why a candidate is left out; None lets it pass."""


class Context(NamedTuple):
    """The facts of one request that rules look at.

    Attributes:
        limit: products asked for and allowed.
        cart: product ids in the cart.
        exclude: product ids that the caller does not want.
        shown: product ids that another row of the same page shows.
        not_interested: product ids that the customer does not want.
        categories: only products of one of these; empty for all.
        due_within_days: of the customer's own products, only those due by then.
        own_only: whether only the customer's own products are wanted: a pin is no reason for another.
    """

    limit: Limit
    cart: frozenset[str] = frozenset()
    exclude: frozenset[str] = frozenset()
    shown: frozenset[str] = frozenset()
    not_interested: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()
    due_within_days: int | None = None
    own_only: bool = False


class Item(NamedTuple):
    """One product that is shown. `rank` starts at 1; `due` is None for products that the customer does not own."""

    product: Product
    rank: int
    kind: Kind
    probability: float | None
    due: Due | None
    reason: Reason


_to_item = partial(tuple.__new__, Item)


class Slate(NamedTuple):
    """What one answer shows.

    Attributes:
        items: by rank; may be empty.
        suppressed: reason → number of products left out for it before the slate was full; only counts above 0.
        fallback: the first fallback list that gave a product; None where none did.
        until: when a rule or a product that was looked at begins or ends to be valid, in seconds since 1970, so that
            the same request may give another slate; None where no date counted.
    """

    items: tuple[Item, ...]
    suppressed: dict[str, int]
    fallback: str | None
    until: float | None = None


def build_slate(
    candidates: Iterable[Candidate],
    placement: Placement,
    context: Context,
    as_of: datetime,
    fallbacks: Mapping[str, Iterable[Candidate]] = _NO_FALLBACKS,
    *,
    pinned: Mapping[str, Product] = _NOTHING_PINNED,
) -> Slate:
    """The slate for one request: the first candidates that no rule leaves out, then those of the fallbacks.

    What the placement pins and boosts changes their order, see `recommender.slate.merchandising`.

    Args:
        candidates: best first, taken one by one until the slate is full; a product that comes twice counts once,
            where it comes first.
        placement: cap, floor and the order of fallbacks.
        context: the facts of the request that rules look at.
        as_of: the moment of the answer, aware.
        fallbacks: name → candidates; looked at only where `candidates` do not reach the limit.
        pinned: by id, those products that the placement pins and that are known.
    """
    turns: list[float] = []
    draft = _Draft(room=min(context.limit.applied, placement.cap), rules=_rules(placement, context, as_of, turns))
    boosts = boosts_at(placement.boosts, as_of) if placement.boosts else ()
    if boosts:
        candidates = boosted(candidates, boosts)
    if placement.pins:
        candidates = list(candidates)
        wanted = pins_at(placement.pins, as_of, draft.room)
        draft.pin(find_pinned(wanted, candidates, _NOTHING_PINNED if context.own_only else pinned))
    draft.draw(candidates)
    for name in placement.fallbacks:
        found = fallbacks.get(name, ())
        draft.draw(boosted(found, boosts) if boosts else found, fallback=name)
    if placement.pins or placement.boosts or placement.blocks:
        turns += turns_of(placement, as_of)
    shown = insert(draft.shown, draft.pins) if draft.pins else draft.shown
    return Slate(
        items=_to_items(shown, as_of),
        suppressed=draft.suppressed,
        fallback=draft.fallback,
        until=min(turns) if turns else None,
    )


@dataclass
class _Draft:
    """A slate while it fills; `pins` have their positions, from 1, and `fallback` is the first list that filled it."""

    room: int
    rules: Sequence[Rule]
    fallback: str | None = None
    shown: list[_Shown] = field(default_factory=list)
    pins: list[tuple[int, _Shown]] = field(default_factory=list)
    suppressed: dict[str, int] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)

    def pin(self, wanted: Iterable[tuple[int, Candidate]]) -> None:
        """Take pins, by position, that may be shown; they take room, and no list shows them again."""
        for position, candidate in wanted:
            self.seen.add(candidate.product.product_id)
            bare = candidate._replace(probability=None)  # no floor for what the shop wants
            reason = next((why for rule in self.rules if (why := rule(bare)) is not None), None)
            if reason is not None:
                self.suppressed[reason] = self.suppressed.get(reason, 0) + 1
            elif self.room > 0:
                self.room -= 1
                self.pins.append((position, (candidate, None if candidate.source or candidate.own else PINNED)))

    def draw(self, candidates: Iterable[Candidate], fallback: str | None = None) -> None:
        """Take candidates in order until the slate is full."""
        if len(self.shown) >= self.room:
            return
        for candidate in candidates:
            product_id = candidate.product.product_id
            if product_id in self.seen:  # what was left out once does not come back by another list
                continue
            self.seen.add(product_id)
            for rule in self.rules:
                reason = rule(candidate)
                if reason is not None:
                    self.suppressed[reason] = self.suppressed.get(reason, 0) + 1
                    break
            else:
                self.fallback = self.fallback or fallback
                self.shown.append((candidate, fallback))
                if len(self.shown) >= self.room:
                    return


def _to_items(shown: Iterable[_Shown], as_of: datetime) -> tuple[Item, ...]:
    items, today = [], date_of(day_of(as_of.timestamp()))
    for rank, (candidate, fallback) in enumerate(shown, start=1):
        when = None if candidate.own is None else due(candidate.own, as_of)
        reason = explain(candidate, when, today, fallback)
        items.append(_to_item((candidate.product, rank, candidate.kind, candidate.probability, when, reason)))
    return tuple(items)


def _rules(placement: Placement, context: Context, as_of: datetime, turns: list[float]) -> list[Rule]:
    """The chain, without rules that could object to nothing. The first rule that objects names the reason.

    `turns` takes the dates at which `_not_offered` would decide otherwise.
    """
    now = as_of.timestamp()
    chain = [
        partial(_not_offered, now, turns),
        placement.blocks and partial(_blocked, blocks_at(placement.blocks, as_of)),
        context.cart and partial(_listed, context.cart, "in_cart"),
        context.exclude and partial(_listed, context.exclude, "excluded"),
        context.shown and partial(_listed, context.shown, "already_shown"),
        context.not_interested and partial(_listed, context.not_interested, "not_interested"),
        context.categories and partial(_other_category, context.categories),
        partial(_too_soon, day_of(now)),
        context.due_within_days is not None and partial(_due_later, day_of(now) + context.due_within_days),
        placement.min_probability and partial(_low_probability, placement.min_probability),
        # last, as it counts what it lets pass
        placement.max_per_category and partial(_category_cap, placement.max_per_category, {}),
    ]
    return [rule for rule in chain if callable(rule)]


def _not_offered(now: float, turns: list[float], candidate: Candidate) -> str | None:
    """Objects to what is sold out, blocked, or not valid now."""
    product = candidate.product
    if product.in_stock:
        return None
    turns += [date for date in product.dates if date > now]
    return product.objection(now)


def _blocked(blocks: Sequence[Block], candidate: Candidate) -> str | None:
    return "blocked" if is_blocked(candidate.product, blocks) else None


def _listed(product_ids: frozenset[str], reason: str, candidate: Candidate) -> str | None:
    return reason if candidate.product.product_id in product_ids else None


def _other_category(categories: frozenset[str], candidate: Candidate) -> str | None:
    return "other_category" if candidate.product.category not in categories else None


def _too_soon(today: int, candidate: Candidate) -> str | None:
    """Objects while less than NOT_DUE_BEFORE of the product's usual interval has passed, in whole UTC days."""
    if candidate.own is None:
        return None
    elapsed = today - candidate.own.last_day
    # elapsed < NOT_DUE_BEFORE · exp(log_gap), in logarithms so that no published number overflows
    return "not_due" if elapsed <= 0 or math.log(elapsed / NOT_DUE_BEFORE) < candidate.own.log_gap else None


def _due_later(last_day: int, candidate: Candidate) -> str | None:
    """Objects to own products that are due later than on `last_day`."""
    return "not_due" if candidate.own is not None and due_day(candidate.own) > last_day else None


def _low_probability(floor: float, candidate: Candidate) -> str | None:
    return "low_probability" if candidate.probability is not None and candidate.probability < floor else None


def _category_cap(most: int, passed: dict[str, int], candidate: Candidate) -> str | None:
    """Objects to a category that was let pass `most` times; products without a category are not counted."""
    category = candidate.product.category
    if category is None:
        return None
    n_passed = passed.get(category, 0)
    if n_passed >= most:
        return "category_cap"
    passed[category] = n_passed + 1
    return None
