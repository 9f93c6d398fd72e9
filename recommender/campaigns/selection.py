"""One walk over the customers of a version: who is in the audience, what each is shown, and who may be written to."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import NamedTuple

from recommender.campaigns.audiences import Person, find_audience
from recommender.campaigns.context import PLACEMENT, CampaignContext
from recommender.campaigns.customer_list import CustomerList
from recommender.campaigns.picker import Member, Picker, lists_to_lead
from recommender.campaigns.version_view import VersionView
from recommender.days import midnight_of
from recommender.errors import VersionNotFoundError
from recommender.experiments.experiment import HOLDOUT, Assignment, assignments
from recommender.experiments.exposure import exposure_event
from recommender.experiments.treatment import combine
from recommender.publication.profile import Profile
from recommender.storage.campaign import Campaign, Picks
from recommender.storage.contacts import Claim, ContactState, Refusal, refusal

NOTHING = "nothing_good_enough"
"""No product may be shown that is worth a mail."""
FOLLOW_BLOCKS = 16
"""What the shop says of its products is looked at again after so many blocks: about a thousand customers."""


class Decision(NamedTuple):
    """What comes of one customer: picks, or the reason why there is no mail; exactly one of the two is None.

    Reasons: `nothing_good_enough`, `holdout`, and those of `recommender.storage.contacts.Refusal`.
    """

    customer_id: str
    picks: Picks | None
    reason: str | None


class Batch(NamedTuple):
    """One block of customers.

    Attributes:
        number: from 0.
        considered: customers who were looked at; of a list, those whom the version knows.
        outcomes: of those in the audience, by rising customer_id.
        why: why each of these is in the audience, by customer_id.
    """

    number: int
    considered: int
    outcomes: Sequence[Decision]
    why: Mapping[str, str]


class Selection:
    """One walk over the blocks of a version. Arguments as those of `recommender.campaigns.run.run_campaign`."""

    def __init__(
        self,
        campaign: Campaign,
        context: CampaignContext,
        *,
        at: datetime,
        customers: CustomerList | None = None,
        rehearse: bool = False,
    ) -> None:
        self.version = VersionView(context.store, campaign.version)
        self._campaign = campaign
        self._desk = context
        self._customers = customers
        self._at = at
        self._rehearse = rehearse
        self._audience = find_audience(campaign.audience)
        self._others: dict[str, VersionView] = {}
        self._done = 0
        # the variant that is told is of an experiment on this campaign, where there is one
        self._experiments = sorted(context.experiments, key=lambda one: campaign.campaign_id not in one.campaigns)
        self._picker = self._make_picker()

    def _make_picker(self) -> Picker:
        context, pins = self._desk, self._desk.placement.pins
        pinned = self.version.find_products([pin.product_id for pin in pins])
        return Picker(self._campaign, context.placement, context.placements, self.version.fallbacks(), pinned)

    def _follow(self) -> None:
        """Take note of what the shop said of its products meanwhile."""
        for version in (self.version, *self._others.values()):
            version.follow()
        self._picker = self._make_picker()

    def block(self, number: int) -> Batch:
        """Go through one block of customers, and claim a contact for everyone who gets picks."""
        self._done += 1
        if self._done % FOLLOW_BLOCKS == 0:
            self._follow()
        profiles = self._listed(self.version.profiles(number))
        members = self._members(profiles)
        outcomes = self._outcomes(members) if members else []
        return Batch(number, len(profiles), outcomes, {member.customer_id: member.why for member in members})

    def _listed(self, profiles: Sequence[Profile]) -> Sequence[Profile]:
        """Those whom the campaign is for: all, or the customers of its list."""
        listed = self._customers
        return profiles if listed is None else [one for one in profiles if one.customer_id in listed]

    def _members(self, profiles: Sequence[Profile]) -> list[Member]:
        if self._audience.by_profile:
            profiles = [one for one in profiles if self._audience.why(Person(one, (), self._campaign.begun_at))]
        found = [] if not profiles else self._look(self.version, profiles)
        return [member for member in found if member.why]

    def _look(self, version: VersionView, profiles: Sequence[Profile]) -> list[Member]:
        """Everybody of `profiles`, with no `why` for who is not in the audience."""
        looks = version.looks([profile.customer_id for profile in profiles], self._campaign.begun_at)
        found = []
        for profile, look in zip(profiles, looks, strict=True):
            known = profile.after([line.day for line in look.live.orders.lines])
            person = Person(known, list(look.on(look.own[0], "buy_again")), self._campaign.begun_at)
            found.append(Member(person, look, self._audience.why(person) or ""))
        return found

    def _outcomes(self, members: Sequence[Member]) -> list[Decision]:
        ids = [member.customer_id for member in members]
        reasons: dict[str, str] = {}
        picks: dict[str, Picks] = {}
        claims: list[Claim] = []
        standings = dict(zip(ids, self._desk.contacts.standings(ids), strict=True))
        prepared = self._prepare(members)
        self._expose(prepared)
        for member, assigned in prepared:
            found = self._pick(member, assigned, standings[member.customer_id])
            if isinstance(found, Picks):
                picks[member.customer_id] = found
                claims.append(self._claim(member, found))
            else:
                reasons[member.customer_id] = found
        decided = zip(picks, self._decide(claims, standings), strict=True)
        reasons |= {customer_id: refused for customer_id, refused in decided if refused is not None}
        return [Decision(one, None if one in reasons else picks[one], reasons.get(one)) for one in ids]

    def _prepare(self, members: Sequence[Member]) -> list[tuple[Member, list[Assignment]]]:
        """The members as they are picked for, of the version that an experiment tries on them."""
        assigned = {member.customer_id: self._assign(member.customer_id) for member in members}
        by_version: dict[str, list[Member]] = {}
        for member in members:
            tried = combine(one.treatment for one in assigned[member.customer_id]).version
            by_version.setdefault(tried or self._campaign.version, []).append(member)
        prepared = chain.from_iterable(self._move(those, self._other(name)) for name, those in by_version.items())
        return [(member, assigned[member.customer_id]) for member in prepared]

    def _move(self, members: Sequence[Member], version: VersionView) -> Sequence[Member]:
        """The same members as `version` sees them, with the lists that lead their picks."""
        if version is not self.version:
            seen = self._look(version, [member.person.profile for member in members])
            members = [one._replace(why=member.why) for one, member in zip(seen, members, strict=True)]
        keys = lists_to_lead(self._campaign.audience, members)
        looks = version.with_lists([member.look for member in members], keys) if keys else ()
        return [member._replace(look=look) for member, look in zip(members, looks, strict=True)] if keys else members

    def _other(self, name: str) -> VersionView:
        """Another version; where it is no longer kept, the campaign's."""
        if name == self.version.version:
            return self.version
        if name not in self._others:
            try:
                self._others[name] = VersionView(self._desk.store, name)
            except VersionNotFoundError:
                self._others[name] = self.version
        return self._others[name]

    def _assign(self, customer_id: str) -> list[Assignment]:
        campaign = self._campaign
        return assignments(
            self._experiments,
            customer_id,
            campaign.begun_at,
            placement=PLACEMENT,
            campaign=campaign.campaign_id,
        )

    def _expose(self, prepared: Sequence[tuple[Member, Sequence[Assignment]]]) -> None:
        """Keep who came across an experiment, whatever becomes of the mail: so the variants stay alike."""
        name = self._campaign.campaign_id
        exposures = [
            exposure_event(
                one.experiment, one.variant, member.customer_id, self._at, placement=PLACEMENT, campaign_id=name
            )
            for member, assigned in prepared
            for one in assigned
        ]
        if exposures and not self._rehearse:
            self._desk.keep(exposures, self._at)

    def _pick(self, member: Member, assigned: Sequence[Assignment], standing: ContactState) -> Picks | str:
        """The picks, or why there are none."""
        treatment = combine(one.treatment for one in assigned)
        if not treatment.show:
            return HOLDOUT
        variant = assigned[0].variant if assigned else None
        return self._picker.pick(member, standing, treatment, variant) or NOTHING

    def _claim(self, member: Member, picks: Picks) -> Claim:
        ids = tuple(item.product.product_id for item in picks.items)
        ordered_at = midnight_of(member.person.profile.last_day + 1)
        return Claim(self._campaign.campaign_id, member.customer_id, ids, ordered_at, self._at)

    def _decide(self, claims: Sequence[Claim], standings: Mapping[str, ContactState]) -> Sequence[Refusal | None]:
        rules, contacts = self._desk.rules, self._desk.contacts
        if self._rehearse:
            return [refusal(standings[claim.customer_id], claim, rules) for claim in claims]
        return contacts.claim(claims, rules) if claims else []
