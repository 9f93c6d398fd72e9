"""Routes of operations: liveness, readiness and metrics."""

from flask import Blueprint, Response, g
from prometheus_client import CONTENT_TYPE_LATEST

from api.schemas.answers import Health
from api.security.auth import Permission, accessible
from api.serving.service import service
from api.telemetry.metrics import expose
from api.web.openapi import operation
from api.web.problems import problem
from api.web.responses import answer_plain
from recommender.errors import ForbiddenError

blueprint = Blueprint("operations", __name__)


@blueprint.get("/metrics")
@accessible(Permission.ADMIN)
def metrics() -> Response:
    """All metrics, for an administrator of the server's own shop: they tell of the other shops too."""
    if g.principal.shop != service().settings.shop:
        raise ForbiddenError(f"only a key of shop {service().settings.shop!r} opens the metrics of this server")
    response = Response(expose(), content_type=CONTENT_TYPE_LATEST)
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.get("/health/live")
@operation("read_liveness", tag="health", access=Permission.OPEN, answer=Health)
def live() -> Response:
    """Whether the process answers at all; asks nothing of Redis."""
    return answer_plain({"status": "live", "model_version": None})


@blueprint.get("/health/ready")
@operation("read_readiness", tag="health", access=Permission.OPEN, answer=Health, problems=(503,))
def ready() -> Response:
    """Whether Redis answers and a version is published, as this worker saw it a moment ago; 503 where not.

    Whoever asks this, however often, asks nothing of Redis. A server all of whose keys are of other shops needs no
    version of its own.
    """
    shops, own_shop = service().shops, service().settings.shop
    cache, keys = shops.cache(own_shop), shops.api_keys
    version = cache.state.position.version
    is_served = not keys or any(key.shop == own_shop for key in keys.values())
    if keys is None or not (cache.answering or cache.emptied):
        return problem(503, "store_unavailable", "Redis does not answer; the log has the cause")
    if is_served and (version is None or cache.emptied):
        return problem(503, "model_not_ready", "no version is published, or none any more; run `reprise train`")
    return answer_plain({"status": "ready", "model_version": version})
