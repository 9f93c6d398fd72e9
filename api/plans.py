"""Which published lists an answer reads, all at once, and in which order their products are considered."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from api.schemas import FallbackReason, RecommendationBody
from recommender.candidates import Candidate, Kind, candidates_of, merge_by_probability
from recommender.errors import UnknownProductError
from recommender.placements import Mix, Placement
from recommender.publication import WHOLE_SHOP, Basis, ListKey
from recommender.store import Reading

LISTS_PER_FIELD = 20
"""Of a long cart or history, the last so many products have their lists read: one answer stays one small read."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What might be shown, before any rule.

    Attributes:
        candidates: best first.
        fallbacks: name → candidates for a slate that is too short.
        shortfall: why the candidates are not what was asked for; None where they are.
        used: what stands in for them already; None leaves it to `fallbacks`.
    """

    candidates: Sequence[Candidate]
    fallbacks: Mapping[str, Sequence[Candidate]] = field(default_factory=dict)
    shortfall: FallbackReason | None = None
    used: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """The lists to read, and what to make of them."""

    keys: Sequence[ListKey]
    choose: Callable[[Reading], Choice]


def product_plan(key: ListKey, kind: Kind) -> Plan:
    """One product's `similar` or `together` list. `choose` raises UnknownProductError where there is none."""

    def choose(reading: Reading) -> Choice:
        found = reading.lists[key]
        if found is None:
            raise UnknownProductError(
                f"no product {key.owner_id!r} in version {reading.version}; check the id, or publish a version with it"
            )
        candidates = candidates_of(reading, key, kind)
        if found.basis is Basis.MODEL:
            return Choice(candidates)
        return Choice(candidates, shortfall="cold_product", used=found.basis.name.lower())

    return Plan([key], choose)


def popular_plan(category: str | None) -> Plan:
    """What sells more than usual, then what sells best; in one category or the whole shop."""
    keys = _fallback_keys(category)

    def choose(reading: Reading) -> Choice:
        candidates = [candidate for key in keys for candidate in candidates_of(reading, key, "popular")]
        return Choice(candidates, shortfall=None if candidates else "too_few_candidates")

    return Plan(keys, choose)


def personal_plan(customer_id: str, mix: Mix, category: str | None) -> Plan:
    """One customer's own lists; best sellers where they are too short, unless only own products are wanted."""
    own, fallbacks = _own_keys(customer_id), _fallback_keys(category)
    return Plan([*own, *fallbacks], lambda reading: _choose(reading, [_mixed(reading, own, mix)], own, fallbacks, mix))


def session_plan(body: RecommendationBody, placement: Placement) -> Plan:
    """A cart, a history of views and a customer, as far as they are known.

    Placement `cart` leads with what goes with the cart, every other with the customer's own lists; what resembles
    the products viewed comes last. A product that the customer bought before is shown as such wherever it comes
    from, so that what was just bought is not suggested.
    """
    own = _own_keys(body.customer_id) if body.customer_id is not None else []
    together = [ListKey("together", product_id) for product_id in _last(body.cart)]
    similar = [ListKey("similar", product_id) for product_id in _last(body.recently_viewed)]
    fallbacks = _fallback_keys(body.category)

    def choose(reading: Reading) -> Choice:
        personal = _mixed(reading, own, placement.mix)
        complements = _by_score(reading, together, "complement")
        lead = [complements, personal] if body.placement == "cart" else [personal, complements]
        return _choose(reading, [*lead, _by_score(reading, similar, "similar")], own, fallbacks, placement.mix)

    return Plan([*own, *together, *similar, *fallbacks], choose)


def _own_keys(customer_id: str) -> list[ListKey]:
    return [ListKey("buy_again", customer_id), ListKey("discover", customer_id)]


def _fallback_keys(category: str | None) -> list[ListKey]:
    owner = category or WHOLE_SHOP
    return [ListKey("trending", owner), ListKey("popular", owner)]


def _last(product_ids: Sequence[str]) -> list[str]:
    """The last LISTS_PER_FIELD different ids, latest first."""
    return list(dict.fromkeys(reversed(product_ids)))[:LISTS_PER_FIELD]


def _mixed(reading: Reading, own: Sequence[ListKey], mix: Mix) -> list[Candidate]:
    lists = {
        key.name: candidates_of(reading, key, "buy_again" if key.name == "buy_again" else "discover") for key in own
    }
    if mix == "auto":
        return merge_by_probability(lists.get("buy_again", []), lists.get("discover", []))
    return lists.get(mix, [])


def _by_score(reading: Reading, keys: Sequence[ListKey], kind: Kind) -> list[Candidate]:
    """The learned lists of several products in one order of score; those filled with best sellers are left out."""
    names = {product.product_id: product.title for product in reading.products.values()} if keys else {}
    scored: list[tuple[float, Candidate]] = []
    for key in keys:
        found = reading.lists[key]
        if found is not None and found.basis is Basis.MODEL:
            candidates = candidates_of(reading, key, kind, because=names.get(key.owner_id) or key.owner_id)
            scored += zip((record.score for record in found.records), candidates, strict=True)
    return [candidate for _, candidate in sorted(scored, key=lambda pair: -pair[0])]


def _choose(
    reading: Reading,
    lists: Sequence[Sequence[Candidate]],
    own: Sequence[ListKey],
    fallbacks: Sequence[ListKey],
    mix: Mix,
) -> Choice:
    unknown = bool(own) and all(reading.lists[key] is None for key in own)
    bought = {candidate.product.product_id: candidate for candidate in _mixed(reading, own, "buy_again")}
    return Choice(
        candidates=[known for candidates in lists for known in _recognise(candidates, bought, mix)],
        fallbacks={}
        if mix == "buy_again"
        else {key.name: _recognise(candidates_of(reading, key, "popular"), bought, mix) for key in fallbacks},
        shortfall="unknown_customer" if unknown else None,
    )


def _recognise(candidates: Sequence[Candidate], bought: Mapping[str, Candidate], mix: Mix) -> list[Candidate]:
    """Products bought before as such, with their rhythm; or without them, where only new ones are wanted."""
    if mix == "discover":
        return [candidate for candidate in candidates if candidate.product.product_id not in bought]
    return [bought.get(candidate.product.product_id, candidate) for candidate in candidates]
