"""Mail preview: the mail that one customer would get; nothing is begun, claimed or sent."""

from dataclasses import replace
from typing import Any, NamedTuple

from recommender.campaigns.context import CampaignContext
from recommender.campaigns.history.customer_mails import decide_one
from recommender.campaigns.mail.render import Rendered, Renderer
from recommender.experiments.experiment import HOLDOUT
from recommender.storage.campaign import Campaign


class MailPreview(NamedTuple):
    """The preview of one customer's mail.

    Attributes:
        customer_id: to whom.
        why: the reason to be in the audience; None for a customer who is not.
        reason: why there is no mail: `unknown_customer`, `not_in_audience` or a reason of a `Decision`; else None.
        mail: None where there is a reason for none.
        held_out: whether the campaign itself sends this customer nothing, so that it can be told what mails bring.
        has_address: whether the customer has a usable one.
    """

    customer_id: str
    why: str | None
    reason: str | None
    mail: Rendered | None
    held_out: bool = False
    has_address: bool = False

    def to_dict(self) -> dict[str, Any]:
        """The fields as plain JSON types."""
        mail = {"subject": self.mail.subject, "html": self.mail.html, "text": self.mail.text} if self.mail else None
        return {**self._asdict(), "mail": mail}


def preview_mail(
    campaign: Campaign,
    context: CampaignContext,
    renderer: Renderer,
    customer_id: str,
    *,
    name: str | None = None,
    locale: str | None = None,
) -> MailPreview:
    """The preview of the mail of a campaign, which need not have begun, to one customer.

    `name` and `locale` are the customer's; `has_address` is left to who knows addresses.

    Raises:
        VersionNotFoundError: the campaign's version is no longer kept.
        MailError: the template cannot be filled.
    """
    held_out = decide_one(campaign, context, customer_id)[0].reason == HOLDOUT
    decision, why = decide_one(replace(campaign, holdout=0.0, holdout_of_all=0.0), context, customer_id)
    mail = None
    if decision.picks is not None:
        mail = renderer.render(campaign, decision.picks, name=name, locale=locale)
    return MailPreview(customer_id, why, decision.reason, mail, held_out)
