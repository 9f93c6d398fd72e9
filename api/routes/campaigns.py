"""Routes of campaigns: picks are asked for once, made by `reprise worker`, and fetched in pages."""

from typing import Any

from flask import Blueprint, Response, g
from pydantic_core import from_json

from api.ids import CampaignId
from api.schemas.campaigns import (
    BLOCKS_PER_PAGE,
    CampaignAnswer,
    CampaignResultsAnswer,
    PicksBody,
    PicksPage,
    PicksQuery,
)
from api.schemas.requests import NoQuery
from api.security.auth import Permission
from api.serving.service import service
from api.web.openapi import operation
from api.web.responses import answer_plain
from recommender.campaigns.context import open_context
from recommender.campaigns.overview import find_campaign
from recommender.campaigns.run import begin_campaign, count_blocks
from recommender.errors import CampaignConflictError, UsageError
from recommender.storage.pick_jobs import PickJob

blueprint = Blueprint("campaigns", __name__, url_prefix="/v1/campaigns")
blueprint.record(lambda state: state.app.url_map.converters.update(campaign_id=CampaignId))


@blueprint.post("/<campaign_id:campaign_id>/picks")
@operation(
    "make_picks",
    tag="campaigns",
    access=Permission.CAMPAIGNS,
    body=PicksBody,
    answer=CampaignAnswer,
    status=202,
    problems=(404, 408, 409, 413, 415, 503),
)
def make_picks(campaign_id: str, body: PicksBody) -> Response:
    """Have the picks of a campaign made for everybody in the audience who may be written to.

    Whoever gets picks is taken for written to: the governor counts it. Asked again, the same campaign is answered with
    how far it is, and nobody is counted twice; another audience or number of slots needs another campaign id.
    """
    context = open_context(service().shops.storage, service().settings, g.principal.shop)
    try:
        campaign = begin_campaign(context, campaign_id, body.audience, body.slots, service().clock())
    except UsageError as error:
        raise CampaignConflictError(str(error)) from None
    job = service().jobs.add(PickJob(campaign, count_blocks(campaign, context)))
    answer = answer_plain(_document(job), 202)
    answer.headers["Location"] = f"/v1/campaigns/{campaign_id}"
    return answer


@blueprint.get("/<campaign_id:campaign_id>")
@operation(
    "show_campaign",
    tag="campaigns",
    access=Permission.CAMPAIGNS,
    query=NoQuery,
    answer=CampaignAnswer,
    problems=(404, 503),
)
def show(campaign_id: str, query: NoQuery) -> Response:  # noqa: ARG001 - only checked
    """How far the picks of a campaign are."""
    return answer_plain(_document(service().jobs.find(campaign_id)))


@blueprint.get("/<campaign_id:campaign_id>/results")
@operation(
    "show_results",
    tag="campaigns",
    access=Permission.CAMPAIGNS,
    query=NoQuery,
    answer=CampaignResultsAnswer,
    problems=(404, 503),
)
def show_results(campaign_id: str, query: NoQuery) -> Response:  # noqa: ARG001 - only checked
    """What came of a campaign, by variant, and what its mails brought against those who were held out.

    `reprise worker` counts it, at most every half minute. `campaign` is null for one that another system sent, and
    `results` while nothing is counted.
    """
    found = find_campaign(service().shops.storage, g.principal.shop, campaign_id)
    return answer_plain(found.to_dict())


@blueprint.get("/<campaign_id:campaign_id>/picks")
@operation(
    "list_picks", tag="campaigns", access=Permission.CAMPAIGNS, query=PicksQuery, answer=PicksPage, problems=(404, 503)
)
def list_picks(campaign_id: str, query: PicksQuery) -> Response:
    """A page of picks, about a thousand customers looked at; those of a running job as far as they are made."""
    jobs = service().jobs
    job = jobs.find(campaign_id)
    last = min(query.cursor + BLOCKS_PER_PAGE, job.blocks_done)
    rows = jobs.rows(campaign_id, range(query.cursor, last))
    next_cursor = max(query.cursor, last)
    return answer_plain(
        {
            "campaign_id": campaign_id,
            "state": job.state,
            "picks": [from_json(row) for row in rows],
            "next_cursor": None if next_cursor >= job.blocks or job.failure is not None else next_cursor,
        }
    )


def _document(job: PickJob) -> dict[str, Any]:
    return {
        "campaign_id": job.campaign.campaign_id,
        "state": job.state,
        "detail": job.failure,
        "audience": job.campaign.audience,
        "slots": job.campaign.slots,
        "model_version": job.campaign.version,
        "begun_at": job.campaign.begun_at.isoformat(),
        "progress": {
            "blocks": job.blocks,
            "blocks_done": job.blocks_done,
            "customers_considered": job.considered,
            "customers_picked": job.picked,
            "without": dict(job.reasons),
        },
    }
