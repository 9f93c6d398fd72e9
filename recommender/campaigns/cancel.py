"""Cancelling a campaign: nobody else is written to, and who was chosen but not written to yet is free for others."""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from recommender.campaigns.context import CampaignContext
from recommender.campaigns.version_view import count_customer_blocks
from recommender.errors import UsageError
from recommender.storage.campaign import Campaign


class Cancelled(NamedTuple):
    """A campaign that was cancelled.

    Attributes:
        campaign: with the moment of it.
        released: customers who were chosen and not written to: they count as not written to now.
    """

    campaign: Campaign
    released: int


def cancel_campaign(
    context: CampaignContext, campaign_id: str, at: datetime, pause: Callable[[], object] = lambda: None
) -> Cancelled:
    """Cancel a campaign for good. May be called again, as after a kill; the first moment is kept.

    A mail that an event says was sent stays counted. Of a picks file that went to another system nobody knows what was
    sent before that system tells: stop it there first. `pause` is called after each block of customers.

    Raises:
        UnknownCampaignError: there is none of this id.
        VersionNotFoundError: its version is no longer kept, so that nobody knows its customers.
    """
    campaign = context.contacts.cancel(campaign_id, at)
    released = 0
    for block in range(count_customer_blocks(context.store, campaign.version)):
        people = [profile.customer_id for profile in context.store.profiles(campaign.version, block)]
        released += context.contacts.release(campaign_id, people)
        pause()
    return Cancelled(campaign, released)


def refuse_cancelled(campaign: Campaign) -> None:
    """Let nobody be chosen for a campaign that was cancelled. Raises UsageError."""
    if campaign.cancelled_at is not None:
        raise UsageError(
            f"campaign {campaign.campaign_id!r} was cancelled at {campaign.cancelled_at:%Y-%m-%dT%H:%M:%SZ}; begin "
            "another, with another id"
        )
