"""A campaign as it runs: block by block of the version's customers, who gets which picks, and who gets none and why."""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from recommender.campaigns.audiences import find_audience
from recommender.campaigns.context import CampaignContext
from recommender.campaigns.customer_list import CustomerList, check_list
from recommender.campaigns.selection import Batch, Selection
from recommender.campaigns.version_view import count_customer_blocks
from recommender.errors import UnknownCampaignError, UsageError, VersionNotFoundError
from recommender.slate.placements import clamp_limit
from recommender.storage.campaign import CAMPAIGN_ID, Campaign


def begin_campaign(
    context: CampaignContext, campaign_id: str, audience: str, slots: int | None, at: datetime
) -> Campaign:
    """Pin a campaign to the current version and to `at`, or find it pinned: the first to begin it wins.

    Args:
        context: the shop.
        campaign_id: the shop's own name for it.
        audience: a name of `audiences.AUDIENCES`, or `CustomerList.audience` of a list of ids.
        slots: most products in one mail; None: the placement's default limit. The cap clamps it.
        at: now, aware.

    Raises:
        UsageError: the id or the audience cannot be, or the campaign was begun with another audience or other slots.
        VersionNotFoundError: nothing is published, or the version that it was begun with is no longer kept.
    """
    wanted = _want(context, campaign_id, audience, slots, at)
    return _check(context, context.contacts.begin(wanted), wanted)


def plan_campaign(
    context: CampaignContext, campaign_id: str, audience: str, slots: int | None, at: datetime
) -> Campaign:
    """What `begin_campaign` would give; it is not begun. Raises as that does."""
    wanted = _want(context, campaign_id, audience, slots, at)
    try:
        kept = context.contacts.find(campaign_id)
    except UnknownCampaignError:
        kept = wanted
    return _check(context, kept, wanted)


def _want(context: CampaignContext, campaign_id: str, audience: str, slots: int | None, at: datetime) -> Campaign:
    if not re.fullmatch(CAMPAIGN_ID, campaign_id):
        raise UsageError(
            f"a campaign cannot be called {campaign_id!r}; up to 64 letters, digits, dots, dashes and underscores are "
            "right, a letter or digit first"
        )
    find_audience(audience)
    if slots is not None and slots < 1:
        raise UsageError(f"{slots} slots leave no room for a product; ask for at least one")
    version = context.store.current()
    if version is None:
        raise VersionNotFoundError("nothing was published yet; run `reprise train FILE` first")
    count_customer_blocks(context.store, version)
    return Campaign(campaign_id, audience, clamp_limit(context.placement, slots).applied, version, at)


def _check(context: CampaignContext, kept: Campaign, wanted: Campaign) -> Campaign:
    if (kept.audience, kept.slots) != (wanted.audience, wanted.slots):
        raise UsageError(
            f"campaign {kept.campaign_id!r} was begun at {kept.begun_at:%Y-%m-%dT%H:%M:%SZ} for audience "
            f"{kept.audience} with {kept.slots} slots, not for {wanted.audience} with {wanted.slots}; run it again as "
            "it was, or take another campaign id"
        )
    count_customer_blocks(context.store, kept.version)
    return kept


def count_blocks(campaign: Campaign, context: CampaignContext) -> int:
    """Blocks of the campaign's version: `run_campaign` walks through 0 … n - 1. Raises VersionNotFoundError."""
    return count_customer_blocks(context.store, campaign.version)


def run_campaign(
    campaign: Campaign,
    context: CampaignContext,
    *,
    blocks: Iterable[int] | None = None,
    at: datetime | None = None,
    customers: CustomerList | None = None,
    rehearse: bool = False,
) -> Iterator[Batch]:
    """Go through customers, block by block, and claim a contact for everyone who gets picks.

    Blocks are independent of each other: any may be run again, in any order and by any process, with the same outcome.
    What they share is read at the first one: one call with many blocks is faster than many calls.

    Args:
        campaign: as `begin_campaign` gave it.
        context: the shop.
        blocks: which, in this order; None: all that may hold somebody of the audience.
        at: the moment from which the mails count, aware; None: `campaign.begun_at`.
        customers: the list that the campaign was begun with, if it was.
        rehearse: claim nothing, and say what the governor would say now.

    Raises:
        UsageError: `customers` is not the list that the campaign was begun with.
        VersionNotFoundError: the campaign's version is no longer kept.
    """
    check_list(campaign.audience, customers)
    selection = Selection(campaign, context, at=at or campaign.begun_at, customers=customers, rehearse=rehearse)
    yield from map(selection.block, plan_blocks(selection.version.n_blocks, customers) if blocks is None else blocks)


def plan_blocks(n_blocks: int, customers: CustomerList | None = None) -> Sequence[int]:
    """The blocks that may hold somebody of the audience, of all `n_blocks`."""
    return range(n_blocks) if customers is None else customers.blocks(n_blocks)
