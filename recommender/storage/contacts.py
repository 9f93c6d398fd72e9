"""Who may be written to now: one ledger of contacts over all campaigns of a shop, and what customers decided.

What a customer decides (or a mail server reports of the address) counts at once, also against a mail that was
claimed before. What follows from other mails and from orders is settled when the mail is claimed, so that a campaign
that is run again finds the same customers.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, NamedTuple, Protocol

from recommender.settings import MailSettings
from recommender.storage.campaign import Campaign
from recommender.suppression_list import Suppression

MOST_MAILS = 200
"""Latest contacts kept of one customer; more than any seven days may hold."""
MOST_CAMPAIGNS = 1_000
"""Campaigns that are listed, the latest."""
MOST_PRODUCTS = 50
"""Products kept of one contact, as far as events tell of them one by one."""
WEEK = timedelta(days=7)
FEWER = timedelta(days=30)
"""In so long, who wants fewer mails gets one at most."""

Refusal = Literal[
    "erased",
    "unsubscribed",
    "bounced",
    "no_consent",
    "quiet_after_complaint",
    "quiet_after_order",
    "wants_fewer",
    "too_often",
]
"""Why somebody gets no mail. Where there are several reasons it is the first in this order."""


class Mail(NamedTuple):
    """One contact.

    Attributes:
        campaign_id: "" for a mail that another system sent and did not name.
        at: when it was claimed, or else sent.
        product_ids: what it shows, each once.
        sent_at: when it was sent, as far as an event reported it.
    """

    campaign_id: str
    at: datetime
    product_ids: tuple[str, ...]
    sent_at: datetime | None = None

    @property
    def counted_at(self) -> datetime:
        """The moment that counts for the next mail."""
        return self.at if self.sent_at is None else max(self.at, self.sent_at)


@dataclass(frozen=True, slots=True)
class ContactState:
    """What counts for the next mail to one customer. Moments are the latest that is known; None for never.

    Attributes:
        mails: contacts of all campaigns, latest `at` first; those of the last CONTACTS_KEPT_DAYS, MOST_MAILS at most.
        subscribed_at: agreed to mails.
        unsubscribed_at: wants no mails.
        complained_at: complained, or reported one as spam.
        bounced_at: a mail came back for good.
        ordered_at: of the last order among recent events; one that the training knew may be newer than all of these.
        subscriptions: ids of products that are delivered again and again: no mail shows them.
        erased: asked to be forgotten.
        fewer_at: wants fewer mails.
    """

    mails: Sequence[Mail] = ()
    subscribed_at: datetime | None = None
    unsubscribed_at: datetime | None = None
    complained_at: datetime | None = None
    bounced_at: datetime | None = None
    ordered_at: datetime | None = None
    subscriptions: frozenset[str] = frozenset()
    erased: bool = False
    fewer_at: datetime | None = None

    @property
    def unsubscribed(self) -> bool:
        """Whether the last word was that no mails are wanted; at the same moment as the contrary, it holds."""
        return _holds(self.unsubscribed_at, self.subscribed_at)

    @property
    def wants_fewer(self) -> bool:
        """Whether fewer mails were asked for, and the customer did not subscribe since."""
        return _holds(self.fewer_at, self.subscribed_at)

    @property
    def bounced(self) -> bool:
        """Whether mails come back, and the customer did not subscribe since."""
        return _holds(self.bounced_at, self.subscribed_at)

    def mail_of(self, campaign_id: str) -> Mail | None:
        """The contact that a campaign has claimed or made; None for none."""
        return next((mail for mail in self.mails if mail.campaign_id == campaign_id), None)


class Claim(NamedTuple):
    """One mail that a campaign wants to send.

    Attributes:
        campaign_id: not empty.
        customer_id: to whom.
        product_ids: what it shows.
        last_order_at: as far as the caller knows; of an order whose day alone is known, the end of that day.
        at: when the mail is to be sent, aware.
    """

    campaign_id: str
    customer_id: str
    product_ids: tuple[str, ...]
    last_order_at: datetime | None
    at: datetime


class Contacts(Protocol):
    """The ledger of one shop. Every method raises StoreUnavailableError, or StoreError where nonsense is kept."""

    def begin(self, campaign: Campaign) -> Campaign:
        """Keep a campaign for CONTACTS_KEPT_DAYS; one that is kept under its id already is given back unchanged."""

    def find(self, campaign_id: str) -> Campaign:
        """The campaign kept under this id. Raises UnknownCampaignError."""

    def cancel(self, campaign_id: str, at: datetime) -> Campaign:
        """Keep that a campaign was cancelled at `at`, aware, unless it was before. Raises UnknownCampaignError."""

    def campaigns(self) -> list[Campaign]:
        """The campaigns that began in the last CONTACTS_KEPT_DAYS, the latest first; MOST_CAMPAIGNS at most."""

    def standings(self, customer_ids: Sequence[str]) -> list[ContactState]:
        """What counts for each, in this order; one round trip. `ContactState()` where nothing is known."""

    def claim(self, claims: Sequence[Claim], rules: MailSettings) -> list[Refusal | None]:
        """Enter mails in the ledger, those that `refusal` lets pass. One round trip.

        Claims are decided in their order and each is entered in the step that decides it: however many ask at once,
        all of them together keep the rules. A campaign that has the customer already is granted the same mail again,
        and the ledger stays as it is.

        Returns:
            For each claim why there is no mail, None where there may be one.
        """

    def release(self, campaign_id: str, customer_ids: Sequence[str]) -> int:
        """Strike claimed mails that were not sent after all; how many. Those that an event says were sent stay."""

    def server(self) -> str:
        """Name of the process that keeps this: another one may have an older copy.

        Where Redis does not let us ask, a new name each minute.
        """

    def suppressions(self) -> Iterator[Sequence[Suppression]]:
        """All that is known of who is not written to and who was erased, in batches."""

    def unknown(self, suppressions: Iterable[Suppression]) -> list[Suppression]:
        """Those that are not known here: the mark is absent or older, and the customer was not erased.

        Consent that is older than `retention.STANDING_KEPT_S` may have ended here, and is not among them.
        """

    def restore(self, suppressions: Iterable[Suppression]) -> None:
        """Move marks forward to these; those of erased customers are left out."""


def refusal(standing: ContactState, claim: Claim, rules: MailSettings) -> Refusal | None:
    """Why `claim` is no mail; None where it may be one.

    Days are of 86,400 seconds, whatever the shop's clock does in spring, and half-open: n quiet days after a moment t
    are [t, t + n days), and at their very end a mail may be sent. An order or a complaint of after `claim.at` counts,
    too: by the time that it is known, the mail would come after it. Zero days are none.

    Who wants fewer mails gets one in FEWER.

    No seven days [t, t + 7 days) that hold `claim.at` may hold more than `rules.most_per_week` mails, this one among
    them, whether the others come before or after it. Two mails exactly seven days apart share no such week.
    """
    return _refused_by_customer(standing, claim, rules) or (
        None if standing.mail_of(claim.campaign_id) else _refused_by_time(standing, claim, rules)
    )


def _refused_by_customer(standing: ContactState, claim: Claim, rules: MailSettings) -> Refusal | None:
    if standing.erased:
        return "erased"
    if standing.unsubscribed:
        return "unsubscribed"
    if standing.bounced:
        return "bounced"
    if rules.consent == "required" and standing.subscribed_at is None:
        return "no_consent"
    if _is_quiet(claim.at, standing.complained_at, rules.quiet_days_after_complaint):
        return "quiet_after_complaint"
    return None


def _refused_by_time(standing: ContactState, claim: Claim, rules: MailSettings) -> Refusal | None:
    orders = (standing.ordered_at, claim.last_order_at)
    if any(_is_quiet(claim.at, ordered_at, rules.quiet_days_after_order) for ordered_at in orders):
        return "quiet_after_order"
    mails = [mail.counted_at for mail in standing.mails]
    if standing.wants_fewer and _is_too_often(claim.at, mails, 1, FEWER):
        return "wants_fewer"
    if _is_too_often(claim.at, mails, rules.most_per_week, WEEK):
        return "too_often"
    return None


def _holds(said_at: datetime | None, unsaid_at: datetime | None) -> bool:
    return said_at is not None and (unsaid_at is None or said_at >= unsaid_at)


def _is_quiet(at: datetime, since: datetime | None, days: int) -> bool:
    return days > 0 and since is not None and at < since + timedelta(days=days)


def _is_too_often(at: datetime, others: Sequence[datetime], most: int, span: timedelta) -> bool:
    """Whether `most` + 1 mails in a row, the one at `at` among them, lie within less than `span`."""
    near = sorted([at, *(other for other in others if abs(other - at) < span)])
    return any(first <= at <= last and last - first < span for first, last in zip(near, near[most:], strict=False))
