"""What is known of a shop's campaigns: how each began, and what came of it."""

from dataclasses import dataclass, replace
from typing import Any

from recommender.errors import UnknownCampaignError
from recommender.results.campaigns import CampaignResults, Effect
from recommender.retention import CONTACTS_KEPT_DAYS
from recommender.storage.campaign import Campaign
from recommender.storage.shops import ShopStorage

_NOT_SENT = Effect("not_sent", sentence="Cancelled, and nobody told of a mail that was sent: it caused nothing.")


@dataclass(frozen=True)
class CampaignOverview:
    """One campaign, or all mails of a quarter; at least one of the two is known.

    Attributes:
        campaign: as it began; None for one that another system sent or that is no longer kept, and for a quarter.
        results: None where nothing was counted yet.
    """

    campaign: Campaign | None
    results: CampaignResults | None

    @property
    def campaign_id(self) -> str:
        """The shop's name of the campaign."""
        known = self.campaign or self.results
        return "" if known is None else known.campaign_id

    @property
    def began(self) -> str:
        """When it began, or when somebody was written to first, ISO-8601; "" where nobody knows."""
        return self.campaign.begun_at.isoformat() if self.campaign else (self.results and self.results.first_at) or ""

    @property
    def state(self) -> str:
        """`cancelled`, `begun`, or `elsewhere` where it did not begin here."""
        if self.campaign is None:
            return "elsewhere"
        return "begun" if self.campaign.cancelled_at is None else "cancelled"

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        campaign = self.campaign.to_dict() if self.campaign else None
        results = self.results.to_dict() if self.results else None
        return {"campaign_id": self.campaign_id, "state": self.state, "campaign": campaign, "results": results}


def list_campaigns(storage: ShopStorage, shop: str) -> list[CampaignOverview]:
    """All that are kept or were counted, the latest first. Raises StoreError."""
    begun = {one.campaign_id: one for one in storage.contacts(shop).campaigns()}
    counted = {one.campaign_id: one for one in storage.results(shop).campaigns()}
    found = [_overview(begun.get(name), counted.get(name)) for name in begun.keys() | counted.keys()]
    return sorted(found, key=lambda one: (one.began, one.campaign_id), reverse=True)


def find_campaign(storage: ShopStorage, shop: str, campaign_id: str) -> CampaignOverview:
    """One of them. Raises StoreError, or UnknownCampaignError where there is none."""
    results = storage.results(shop).campaign(campaign_id)
    try:
        campaign = storage.contacts(shop).find(campaign_id)
    except UnknownCampaignError:
        if results is None:
            raise UnknownCampaignError(
                f"no campaign {campaign_id!r} began in the last {CONTACTS_KEPT_DAYS} days, and nothing of it is known"
            ) from None
        campaign = None
    return _overview(campaign, results)


def _overview(campaign: Campaign | None, results: CampaignResults | None) -> CampaignOverview:
    """What was chosen and never written to took part in nothing: its orders are no effect."""
    cancelled = campaign is not None and campaign.cancelled_at is not None
    if results is not None and cancelled and not any(variant.sent for variant in results.variants):
        results = replace(results, effect=_NOT_SENT)
    return CampaignOverview(campaign, results)
