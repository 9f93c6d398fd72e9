"""Probes: is the process alive, and has it anything to answer with."""

from flask import Blueprint, Response

from api.answer_schemas import Health
from api.auth import Access
from api.openapi import operation
from api.problems import problem
from api.responses import answer_plain
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
    """Whether Redis answers and a version is published, as this worker saw it a moment ago; 503 where not.

    Whoever asks this, however often, asks nothing of Redis. A server all of whose keys are of other shops needs no
    version of its own.
    """
    shops, own_shop = service().shops, service().settings.shop
    shelf, keys = shops.shelf(own_shop), shops.api_keys
    version = shelf.state.position.version
    is_served = not keys or any(key.shop == own_shop for key in keys.values())
    if keys is None or not (shelf.answering or shelf.emptied):
        return problem(503, "store_unavailable", "Redis does not answer; the log has the cause")
    if is_served and (version is None or shelf.emptied):
        return problem(503, "model_not_ready", "no version is published, or none any more; run `reprise train`")
    return answer_plain({"status": "ready", "model_version": version})
