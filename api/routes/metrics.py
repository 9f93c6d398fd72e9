"""Prometheus metrics of the whole server."""

from flask import Blueprint, Response, g
from prometheus_client import CONTENT_TYPE_LATEST

from api.auth import Access, accessible
from api.service import service
from api.telemetry import expose
from recommender.errors import ForbiddenError

blueprint = Blueprint("metrics", __name__)


@blueprint.get("/metrics")
@accessible(Access.ADMIN)
def metrics() -> Response:
    """All metrics, for an administrator of the server's own shop: they tell of the other shops too."""
    if g.caller.shop != service().settings.shop:
        raise ForbiddenError(f"only a key of shop {service().settings.shop!r} opens the metrics of this server")
    response = Response(expose(), content_type=CONTENT_TYPE_LATEST)
    response.headers["Cache-Control"] = "no-store"
    return response
