"""What a campaign would do: how many, who for example, and how many get no mail and why. Nothing is begun."""

from collections.abc import Callable, Iterator
from typing import Any

from recommender.campaigns.audiences import AUDIENCES
from recommender.campaigns.context import CampaignContext
from recommender.campaigns.customer_list import CustomerList
from recommender.campaigns.run import count_blocks, plan_blocks, run_campaign
from recommender.campaigns.selection import Batch
from recommender.storage.campaign import Campaign
from training.campaigns.picks.parts import PickCounts
from training.campaigns.picks.writer import count

EXAMPLES = 5


def preview(
    campaign: Campaign, context: CampaignContext, customers: CustomerList | None, advance: Callable[[int], None]
) -> dict[str, Any]:
    """Rehearse a campaign.

    Args:
        campaign: it need not have begun.
        context: the shop.
        customers: the list that it is for, if it is for one.
        advance: is told of each block of customers that was looked at.

    Returns:
        The tally, what the audience is, and the first EXAMPLES of each kind of customer: those who get a mail, with
        why they are in the audience and what they are shown, and those who do not.
    """
    tally, examples = PickCounts(), list[dict[str, Any]]()
    shown: dict[str | None, int] = {}
    blocks = plan_blocks(count_blocks(campaign, context), customers)
    for block in run_campaign(campaign, context, blocks=blocks, customers=customers, rehearse=True):
        tally += count(block)
        for example in _examples(block):
            if shown.setdefault(example["reason"], 0) < EXAMPLES:
                shown[example["reason"]] += 1
                examples.append(example)
        advance(1)
    meaning = next((one.meaning for name, one in AUDIENCES.items() if name == campaign.audience), "Those on the list.")
    return {"meaning": meaning, **tally.to_dict(), "examples": examples}


def _examples(block: Batch) -> Iterator[dict[str, Any]]:
    for customer_id, picks, reason in block.outcomes:
        products = [item.product.product_id for item in picks.items] if picks else []
        yield {"customer_id": customer_id, "why": block.why[customer_id], "reason": reason, "products": products}
