"""Picks of one mail: candidates in the order of the audience, the rules of the placement, and rotation over mails."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, islice
from typing import NamedTuple

from recommender.campaigns.audiences import Person, due_now, past_due
from recommender.days import day_of
from recommender.experiments.treatment import UNTREATED, Treatment
from recommender.publication.lists import ListKey
from recommender.publication.product import Product
from recommender.slate.candidates import Candidate, candidates_of_all, fallback_candidates
from recommender.slate.customer_view import CustomerView
from recommender.slate.placements import Limit, Mix, Placement, clamp_limit
from recommender.slate.reading import FetchedLists
from recommender.slate.slate import Context, Item, build_slate
from recommender.storage.campaign import Campaign, Picks
from recommender.storage.contacts import ContactState

SPARES = 3
"""Products behind the picks, for slots whose product is gone when the mail is opened."""
WIN_BACK_FLOOR = 0.0
"""`min_probability` of mails to those who are lost, whatever the placement says."""
MOST_CATEGORIES = 3
"""Categories of a customer whose best sellers a mail to win back may show."""
LAST_MAILS = 3
"""Products that so many of the last mails showed in vain stand behind all others, the last shown at the very end."""
_PADDED = frozenset({"everyone", "win_back"})
"""Audiences of whom many buy too little to fill a mail: best sellers may fill it, as they may for a list."""


class Member(NamedTuple):
    """A customer in the audience.

    Attributes:
        person: profile, own products and the moment.
        view: the lists that were read for the customer.
        why: the reason to be in the audience; "" for a customer who is not.
    """

    person: Person
    view: CustomerView
    why: str

    @property
    def customer_id(self) -> str:
        """The shop's id of the customer."""
        return self.person.profile.customer_id


@dataclass(frozen=True)
class Picker:
    """Picks of one campaign, one customer at a time.

    Attributes:
        campaign: audience, slots, version and moment.
        placement: cap, floor and rules of the mails.
        placements: others that an experiment may try, by name.
        best_sellers: the lists that stand in for a customer's own.
        pinned: products that `placement` pins, by id.
    """

    campaign: Campaign
    placement: Placement
    placements: Mapping[str, Placement]
    best_sellers: FetchedLists
    pinned: Mapping[str, Product]

    def pick(
        self, member: Member, contact_state: ContactState, treatment: Treatment = UNTREATED, variant: str | None = None
    ) -> Picks | None:
        """The picks of one customer; None where no product is worth a mail.

        Best sellers of the shop alone are no reason for a mail, and a mail about what is due, or about the last order,
        needs a product for that: one that the last mails reminded of in vain stands behind all others, and is no reason
        again.

        Args:
            member: to whom.
            contact_state: the last mails to the customer, and the products under subscription.
            treatment: what experiments change for the customer.
            variant: of the experiment.
        """
        placement = self._placement(treatment)
        limit = clamp_limit(placement, treatment.default_limit or self.campaign.slots)
        shown = shown_in_vain(contact_state, self.campaign, member.view)
        padded = self.campaign.audience in _PADDED or ":" in self.campaign.audience
        lead = list(self._lead(member, limit.applied))
        slate = build_slate(
            sink(_BY_MIX[placement.mix](chain(lead, member.view.personal(placement.mix, placement))), shown),
            _with_spares(placement, limit.applied),
            Context(
                Limit(requested=None, applied=limit.applied + SPARES, cap=limit.cap),
                exclude=contact_state.subscriptions,
                not_interested=member.view.live.hidden,
            ),
            self.campaign.begun_at,
            self._fallbacks(member.view, shown) if padded and placement.mix != "buy_again" else {},
            pinned=self.pinned,
        )
        items = slate.items[: limit.applied]
        if not self._is_worth_a_mail(items, lead):
            return None
        spares = tuple(item.product.product_id for item in slate.items[limit.applied :])
        return Picks(member.customer_id, items, spares, variant)

    def _is_worth_a_mail(self, items: Sequence[Item], lead: Sequence[Candidate]) -> bool:
        """Whether a product of the lead is among `items`; but for an audience of _ABOUT, a personal one will do."""
        about = {candidate.product.product_id for candidate in lead}
        personal = self.campaign.audience not in _ABOUT
        return any(item.product.product_id in about or (personal and item.kind != "popular") for item in items)

    def _placement(self, treatment: Treatment) -> Placement:
        placement = self.placements.get(treatment.placement or "") or self.placement
        floor = floor_of(self.campaign.audience, placement)
        return treatment.treat(placement.model_copy(update={"min_probability": floor}))

    def _lead(self, member: Member, slots: int) -> Iterable[Candidate]:
        lead = _LEADS.get(self.campaign.audience)
        return lead(member, slots) if lead else ()

    def _fallbacks(self, view: CustomerView, shown: Mapping[str, float]) -> dict[str, Iterable[Candidate]]:
        fallbacks = fallback_candidates(self.best_sellers, bought=view.bought)
        return {name: sink(candidates, shown) for name, candidates in fallbacks.items()}


def floor_of(audience: str, placement: Placement) -> float:
    """The probability under which no personal product is good enough for a mail.

    Who is lost is unlikely to buy anything, and is written to because of that.
    """
    return WIN_BACK_FLOOR if audience == "win_back" else placement.min_probability


def lists_to_lead(audience: str, members: Iterable[Member]) -> list[ListKey]:
    """Keys of the lists that the picks of an audience need besides the customers' own; [] for most audiences."""
    if audience == "win_back":
        return list(dict.fromkeys(key for member in members for key in _own_categories(member)))
    if audience != "post_purchase":
        return []
    bought = (candidate.product.product_id for member in members for candidate in member.person.last_order)
    return [ListKey("together", product_id) for product_id in dict.fromkeys(bought)]


def shown_in_vain(contact_state: ContactState, campaign: Campaign, view: CustomerView) -> dict[str, float]:
    """Product → when one of the LAST_MAILS showed it last, in seconds since 1970, if it was not bought since.

    The campaign's own mail and all after its beginning are left out, so that it can be run again.
    """
    before = (mail for mail in contact_state.mails if mail.campaign_id != campaign.campaign_id)
    shown: dict[str, float] = {}
    for mail in [mail for mail in before if mail.at <= campaign.begun_at][:LAST_MAILS]:
        for product_id in mail.product_ids:
            shown.setdefault(product_id, mail.at.timestamp())
    if shown:
        own = view.on(view.own[0], "buy_again")
        bought = {candidate.product.product_id: candidate.own.last_day for candidate in own if candidate.own}
        shown = {product_id: at for product_id, at in shown.items() if bought.get(product_id, -1) < day_of(at)}
    return shown


def sink(candidates: Iterable[Candidate], shown: Mapping[str, float]) -> Iterator[Candidate]:
    """The same candidates, those in `shown` behind the others, and of these the one shown longest ago first."""
    behind = []
    for candidate in candidates:
        if candidate.product.product_id in shown:
            behind.append(candidate)
        else:
            yield candidate
    yield from sorted(behind, key=lambda candidate: shown[candidate.product.product_id])


def _due(member: Member, slots: int) -> Sequence[Candidate]:  # noqa: ARG001 - so that leads are alike
    return due_now(member.person)


def _past(member: Member, slots: int) -> Sequence[Candidate]:  # noqa: ARG001
    return past_due(member.person)


def _favourites(member: Member) -> list[Candidate]:
    """Own products, those bought most often first."""
    own = [candidate for candidate in member.person.own if candidate.own is not None]
    return sorted(own, key=lambda candidate: -candidate.own.purchases if candidate.own else 0)


def _own_categories(member: Member) -> list[ListKey]:
    """The best sellers of the categories that somebody bought from most often."""
    categories = dict.fromkeys(one.product.category for one in _favourites(member) if one.product.category)
    return [ListKey("popular", category) for category in list(categories)[:MOST_CATEGORIES]]


def _missed(member: Member, slots: int) -> Iterator[Candidate]:
    """Favourites for half of the mail, then what sells best in their categories and was never bought."""
    yield from _favourites(member)[: math.ceil(slots / 2)]
    known = [key for key in _own_categories(member) if key in member.view.reading.lists]
    best = _new(candidates_of_all(member.view.reading, known, "popular", member.view.bought)) if known else iter(())
    yield from islice(best, slots + SPARES)


def _complements(member: Member, slots: int) -> Iterator[Candidate]:  # noqa: ARG001
    """Complements of the last order that were never bought."""
    titles = {candidate.product.product_id: candidate.product.title for candidate in member.person.last_order}
    return _new(member.view.related("together", "complement", titles, titles.get))


_LEADS: dict[str, Callable[[Member, int], Iterable[Candidate]]] = {
    "due_soon": _due,
    "overdue": _past,
    "win_back": _missed,
    "post_purchase": _complements,
}
"""Audience → the candidates that lead its picks, before the customer's own lists."""
_ABOUT = frozenset({"due_soon", "overdue", "post_purchase"})
"""Audiences whose mails need a product of their lead."""


def _own(candidates: Iterator[Candidate]) -> Iterator[Candidate]:
    return (candidate for candidate in candidates if candidate.own is not None)


def _new(candidates: Iterator[Candidate]) -> Iterator[Candidate]:
    return (candidate for candidate in candidates if candidate.own is None)


_BY_MIX: dict[Mix, Callable[[Iterator[Candidate]], Iterator[Candidate]]] = {
    "auto": iter,
    "buy_again": _own,
    "discover": _new,
}


@lru_cache(maxsize=64)
def _with_spares(placement: Placement, slots: int) -> Placement:
    """`placement` with room for the spares; its pins count for the picks alone."""
    pins = tuple(pin for pin in placement.pins if pin.position <= slots)
    return placement.model_copy(update={"cap": slots + SPARES, "pins": pins})
