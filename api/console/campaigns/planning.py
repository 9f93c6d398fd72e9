"""A campaign as a form describes it: checked, and planned as it would begin now."""

import re
from collections.abc import Mapping
from typing import NamedTuple, get_args

from api.console.refusals import RefusedError
from api.console.visit import Visit
from recommender.campaigns.audiences import AudienceName
from recommender.campaigns.context import CampaignContext, open_context
from recommender.campaigns.run import plan_campaign
from recommender.errors import UnknownCampaignError, UsageError
from recommender.slate.placements import ABSOLUTE_CAP
from recommender.storage.campaign import CAMPAIGN_ID, Campaign

AUDIENCES = get_args(AudienceName)


class Wanted(NamedTuple):
    """A campaign that somebody has in mind; `slots` None: as many products as placement email shows."""

    campaign_id: str
    audience: str
    slots: int | None


def read_wanted(given: Mapping[str, str]) -> Wanted:
    """The campaign of a form or an address. Raises RefusedError."""
    campaign_id, audience, slots = (given.get(name, "").strip() for name in ("campaign", "audience", "slots"))
    if not re.fullmatch(CAMPAIGN_ID, campaign_id):
        raise RefusedError("campaign_id")
    if audience not in AUDIENCES:
        raise RefusedError("audience")
    if slots and not (slots.isascii() and slots.isdigit() and len(slots) < 10 and 0 < int(slots) <= ABSOLUTE_CAP):
        raise RefusedError("between", field="slots", least=1, most=ABSOLUTE_CAP)
    return Wanted(campaign_id, audience, int(slots) if slots else None)


def context_of(visit: Visit) -> CampaignContext:
    """The context of the shop's campaigns."""
    return open_context(visit.service.shops.storage, visit.service.settings, visit.shop)


def find_begun(visit: Visit, campaign_id: str) -> Campaign | None:
    """A campaign as it was begun; None where none of this id was."""
    try:
        return visit.service.shops.storage.contacts(visit.shop).find(campaign_id)
    except UnknownCampaignError:
        return None


def plan(visit: Visit, given: Mapping[str, str], context: CampaignContext) -> Campaign:
    """The campaign of a form as it would begin now; one that was begun, as it was.

    Raises:
        RefusedError: it cannot begin.
        VersionNotFoundError: nothing is published, or its version is no longer kept.
    """
    begun = find_begun(visit, given.get("campaign", "").strip())
    if begun is not None and begun.cancelled_at is None:
        return begun
    wanted = read_wanted(given)
    try:
        return plan_campaign(context, *wanted, visit.now)
    except UsageError:
        raise why_refused(visit, wanted.campaign_id) from None


def why_refused(visit: Visit, campaign_id: str) -> RefusedError:
    """Why a campaign of this id, which can be one, does not begin."""
    begun = find_begun(visit, campaign_id)
    if begun is None:
        return RefusedError("campaign_name_taken", campaign=campaign_id)
    return RefusedError("campaign_begun" if begun.cancelled_at is None else "campaign_cancelled", campaign=campaign_id)
