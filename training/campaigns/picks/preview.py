"""Preview of a campaign: numbers of customers, examples, and reasons for no mail. Nothing is begun or claimed."""

from collections.abc import Callable, Iterator
from typing import Any

from recommender.campaigns.audiences import AUDIENCES
from recommender.campaigns.context import CampaignContext
from recommender.campaigns.customer_list import CustomerList
from recommender.campaigns.picker import floor_of
from recommender.campaigns.run import count_blocks, plan_blocks, run_campaign
from recommender.campaigns.selection import Batch
from recommender.storage.campaign import Campaign
from training.campaigns.picks.parts import PickCounts
from training.campaigns.picks.writer import count

EXAMPLES = 5


def preview(
    campaign: Campaign, context: CampaignContext, customers: CustomerList | None, advance: Callable[[int], None]
) -> dict[str, Any]:
    """The counts and examples of a campaign's dry run.

    Args:
        campaign: it need not have begun.
        context: version, contacts and rules of the shop.
        customers: the list that the campaign is for; None for an audience.
        advance: is called with 1 for each batch of customers.

    Returns:
        The fields of PickCounts, `meaning` of the audience, and `examples`: the first EXAMPLES customers who get a
        mail, and of each reason for none, with why they are in the audience and what they are shown; `floor`, under
        which nothing is good enough.

    Raises:
        UsageError: `customers` is not the list of the campaign's audience.
        VersionNotFoundError: the campaign's version is no longer kept.
    """
    counts, examples = PickCounts(), list[dict[str, Any]]()
    shown: dict[str | None, int] = {}
    blocks = plan_blocks(count_blocks(campaign, context), customers)
    for batch in run_campaign(campaign, context, blocks=blocks, customers=customers, rehearse=True):
        counts += count(batch)
        for example in _examples(batch):
            if shown.setdefault(example["reason"], 0) < EXAMPLES:
                shown[example["reason"]] += 1
                examples.append(example)
        advance(1)
    meaning = next((one.meaning for name, one in AUDIENCES.items() if name == campaign.audience), "Those on the list.")
    floor = floor_of(campaign.audience, context.placement)
    return {"meaning": meaning, **counts.to_dict(), "floor": floor, "examples": examples}


def _examples(batch: Batch) -> Iterator[dict[str, Any]]:
    for customer_id, picks, reason in batch.outcomes:
        products = [item.product.product_id for item in picks.items] if picks else []
        yield {"customer_id": customer_id, "why": batch.why[customer_id], "reason": reason, "products": products}
