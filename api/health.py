"""Probes: is the process alive, and has it anything to answer with."""

from flask import Blueprint, Response

from api.answers import answer_plain
from api.auth import Access
from api.openapi import operation
from api.problems import problem
from api.schemas import Health
from api.service import service

blueprint = Blueprint("health", __name__, url_prefix="/health")


@blueprint.get("/live")
@operation("read_liveness", tag="health", access=Access.OPEN, answer=Health)
def live() -> Response:
    """Whether the process answers at all; asks nothing of Redis."""
    return answer_plain({"status": "live", "model_version": None})


@blueprint.get("/ready")
@operation("read_readiness", tag="health", access=Access.OPEN, answer=Health, problems=(503,))
def ready() -> Response:
    """Whether Redis answers and a version is published; 503 where not."""
    version = service().shops.warehouse.store(service().settings.shop).current()
    if version is None:
        return problem(503, "model_not_ready", "no version is published yet; run `reprise train`")
    return answer_plain({"status": "ready", "model_version": version})
