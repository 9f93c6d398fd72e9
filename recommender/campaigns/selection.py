"""Customers of a campaign, selected batch by batch: audience, experiments, picks, and the claim of a contact."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from recommender.campaigns.audiences import Person, find_audience
from recommender.campaigns.cancel import refuse_cancelled
from recommender.campaigns.context import PLACEMENT, CampaignContext
from recommender.campaigns.customer_list import CustomerList
from recommender.campaigns.picker import Member, Picker, lists_to_lead
from recommender.campaigns.version_view import VersionView
from recommender.days import midnight_of
from recommender.errors import UsageError, VersionNotFoundError
from recommender.experiments.experiment import HOLDOUT, Assignment, Experiment, assignments
from recommender.experiments.exposure import exposure_event
from recommender.experiments.mail_holdout import holdout_of_campaign, holdout_of_quarter
from recommender.experiments.treatment import Treatment, combine
from recommender.publication.profile import Profile
from recommender.results.campaigns import MAILED
from recommender.storage.campaign import Campaign, Picks
from recommender.storage.contacts import Claim, ContactState, refusal

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
        tried = [*context.experiments, *_holdouts(campaign)]
        self._experiments = sorted(tried, key=lambda one: campaign.campaign_id not in one.campaigns)
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
        self._undo_if_cancelled(decisions)
        self._keep_decided(number, decisions)
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
        states = dict(zip(ids, self._context.contacts.standings(ids), strict=True))
        assigned = {customer_id: self._assign(customer_id) for customer_id in ids}
        # the rules are asked first, in every variant: who would get no mail anyway must not be compared
        reasons: dict[str, str] = self._ask_rules(members, states)
        allowed = [member for member in members if member.customer_id not in reasons]
        plain = self._pick_plain(allowed, states)
        self._expose(plain, assigned)
        picks = self._treat(allowed, plain, assigned, states)
        reasons |= {one: picked for one, picked in picks.items() if isinstance(picked, str)}
        mails = {one: picked for one, picked in picks.items() if isinstance(picked, Picks)}
        reasons |= self._claim([self._make_claim(member, mails[member.customer_id]) for member in allowed
                                if member.customer_id in mails])  # fmt: skip
        return [Decision(each, None if each in reasons else mails[each], reasons.get(each)) for each in ids]

    def _ask_rules(self, members: Sequence[Member], states: Mapping[str, ContactState]) -> dict[str, str]:
        """Customers who may not be written to now, with the reason."""
        asked = {member.customer_id: self._make_claim(member, None) for member in members}
        answers = {one: refusal(states[one], claim, self._context.rules) for one, claim in asked.items()}
        return {one: answer for one, answer in answers.items() if answer is not None}

    def _pick_plain(self, members: Sequence[Member], states: Mapping[str, ContactState]) -> dict[str, Picks]:
        """The picks of each customer without any experiment; those without a product worth a mail are left out."""
        members = self._in_version(members, self.version)
        found = ((member.customer_id, self._picker.pick(member, states[member.customer_id])) for member in members)
        return {customer_id: picks for customer_id, picks in found if picks is not None}

    def _treat(
        self,
        members: Sequence[Member],
        plain: Mapping[str, Picks],
        assigned: Mapping[str, Sequence[Assignment]],
        states: Mapping[str, ContactState],
    ) -> dict[str, Picks | str]:
        """The picks of each customer as experiments have them, or the reason why there are none."""
        decided: dict[str, Picks | str] = {}
        tried: dict[str, list[tuple[Member, Treatment]]] = {}
        for member in members:
            one = member.customer_id
            treatment = combine(assignment.treatment for assignment in assigned[one])
            if treatment.show and treatment.fields:
                tried.setdefault(treatment.version or self._campaign.version, []).append((member, treatment))
            elif one not in plain:
                decided[one] = NOTHING
            else:
                decided[one] = plain[one]._replace(variant=_variant(assigned[one])) if treatment.show else HOLDOUT
        for version, some in tried.items():
            shown = self._in_version([member for member, _ in some], self._find_version(version))
            for member, (_, treatment) in zip(shown, some, strict=True):
                one = member.customer_id
                picks = self._picker.pick(member, states[one], treatment, _variant(assigned[one]))
                decided[one] = picks or NOTHING
        return decided

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

    def _expose(self, customer_ids: Iterable[str], assigned: Mapping[str, Sequence[Assignment]]) -> None:
        """Record the exposure of everybody who takes part: who would really get the mail, were there no experiment."""
        exposures = [
            exposure_event(
                assignment.experiment,
                assignment.variant,
                customer_id,
                self._at,
                placement=PLACEMENT,
                campaign_id=self._campaign.campaign_id,
            )
            for customer_id in customer_ids
            for assignment in assigned[customer_id]
        ]
        if exposures and not self._rehearse:
            self._context.keep_exposures(exposures, self._at)

    def _make_claim(self, member: Member, picks: Picks | None) -> Claim:
        ids = tuple(item.product.product_id for item in picks.items) if picks else ()
        ordered_at = midnight_of(member.person.profile.last_day + 1)
        return Claim(self._campaign.campaign_id, member.customer_id, ids, ordered_at, self._at)

    def _claim(self, claims: Sequence[Claim]) -> dict[str, str]:
        """Enter mails in the ledger; those that it refuses after all, as others were quicker, with the reason."""
        if self._rehearse or not claims:
            return {}
        refused = zip(claims, self._context.contacts.claim(claims, self._context.rules), strict=True)
        return {claim.customer_id: answer for claim, answer in refused if answer is not None}

    def _undo_if_cancelled(self, decisions: Sequence[Decision]) -> None:
        """Give claims back that were made while the campaign was cancelled. Raises UsageError then."""
        if self._rehearse:
            return
        contacts, campaign_id = self._context.contacts, self._campaign.campaign_id
        try:
            refuse_cancelled(contacts.find(campaign_id))
        except UsageError:
            contacts.release(campaign_id, [one.customer_id for one in decisions if one.picks is not None])
            raise

    def _keep_decided(self, number: int, decisions: Sequence[Decision]) -> None:
        if not self._rehearse:
            counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
            for customer_id, _, reason in decisions:
                variant = _variant(self._assign(customer_id)) or MAILED
                counts[variant].update(["selected"] if reason in (None, HOLDOUT) else ["selected", reason])
            self._context.keep_decided(self._campaign.campaign_id, number, counts)


def _holdouts(campaign: Campaign) -> Iterator[Experiment]:
    if campaign.holdout:
        yield holdout_of_campaign(campaign.campaign_id, campaign.holdout)
    if campaign.holdout_of_all:
        yield holdout_of_quarter(campaign.begun_at, campaign.holdout_of_all)


def _variant(assigned: Sequence[Assignment]) -> str | None:
    """The variant of the first experiment."""
    return assigned[0].variant if assigned else None
