"""Which published lists an answer reads, all at once, and in which order their products are considered."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain
from types import MappingProxyType
from typing import Literal, NamedTuple

from recommender.errors import UnknownProductError
from recommender.publication.lists import Basis, ListKey
from recommender.slate.candidates import Candidate, Kind, by_name, candidates_of, candidates_of_all, fallback_keys
from recommender.slate.customer_view import CustomerView, Identity
from recommender.slate.placements import Mix, Placement
from recommender.slate.reading import FetchedLists
from recommender.slate.recent_activity import NOTHING, ActivityEffects

FallbackReason = Literal[
    "unknown_customer", "cold_product", "too_few_candidates", "model_not_ready", "store_unavailable", "holdout"
]
_NONE: Mapping[str, Iterable[Candidate]] = MappingProxyType({})
LISTS_PER_FIELD = 20
"""Of a long cart or history, the last so many products have their lists read: one answer stays one small read."""


class Choice(NamedTuple):
    """What might be shown, before any rule.

    Attributes:
        candidates: best first; made as they are drawn, so they can be looked at once.
        fallbacks: name → candidates for a slate that is too short.
        fallback_reason: why the candidates are not what was asked for; None where they are.
        used: the list whose best sellers `candidates` are, in place of what was asked for; None where they are that.
        live: what the person's recent events say.
    """

    candidates: Iterable[Candidate]
    fallbacks: Mapping[str, Iterable[Candidate]] = _NONE
    fallback_reason: FallbackReason | None = None
    used: str | None = None
    live: ActivityEffects = NOTHING

    def without_fallbacks(self) -> "Choice":
        """Only what was asked for: nothing that stands in for it, and nothing that fills the slate up."""
        return self._replace(candidates=() if self.used else self.candidates, fallbacks=_NONE, used=None)


class RetrievalPlan(NamedTuple):
    """The lists to read, and what to make of them in a placement at a moment.

    Attributes:
        keys: the lists.
        choose: makes candidates of them.
        people: whose recent events count, by `digest_of_person`.
    """

    keys: Sequence[ListKey]
    choose: Callable[[FetchedLists, Placement, datetime], Choice]
    people: Sequence[str] = ()


def product_plan(key: ListKey, kind: Kind) -> RetrievalPlan:
    """One product's `similar` or `together` list. `choose` raises UnknownProductError where there is none."""

    def choose(reading: FetchedLists, _: Placement, __: datetime) -> Choice:
        found = reading.lists[key]
        if found is None:
            raise UnknownProductError(
                f"no product {key.owner_id!r} in version {reading.version}; check the id, or publish a version with it"
            )
        candidates = candidates_of(reading, key, kind)
        if found.basis is Basis.MODEL:
            return Choice(candidates)
        return Choice(candidates, fallback_reason="cold_product", used=found.basis.name.lower())

    return RetrievalPlan([key], choose)


def popular_plan(categories: tuple[str, ...] = ()) -> RetrievalPlan:
    """What sells more than usual, then what sells best; in some categories or the whole shop."""
    keys = fallback_keys(categories)

    def choose(reading: FetchedLists, _: Placement, __: datetime) -> Choice:
        candidates = chain.from_iterable(candidates_of_all(reading, same, "popular") for same in by_name(keys).values())
        return Choice(
            candidates, fallback_reason=None if any(reading.lists[key] for key in keys) else "too_few_candidates"
        )

    return RetrievalPlan(keys, choose)


def personal_plan(customer_id: str, mix: Mix | None, categories: tuple[str, ...] = ()) -> RetrievalPlan:
    """One customer's own lists; best sellers where they are too short, unless only own products are wanted.

    Without a `mix`, the placement's own counts. A few products that go with the cart or the last order lead; the rest
    of these, and what resembles the products viewed, come last.
    """
    identity = Identity(customer_id)
    fallbacks = fallback_keys(categories)

    def choose(reading: FetchedLists, placement: Placement, now: datetime) -> Choice:
        view, wanted = identity.look(reading, now), mix or placement.mix
        lists = [view.personal(wanted, placement)]
        if wanted != "buy_again" and view.live is not NOTHING:
            lists = _with_what_is_live(view, lists, placement)
        return _choose(view, lists, fallbacks, wanted, tire=placement.tire)

    return RetrievalPlan([*identity.own, *fallbacks], choose, identity.people)


def session_plan(
    customer_id: str | None,
    session_id: str | None,
    *,
    cart: Sequence[str],
    viewed: Sequence[str],
    categories: tuple[str, ...] = (),
    cart_first: bool,
) -> RetrievalPlan:
    """A cart, a history of views (both oldest first), a customer and a session, as far as they are known.

    What goes with the cart leads where that is wanted, else the customer's own lists; what resembles the products
    viewed comes last. A product that the customer bought before is shown as such wherever it comes
    from, so that what was just bought is not suggested. What recent events put into the cart is added, see
    `personal_plan`.
    """
    identity = Identity(customer_id, session_id)
    fallbacks = fallback_keys(categories)
    cart, viewed = _last(cart), _last(viewed)
    named = [*(ListKey("together", one) for one in cart), *(ListKey("similar", one) for one in viewed)]
    keys = [*identity.own, *named, *fallbacks]

    def choose(reading: FetchedLists, placement: Placement, now: datetime) -> Choice:
        view = identity.look(reading, now)
        names = _titles(reading, keys) if named else {}
        personal = view.personal(placement.mix, placement)
        leads = [*cart, *(one for one in view.live.lead if one not in cart)] if cart_first else cart
        complements = view.related("together", "complement", leads, lambda one: names.get(one) or view.title_of(one))
        similar = view.related("similar", "similar", viewed, names.get)
        if cart_first:
            lists = [complements, personal, similar, _like_viewed(view)]
        else:
            lists = _with_what_is_live(view, [personal, complements, similar], placement)
        return _choose(view, lists, fallbacks, placement.mix, tire=placement.tire)

    return RetrievalPlan(keys, choose, identity.people)


def _with_what_is_live(
    view: CustomerView, lists: Sequence[Iterator[Candidate]], placement: Placement
) -> list[Iterator[Candidate]]:
    """`lists` behind a few complements of the cart and the last order, and before all else that these lead to."""
    complements = view.related("together", "complement", view.live.lead, view.title_of)
    return [view.leading(complements, placement), *lists, _like_viewed(view), complements]


def _like_viewed(view: CustomerView) -> Iterator[Candidate]:
    return view.related("similar", "similar", view.live.viewed, view.title_of)


def _last(product_ids: Sequence[str]) -> list[str]:
    """The last LISTS_PER_FIELD different ids, latest first."""
    return list(dict.fromkeys(reversed(product_ids)))[:LISTS_PER_FIELD]


def _titles(reading: FetchedLists, keys: Sequence[ListKey]) -> dict[str, str | None]:
    """Titles by product id, of the products on these lists."""
    indices = {record.product_index for key in keys for record in reading.lists[key] or ()}
    products = (reading.products.find(index) for index in indices)
    return {product.product_id: product.title for product in products if product is not None}


def _choose(
    view: CustomerView, lists: Sequence[Iterable[Candidate]], fallbacks: tuple[ListKey, ...], mix: Mix, *, tire: bool
) -> Choice:
    wanted = _new if mix == "discover" else iter
    in_order = view.sink if tire and view.live.tired else iter
    stand_ins: dict[str, Iterable[Candidate]] = {}
    for name, keys in by_name(() if mix == "buy_again" else fallbacks).items():
        stand_ins[name] = in_order(wanted(candidates_of_all(view.reading, keys, "popular", view.bought)))
    return Choice(
        candidates=in_order(wanted(chain.from_iterable(lists))),
        fallbacks=stand_ins,
        fallback_reason="unknown_customer" if view.unknown else None,
        live=view.live,
    )


def _new(candidates: Iterable[Candidate]) -> Iterator[Candidate]:
    """Those that were not bought before."""
    return (candidate for candidate in candidates if candidate.own is None)
