"""The mails of one customer: what each campaign sent, or why it sent nothing."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Literal

from recommender.campaigns.audiences import LIST_PREFIX, find_audience, to_percent
from recommender.campaigns.context import CampaignContext
from recommender.campaigns.customer_list import CustomerList
from recommender.campaigns.picker import floor_of
from recommender.campaigns.selection import NOTHING, Decision, Selection
from recommender.errors import VersionNotFoundError
from recommender.experiments.experiment import HOLDOUT
from recommender.storage.campaign import Campaign
from recommender.storage.contacts import FEWER, Contacts, ContactState, Mail

Outcome = Literal["sent", "chosen", "nothing", "not_known"]
MOST_EXPLAINED = 100
"""Campaigns of which it is said why they sent nothing: each is decided anew."""
NOT_IN_AUDIENCE, UNKNOWN = "not_in_audience", "unknown_customer"


@dataclass(frozen=True)
class CampaignMail:
    """What one campaign did about the customer.

    Attributes:
        campaign_id: "" for a mail of another system that named none.
        at: when it began, or when the mail was chosen or sent; aware.
        outcome: `sent`; `chosen`, where nobody has told that it was sent; `nothing`; `not_known`, where the campaign's
            version is no longer kept.
        reason: why there was nothing: that of a `Decision`, `not_in_audience` or `unknown_customer`; else None.
        detail: the same for people, in English.
        product_ids: what the mail showed.
    """

    campaign_id: str
    at: datetime
    outcome: Outcome
    reason: str | None
    detail: str
    product_ids: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return asdict(self) | {"at": self.at.isoformat(), "product_ids": list(self.product_ids)}


def decide_one(campaign: Campaign, context: CampaignContext, customer_id: str) -> tuple[Decision, str | None]:
    """What a campaign would decide about one customer at its beginning, and the reason to be in the audience.

    The reason for no mail may also be NOT_IN_AUDIENCE or UNKNOWN. Nothing is claimed. Raises VersionNotFoundError.
    """
    one = CustomerList([customer_id])
    selection = Selection(campaign, context, at=campaign.begun_at, customers=one, rehearse=True)
    known = False
    for batch in map(selection.block, one.blocks(selection.version.n_blocks)):
        known = known or batch.considered > 0
        for decision in batch.outcomes:
            return decision, batch.why[customer_id]
    return Decision(customer_id, None, NOT_IN_AUDIENCE if known else UNKNOWN), None


def list_mails(context: CampaignContext, customer_id: str) -> list[CampaignMail]:
    """What campaigns of the last CONTACTS_KEPT_DAYS did about a customer, and other systems' mails; latest first.

    Of campaigns that sent nothing these are the latest MOST_EXPLAINED.

    Why there was nothing is computed again, by what was known when the campaign began: the same version, and the
    contacts, orders and objections until then. Raises StoreError.
    """
    (state,) = context.contacts.standings([customer_id])
    mails = [_kept(mail) for mail in state.mails]
    wrote = {mail.campaign_id for mail in mails}
    without = [one for one in context.contacts.campaigns() if one.campaign_id not in wrote][:MOST_EXPLAINED]
    found = [*mails, *(_explain(one, context, customer_id, state) for one in without)]
    return sorted(found, key=lambda one: (one.at, one.campaign_id), reverse=True)


def _kept(mail: Mail) -> CampaignMail:
    if mail.sent_at is not None:
        return CampaignMail(mail.campaign_id, mail.sent_at, "sent", None, "sent", mail.product_ids)
    words = "chosen, and nobody has told that it was sent"
    return CampaignMail(mail.campaign_id, mail.at, "chosen", None, words, mail.product_ids)


def _explain(campaign: Campaign, context: CampaignContext, customer_id: str, state: ContactState) -> CampaignMail:
    then = state_at(state, campaign.begun_at)
    past = replace(context, contacts=_Then(context.contacts, then))
    try:
        decision, why = decide_one(campaign, past, customer_id)
    except VersionNotFoundError:
        words = f"version {campaign.version} is no longer kept, so nobody can say why"
        return CampaignMail(campaign.campaign_id, campaign.begun_at, "not_known", None, words)
    reason = decision.reason
    if campaign.cancelled_at is not None:
        words = f"the campaign was cancelled on {campaign.cancelled_at:%Y-%m-%d}"
    elif reason is None:
        words = "would have got it: the campaign has not come so far, or another one came first"
    else:
        words = _words(reason, campaign, context, then, why)
    return CampaignMail(campaign.campaign_id, campaign.begun_at, "nothing", reason, words)


def state_at(state: ContactState, at: datetime) -> ContactState:
    """The state without what came after `at`, as far as that is known: of each mark only the latest is kept."""
    marks = ("subscribed_at", "unsubscribed_at", "complained_at", "bounced_at", "ordered_at", "fewer_at")
    later: dict[str, Any] = {name: None for name in marks if (moment := getattr(state, name)) and moment > at}
    return replace(state, mails=tuple(mail for mail in state.mails if mail.at <= at), **later)


class _Then:
    """Contacts that know of one customer what was known then."""

    def __init__(self, contacts: Contacts, state: ContactState) -> None:
        self._contacts = contacts
        self._state = state

    def standings(self, customer_ids: Sequence[str]) -> list[ContactState]:
        """The same for each."""
        return [self._state for _ in customer_ids]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._contacts, name)


def _words(reason: str, campaign: Campaign, context: CampaignContext, state: ContactState, why: str | None) -> str:
    """Why there was no mail, for people."""
    rules, mails = context.rules, ", ".join(f"{mail.counted_at:%Y-%m-%d}" for mail in state.mails)
    of_list = campaign.audience.startswith(LIST_PREFIX)
    words = {
        UNKNOWN: f"version {campaign.version} does not know this customer",
        NOT_IN_AUDIENCE: f"not in audience {campaign.audience}: {find_audience(campaign.audience).meaning}",
        NOTHING: f"{why}; no product is good enough, {to_percent(floor_of(campaign.audience, context.placement))} "
        "likely or more, or the last mails showed it in vain",
        HOLDOUT: "held out, so that it can be told what the mails bring",
        "erased": "asked to be forgotten",
        "unsubscribed": f"unsubscribed on {_day(state.unsubscribed_at)}",
        "bounced": f"a mail came back on {_day(state.bounced_at)}",
        "no_consent": "never subscribed, and mails go to subscribers alone",
        "quiet_after_complaint": f"complained on {_day(state.complained_at)}; quiet for "
        f"{rules.quiet_days_after_complaint} days",
        "quiet_after_order": f"had ordered less than {rules.quiet_days_after_order} days before",
        "wants_fewer": f"wants one mail in {FEWER.days} days at most; mails: {mails}",
        "too_often": f"no more than {rules.most_per_week} mails a week; mails: {mails}",
    }
    return words.get(reason, reason) + (", if on the list" if of_list and reason == NOTHING else "")


def _day(moment: datetime | None) -> str:
    return "an unknown day" if moment is None else f"{moment:%Y-%m-%d}"
