"""A slate: what one answer shows. Candidates go in best first; rules leave some out; the cap ends it.

Pure Python without input or output: it runs on every page of the shop. A short slate, even an empty one, is a right
answer: nothing is put in only to fill it.
"""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType

from recommender.candidates import Candidate, Kind
from recommender.due import Due, due
from recommender.placements import Limit, Placement
from recommender.publication import Product
from recommender.reasons import Reason, explain

NOT_DUE_BEFORE = 0.5
"""Share of its usual interval that must have passed before a product is suggested again."""
_SECONDS_A_DAY = 86_400
_NO_FALLBACKS: Mapping[str, Sequence[Candidate]] = MappingProxyType({})

Rule = Callable[[Candidate], str | None]
"""Why a candidate is left out; None lets it pass."""


@dataclass(frozen=True)
class Context:
    """What the caller knows right now.

    Attributes:
        limit: products asked for and allowed.
        cart: product ids in the cart.
        exclude: product ids that the caller does not want.
        category: only products of this category.
        due_within_days: of the customer's own products, only those due by then.
    """

    limit: Limit
    cart: frozenset[str] = frozenset()
    exclude: frozenset[str] = frozenset()
    category: str | None = None
    due_within_days: int | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One product that is shown. `rank` starts at 1; `due` is None for products that the customer does not own."""

    product: Product
    rank: int
    kind: Kind
    probability: float | None
    due: Due | None
    reason: Reason


@dataclass(frozen=True, slots=True)
class Slate:
    """What one answer shows.

    Attributes:
        items: by rank; may be empty.
        suppressed: reason → number of products left out for it before the slate was full; only counts above 0.
        fallback: the first fallback list that gave a product; None where none did.
    """

    items: tuple[Item, ...]
    suppressed: dict[str, int]
    fallback: str | None


def build_slate(
    candidates: Sequence[Candidate],
    placement: Placement,
    context: Context,
    as_of: datetime,
    fallbacks: Mapping[str, Sequence[Candidate]] = _NO_FALLBACKS,
) -> Slate:
    """The slate for one request: the first candidates that no rule leaves out, then those of the fallbacks.

    Args:
        candidates: best first; a product that comes twice counts once, where it comes first.
        placement: cap, floor and the order of fallbacks.
        context: what the caller knows right now.
        as_of: the moment of the answer, aware.
        fallbacks: name → candidates; looked at only where `candidates` do not reach the limit.
    """
    draft = _Draft(room=min(context.limit.applied, placement.cap), rules=_rules(placement, context, as_of))
    draft.draw(candidates)
    for name in placement.fallbacks:
        draft.draw(fallbacks.get(name, ()), fallback=name)
    return Slate(
        items=tuple(_show(*shown, rank, as_of) for rank, shown in enumerate(draft.shown, start=1)),
        suppressed=dict(draft.suppressed),
        fallback=next((fallback for _, fallback in draft.shown if fallback), None),
    )


@dataclass
class _Draft:
    """A slate while it fills: `shown` holds each candidate with the fallback list that it came from, if any."""

    room: int
    rules: Sequence[Rule]
    shown: list[tuple[Candidate, str | None]] = field(default_factory=list)
    suppressed: Counter[str] = field(default_factory=Counter)
    seen: set[str] = field(default_factory=set)

    def draw(self, candidates: Sequence[Candidate], fallback: str | None = None) -> None:
        """Take candidates in order until the slate is full."""
        for candidate in candidates:
            if len(self.shown) >= self.room:
                return
            if candidate.product.product_id in self.seen:  # what was left out once does not come back by another list
                continue
            self.seen.add(candidate.product.product_id)
            reason = self._objection(candidate)
            if reason is None:
                self.shown.append((candidate, fallback))
            else:
                self.suppressed[reason] += 1

    def _objection(self, candidate: Candidate) -> str | None:
        for rule in self.rules:
            reason = rule(candidate)
            if reason is not None:
                return reason
        return None


def _show(candidate: Candidate, fallback: str | None, rank: int, as_of: datetime) -> Item:
    when = None if candidate.own is None else due(candidate.own, as_of)
    return Item(
        product=candidate.product,
        rank=rank,
        kind=candidate.kind,
        probability=candidate.probability,
        due=when,
        reason=explain(candidate, when, as_of, fallback),
    )


def _rules(placement: Placement, context: Context, as_of: datetime) -> list[Rule]:
    """The chain. The first rule that objects names the reason."""
    return [
        _out_of_stock,
        _listed(context.cart, "in_cart"),
        _listed(context.exclude, "excluded"),
        _other_category(context.category),
        _too_soon(as_of),
        _due_later(context.due_within_days, as_of),
        _low_probability(placement.min_probability),
        _category_cap(placement.max_per_category),  # last: it counts what it lets pass
    ]


def _out_of_stock(candidate: Candidate) -> str | None:
    return None if candidate.product.in_stock else "out_of_stock"


def _listed(product_ids: frozenset[str], reason: str) -> Rule:
    return lambda candidate: reason if candidate.product.product_id in product_ids else None


def _other_category(category: str | None) -> Rule:
    return lambda candidate: "other_category" if category not in (None, candidate.product.category) else None


def _too_soon(as_of: datetime) -> Rule:
    """Objects while less than NOT_DUE_BEFORE of the product's usual interval has passed, in whole UTC days."""
    today = as_of.timestamp() // _SECONDS_A_DAY

    def rule(candidate: Candidate) -> str | None:
        if candidate.own is None:
            return None
        elapsed = today - candidate.own.last_day
        # elapsed < NOT_DUE_BEFORE · exp(log_gap), in logarithms so that no published number overflows
        return "not_due" if elapsed <= 0 or math.log(elapsed / NOT_DUE_BEFORE) < candidate.own.log_gap else None

    return rule


def _due_later(days: int | None, as_of: datetime) -> Rule:
    """Objects to own products that are due later than `days` from now; with None, to nothing."""
    today = as_of.astimezone(UTC).date()

    def rule(candidate: Candidate) -> str | None:
        if days is None or candidate.own is None:
            return None
        return "not_due" if (due(candidate.own, as_of).at - today).days > days else None

    return rule


def _low_probability(floor: float) -> Rule:
    return lambda candidate: (
        "low_probability" if candidate.probability is not None and candidate.probability < floor else None
    )


def _category_cap(most: int | None) -> Rule:
    """Objects to a category that was let pass `most` times; products without a category are not counted."""
    passed: Counter[str] = Counter()

    def rule(candidate: Candidate) -> str | None:
        category = candidate.product.category
        if category is None:
            return None
        if most is not None and passed[category] >= most:
            return "category_cap"
        passed[category] += 1
        return None

    return rule
