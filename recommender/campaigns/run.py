"""Runs of a campaign: begun once, then decided for the version's customers batch by batch, in any order."""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from recommender.campaigns.audiences import find_audience
from recommender.campaigns.cancel import refuse_cancelled
from recommender.campaigns.context import CampaignContext
from recommender.campaigns.customer_list import CustomerList, check_list
from recommender.campaigns.selection import Batch, Selection
from recommender.campaigns.version_view import count_customer_blocks
from recommender.errors import UnknownCampaignError, UsageError, VersionNotFoundError
from recommender.experiments.mail_holdout import QUARTER, name_of_holdout
from recommender.slate.placements import clamp_limit
from recommender.storage.campaign import CAMPAIGN_ID, Campaign


def begin_campaign(
    context: CampaignContext, campaign_id: str, audience: str, slots: int | None, at: datetime
) -> Campaign:
    """The campaign of this id: pinned to the current version and to `at`, unless it was begun before.

    Of several calls at once the first one wins.

    Args:
        context: of the shop.
        campaign_id: given by the shop.
        audience: a name of `audiences.AUDIENCES`, or `CustomerList.audience` of a list of ids.
        slots: most products in one mail; None: the placement's default limit. The cap clamps it.
        at: now, aware.

    Raises:
        UsageError: the id or the audience cannot be, or the campaign was begun with another audience or other slots,
            or cancelled.
        VersionNotFoundError: nothing is published, or the version that it was begun with is no longer kept.
    """
    wanted = _want(context, campaign_id, audience, slots, at)
    return _check(context, context.contacts.begin(wanted), wanted)


def plan_campaign(
    context: CampaignContext, campaign_id: str, audience: str, slots: int | None, at: datetime
) -> Campaign:
    """The campaign as `begin_campaign` would return it, without beginning it. Raises as that does."""
    wanted = _want(context, campaign_id, audience, slots, at)
    try:
        begun = context.contacts.find(campaign_id)
    except UnknownCampaignError:
        begun = wanted
    return _check(context, begun, wanted)


def _want(context: CampaignContext, campaign_id: str, audience: str, slots: int | None, at: datetime) -> Campaign:
    if not re.fullmatch(CAMPAIGN_ID, campaign_id):
        raise UsageError(
            f"a campaign cannot be called {campaign_id!r}; up to 64 letters, digits, dots, dashes and underscores are "
            "right, a letter or digit first"
        )
    find_audience(audience)
    if slots is not None and slots < 1:
        raise UsageError(f"{slots} slots leave no room for a product; ask for at least one")
    _check_name(campaign_id, context)
    version = context.store.current()
    if version is None:
        raise VersionNotFoundError("nothing was published yet; run `reprise train FILE` first")
    count_customer_blocks(context.store, version)
    # an experiment of the shop on the campaign says itself who is held out
    own = any(campaign_id in experiment.campaigns for experiment in context.experiments)
    shares = (0.0 if own else context.rules.holdout, context.rules.holdout_of_all)
    return Campaign(campaign_id, audience, clamp_limit(context.placement, slots).applied, version, at, *shares)


def _check_name(campaign_id: str, context: CampaignContext) -> None:
    """Refuse a campaign whose hold-out would be called as another experiment is."""
    name = name_of_holdout(campaign_id)
    taken = [one.name for one in context.experiments if campaign_id not in one.campaigns]
    if name in taken or re.fullmatch(QUARTER, name):
        raise UsageError(
            f"an experiment is called {name!r}, and a campaign's hold-out is named after it; take another id"
        )


def _check(context: CampaignContext, begun: Campaign, wanted: Campaign) -> Campaign:
    refuse_cancelled(begun)
    if (begun.audience, begun.slots) != (wanted.audience, wanted.slots):
        raise UsageError(
            f"campaign {begun.campaign_id!r} was begun at {begun.begun_at:%Y-%m-%dT%H:%M:%SZ} for audience "
            f"{begun.audience} with {begun.slots} slots, not for {wanted.audience} with {wanted.slots}; run it again "
            "as it was, or take another campaign id"
        )
    count_customer_blocks(context.store, begun.version)
    return begun


def count_blocks(campaign: Campaign, context: CampaignContext) -> int:
    """The number n of customer blocks in the campaign's version, 0 … n - 1. Raises VersionNotFoundError."""
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
    """Decisions about the customers of a version, one batch a block; a contact is claimed for everyone with picks.

    Blocks are independent of each other: any may be run again, in any order and by any process, with the same outcome.
    Lists that they share are read at the first one: one call with many blocks is faster than many calls.

    Args:
        campaign: as `begin_campaign` gave it.
        context: of the shop.
        blocks: their numbers, in this order; None: all that may hold a customer of the audience.
        at: the moment from which the mails count, aware; None: `campaign.begun_at`.
        customers: the list that the campaign was begun with, if it was.
        rehearse: claim nothing; refusals are those that the governor would give now.

    Raises:
        UsageError: `customers` is not the list that the campaign was begun with, or it was cancelled.
        VersionNotFoundError: the campaign's version is no longer kept.
    """
    check_list(campaign.audience, customers)
    selection = Selection(campaign, context, at=at or campaign.begun_at, customers=customers, rehearse=rehearse)
    yield from map(selection.block, plan_blocks(selection.version.n_blocks, customers) if blocks is None else blocks)


def plan_blocks(n_blocks: int, customers: CustomerList | None = None) -> Sequence[int]:
    """The blocks, of all `n_blocks`, that may hold a customer of the audience; of a list, those of its customers."""
    return range(n_blocks) if customers is None else customers.blocks(n_blocks)
