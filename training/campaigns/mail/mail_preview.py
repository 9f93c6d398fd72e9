"""Mail preview: the mail that one customer would get; nothing is begun, claimed or sent."""

from typing import Any, NamedTuple

from recommender.campaigns.context import CampaignContext
from recommender.campaigns.customer_list import CustomerList
from recommender.campaigns.selection import Decision, Selection
from recommender.storage.campaign import Campaign
from training.campaigns.mail.addresses import AddressBook
from training.campaigns.mail.render import Rendered, Renderer


class MailPreview(NamedTuple):
    """The preview of one customer's mail.

    Attributes:
        customer_id: to whom.
        why: the reason to be in the audience; None for a customer who is not.
        reason: why there is no mail: `unknown_customer`, `not_in_audience` or a reason of a `Decision`; else None.
        has_address: whether the customer has a usable one.
        mail: None where there is a reason for none.
    """

    customer_id: str
    why: str | None
    reason: str | None
    has_address: bool
    mail: Rendered | None

    def to_dict(self) -> dict[str, Any]:
        """The fields as plain JSON types."""
        mail = {"subject": self.mail.subject, "html": self.mail.html, "text": self.mail.text} if self.mail else None
        return {**self._asdict(), "mail": mail}


def preview_mail(
    campaign: Campaign, context: CampaignContext, renderer: Renderer, addresses: AddressBook, customer_id: str
) -> MailPreview:
    """The preview of the mail of a campaign, which need not have begun, to one customer.

    Raises:
        VersionNotFoundError: the campaign's version is no longer kept.
        MailError: the template cannot be filled.
    """
    decision, why = _decide(campaign, context, customer_id)
    mailbox = addresses.find([customer_id]).get(customer_id)
    mail = None
    if decision.picks is not None:
        name, locale = (mailbox.name, mailbox.locale) if mailbox else (None, None)
        mail = renderer.render(campaign, decision.picks, name=name, locale=locale)
    return MailPreview(customer_id, why, decision.reason, mailbox is not None, mail)


def _decide(campaign: Campaign, context: CampaignContext, customer_id: str) -> tuple[Decision, str | None]:
    """What the campaign would decide about a customer now, and the reason to be in the audience."""
    one = CustomerList([customer_id])
    selection = Selection(campaign, context, at=campaign.begun_at, customers=one, rehearse=True)
    known = False
    for batch in map(selection.block, one.blocks(selection.version.n_blocks)):
        known = known or batch.considered > 0
        for decision in batch.outcomes:
            return decision, batch.why[customer_id]
    return Decision(customer_id, None, "not_in_audience" if known else "unknown_customer"), None
