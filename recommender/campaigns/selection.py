"""Customers of a campaign, selected batch by batch: audience, experiments, picks, and the claim of a contact."""

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
"""The reason of a customer without a product that is worth a mail."""
FOLLOW_BLOCKS = 16
"""Catalogue overrides are read again after so many blocks: about a thousand customers."""


class Decision(NamedTuple):
    """The decision about one customer: picks, or the reason why there is no mail; exactly one of the two is None.

    Reasons: `nothing_good_enough`, `holdout`, and those of `recommender.storage.contacts.Refusal`.
    """

    customer_id: str
    picks: Picks | None
    reason: str | None


class Batch(NamedTuple):
    """The decisions about one block of customers.

    Attributes:
        number: of the block, from 0.
        considered: how many customers were checked against the audience; of a list, those that the version knows.
        outcomes: decisions about the customers in the audience, by rising customer_id.
        why: customer_id → the reason to be in the audience, for each of these.
    """

    number: int
    considered: int
    outcomes: Sequence[Decision]
    why: Mapping[str, str]


class Selection:
    """Customers of one version, selected for a campaign. Arguments: see `recommender.campaigns.run.run_campaign`."""

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
        self._context = context
        self._customers = customers
        self._at = at
        self._rehearse = rehearse
        self._audience = find_audience(campaign.audience)
        self._other_versions: dict[str, VersionView] = {}
        self._n_done = 0
        # picks name the variant of the first experiment: one on this campaign, where there is any
        self._experiments = sorted(context.experiments, key=lambda tried: campaign.campaign_id not in tried.campaigns)
        self._picker = self._make_picker()

    def _make_picker(self) -> Picker:
        context, pins = self._context, self._context.placement.pins
        pinned = self.version.find_products([pin.product_id for pin in pins])
        return Picker(self._campaign, context.placement, context.placements, self.version.fallbacks(), pinned)

    def block(self, number: int) -> Batch:
        """The decisions about one block of customers; a contact is claimed for everyone who gets picks."""
        self._n_done += 1
        if self._n_done % FOLLOW_BLOCKS == 0:
            self._follow_overrides()
        profiles: Sequence[Profile] = self.version.profiles(number)
        if (listed := self._customers) is not None:
            profiles = [profile for profile in profiles if profile.customer_id in listed]
        members = self._find_members(profiles)
        decisions = self._decide(members) if members else []
        return Batch(number, len(profiles), decisions, {member.customer_id: member.why for member in members})

    def _follow_overrides(self) -> None:
        for version in (self.version, *self._other_versions.values()):
            version.follow()
        self._picker = self._make_picker()

    def _find_members(self, profiles: Sequence[Profile]) -> list[Member]:
        audience, at = self._audience, self._campaign.begun_at
        if audience.by_profile:
            profiles = [profile for profile in profiles if audience.criterion(Person(profile, (), at))]
        return [member for member in self._read_members(self.version, profiles) if member.why] if profiles else []

    def _read_members(self, version: VersionView, profiles: Sequence[Profile]) -> list[Member]:
        """The customers of `profiles` with their lists in `version`; `why` is "" for those not in the audience."""
        views = version.customer_views([profile.customer_id for profile in profiles], self._campaign.begun_at)
        members = []
        for profile, view in zip(profiles, views, strict=True):
            with_orders = profile.after([line.day for line in view.live.orders.lines])
            person = Person(with_orders, list(view.on(view.own[0], "buy_again")), self._campaign.begun_at)
            members.append(Member(person, view, self._audience.criterion(person) or ""))
        return members

    def _decide(self, members: Sequence[Member]) -> list[Decision]:
        ids = [member.customer_id for member in members]
        reasons: dict[str, str] = {}
        picks: dict[str, Picks] = {}
        claims: list[Claim] = []
        states = dict(zip(ids, self._context.contacts.standings(ids), strict=True))
        prepared = self._prepare(members)
        self._expose(prepared)
        for member, assigned in prepared:
            picked = self._pick(member, assigned, states[member.customer_id])
            if isinstance(picked, Picks):
                picks[member.customer_id] = picked
                claims.append(self._make_claim(member, picked))
            else:
                reasons[member.customer_id] = picked
        refusals = zip(picks, self._claim(claims, states), strict=True)
        reasons |= {customer_id: refused for customer_id, refused in refusals if refused is not None}
        return [Decision(each, None if each in reasons else picks[each], reasons.get(each)) for each in ids]

    def _prepare(self, members: Sequence[Member]) -> list[tuple[Member, list[Assignment]]]:
        """The members with their assignments, as the version that an experiment tries on them shows them."""
        assigned = {member.customer_id: self._assign(member.customer_id) for member in members}
        by_version: dict[str, list[Member]] = {}
        for member in members:
            tried = combine(assignment.treatment for assignment in assigned[member.customer_id]).version
            by_version.setdefault(tried or self._campaign.version, []).append(member)
        prepared = chain.from_iterable(
            self._in_version(same, self._find_version(version)) for version, same in by_version.items()
        )
        return [(member, assigned[member.customer_id]) for member in prepared]

    def _in_version(self, members: Sequence[Member], version: VersionView) -> Sequence[Member]:
        """The same members with their lists in `version`, and with the lists that lead their picks."""
        if version is not self.version:
            read = self._read_members(version, [member.person.profile for member in members])
            members = [other._replace(why=member.why) for other, member in zip(read, members, strict=True)]
        keys = lists_to_lead(self._campaign.audience, members)
        if not keys:
            return members
        views = version.with_lists([member.view for member in members], keys)
        return [member._replace(view=view) for member, view in zip(members, views, strict=True)]

    def _find_version(self, version: str) -> VersionView:
        """The view of a version that an experiment tries; the campaign's own where it is no longer kept."""
        if version == self.version.version:
            return self.version
        if version not in self._other_versions:
            try:
                self._other_versions[version] = VersionView(self._context.store, version)
            except VersionNotFoundError:
                self._other_versions[version] = self.version
        return self._other_versions[version]

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
        """Record the exposure of every member, with a mail or without: so the variants stay comparable."""
        exposures = [
            exposure_event(
                assignment.experiment,
                assignment.variant,
                member.customer_id,
                self._at,
                placement=PLACEMENT,
                campaign_id=self._campaign.campaign_id,
            )
            for member, assigned in prepared
            for assignment in assigned
        ]
        if exposures and not self._rehearse:
            self._context.keep_exposures(exposures, self._at)

    def _pick(self, member: Member, assigned: Sequence[Assignment], contact_state: ContactState) -> Picks | str:
        """The picks, or the reason why there are none."""
        treatment = combine(assignment.treatment for assignment in assigned)
        if not treatment.show:
            return HOLDOUT
        variant = assigned[0].variant if assigned else None
        return self._picker.pick(member, contact_state, treatment, variant) or NOTHING

    def _make_claim(self, member: Member, picks: Picks) -> Claim:
        ids = tuple(item.product.product_id for item in picks.items)
        ordered_at = midnight_of(member.person.profile.last_day + 1)
        return Claim(self._campaign.campaign_id, member.customer_id, ids, ordered_at, self._at)

    def _claim(self, claims: Sequence[Claim], states: Mapping[str, ContactState]) -> Sequence[Refusal | None]:
        rules, contacts = self._context.rules, self._context.contacts
        if self._rehearse:
            return [refusal(states[claim.customer_id], claim, rules) for claim in claims]
        return contacts.claim(claims, rules) if claims else []
