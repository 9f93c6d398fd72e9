"""The picks of one mail: candidates in the order that suits the audience, the rules of the placement, and rotation."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import NamedTuple

from recommender.campaigns.audiences import Person, due_now, past_due
from recommender.days import day_of
from recommender.experiments.treatment import UNTREATED, Treatment
from recommender.publication.lists import ListKey
from recommender.publication.product import Product
from recommender.slate.candidates import Candidate, fallback_candidates
from recommender.slate.customer_view import CustomerView
from recommender.slate.placements import Limit, Mix, Placement, clamp_limit
from recommender.slate.reading import FetchedLists
from recommender.slate.slate import Context, Item, build_slate
from recommender.storage.campaign import Campaign, Picks
from recommender.storage.contacts import ContactState

SPARES = 3
"""Products behind the picks, for slots whose product is gone when the mail is opened."""
LAST_MAILS = 3
"""What so many of the last mails showed in vain stands behind all else, what was shown last at the very end."""
_PADDED = frozenset({"everyone", "win_back"})
"""Audiences of whom many buy too little to fill a mail, and whom it may tell what sells; so may a list's."""


class Member(NamedTuple):
    """Somebody in the audience: who, what was read, and why."""

    person: Person
    look: CustomerView
    why: str

    @property
    def customer_id(self) -> str:
        """The shop's own."""
        return self.person.profile.customer_id


@dataclass(frozen=True)
class Picker:
    """Makes the picks of one campaign.

    Attributes:
        campaign: whose.
        placement: cap, floor and rules of the mails.
        placements: others that an experiment may try, by name.
        selling: what sells in the shop.
        pinned: products that `placement` pins, by id.
    """

    campaign: Campaign
    placement: Placement
    placements: Mapping[str, Placement]
    selling: FetchedLists
    pinned: Mapping[str, Product]

    def pick(
        self, member: Member, standing: ContactState, treatment: Treatment = UNTREATED, variant: str | None = None
    ) -> Picks | None:
        """One customer's picks; None where nothing is good enough.

        Best sellers alone are no reason for a mail, and a mail about what is due, or about the last order, needs a
        product for that: one that the last mails reminded of in vain stands behind all others, and is no reason again.

        Args:
            member: to whom.
            standing: what the customer was shown before, and has under subscription.
            treatment: what is different for the customer.
            variant: of the experiment.
        """
        placement = self._placement(treatment)
        limit = clamp_limit(placement, treatment.default_limit or self.campaign.slots)
        shown = shown_in_vain(standing, self.campaign, member.look)
        padded = self.campaign.audience in _PADDED or ":" in self.campaign.audience
        lead = list(self._lead(member, limit.applied))
        slate = build_slate(
            sink(_BY_MIX[placement.mix](chain(lead, member.look.personal(placement.mix, placement))), shown),
            _with_spares(placement, limit.applied),
            Context(
                Limit(requested=None, applied=limit.applied + SPARES, cap=limit.cap),
                exclude=standing.subscriptions,
                not_interested=member.look.live.hidden,
            ),
            self.campaign.begun_at,
            self._fallbacks(member.look, shown) if padded and placement.mix != "buy_again" else {},
            pinned=self.pinned,
        )
        items = slate.items[: limit.applied]
        if not self._is_worth_a_mail(items, lead):
            return None
        spares = tuple(item.product.product_id for item in slate.items[limit.applied :])
        return Picks(member.customer_id, items, spares, variant)

    def _is_worth_a_mail(self, items: Sequence[Item], lead: Sequence[Candidate]) -> bool:
        """Whether something is in it that is personal, and that the mail is about, if it is about something."""
        if self.campaign.audience not in _ABOUT:
            return any(item.kind != "popular" for item in items)
        about = {candidate.product.product_id for candidate in lead}
        return any(item.product.product_id in about for item in items)

    def _placement(self, treatment: Treatment) -> Placement:
        other = self.placements.get(treatment.placement or "")
        return treatment.treat(other or self.placement)

    def _lead(self, member: Member, slots: int) -> Iterable[Candidate]:
        lead = _LEADS.get(self.campaign.audience)
        return lead(member, slots) if lead else ()

    def _fallbacks(self, look: CustomerView, shown: Mapping[str, float]) -> dict[str, Iterable[Candidate]]:
        selling = fallback_candidates(self.selling, bought=look.bought)
        return {name: sink(candidates, shown) for name, candidates in selling.items()}


def lists_to_lead(audience: str, members: Iterable[Member]) -> list[ListKey]:
    """Lists of products that the picks of an audience need besides the customers' own."""
    if audience != "post_purchase":
        return []
    bought = (candidate.product.product_id for member in members for candidate in member.person.last_order)
    return [ListKey("together", product_id) for product_id in dict.fromkeys(bought)]


def shown_in_vain(standing: ContactState, campaign: Campaign, look: CustomerView) -> dict[str, float]:
    """Product → when one of the LAST_MAILS showed it last, in seconds since 1970, if it was not bought since.

    The campaign's own mail and all after its beginning are left out, so that it can be run again.
    """
    before = (mail for mail in standing.mails if mail.campaign_id != campaign.campaign_id)
    shown: dict[str, float] = {}
    for mail in [mail for mail in before if mail.at <= campaign.begun_at][:LAST_MAILS]:
        for product_id in mail.product_ids:
            shown.setdefault(product_id, mail.at.timestamp())
    if shown:
        bought = {one.product.product_id: one.own.last_day for one in look.on(look.own[0], "buy_again") if one.own}
        shown = {one: at for one, at in shown.items() if bought.get(one, -1) < day_of(at)}
    return shown


def sink(candidates: Iterable[Candidate], shown: Mapping[str, float]) -> Iterator[Candidate]:
    """The same candidates, those of `shown` behind the others and what was shown longest ago first."""
    held = []
    for candidate in candidates:
        if candidate.product.product_id in shown:
            held.append(candidate)
        else:
            yield candidate
    yield from sorted(held, key=lambda candidate: shown[candidate.product.product_id])


def _due(member: Member, slots: int) -> Sequence[Candidate]:  # noqa: ARG001 - so that leads are alike
    return due_now(member.person)


def _past(member: Member, slots: int) -> Sequence[Candidate]:  # noqa: ARG001
    return past_due(member.person)


def _favourites(member: Member, slots: int) -> Sequence[Candidate]:
    """What was bought most often, for half of the mail."""
    own = [candidate for candidate in member.person.own if candidate.own is not None]
    return sorted(own, key=lambda one: -one.own.purchases if one.own else 0)[: math.ceil(slots / 2)]


def _complements(member: Member, slots: int) -> Iterator[Candidate]:  # noqa: ARG001
    """What goes with the last order and was never bought."""
    names = {one.product.product_id: one.product.title for one in member.person.last_order}
    found = member.look.related("together", "complement", names, names)
    return (candidate for candidate in found if candidate.own is None)


_LEADS: dict[str, Callable[[Member, int], Iterable[Candidate]]] = {
    "due_soon": _due,
    "overdue": _past,
    "win_back": _favourites,
    "post_purchase": _complements,
}
"""What comes before the customer's own lists, by audience."""
_ABOUT = frozenset({"due_soon", "overdue", "post_purchase"})
"""Audiences whose mails are about what leads them; others are about no one thing."""


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
    """A pin counts for the picks, not for the spares behind them."""
    pins = tuple(pin for pin in placement.pins if pin.position <= slots)
    return placement.model_copy(update={"cap": slots + SPARES, "pins": pins})
