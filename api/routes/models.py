"""Routes of the published versions: list them, and activate one."""

from typing import Any

from flask import Blueprint, Response

from api.schemas.answers import Activation, ModelList
from api.schemas.requests import NoQuery
from api.security.auth import Permission
from api.serving.service import service
from api.web.openapi import operation
from api.web.responses import answer_plain
from recommender.publication.manifest import Manifest

blueprint = Blueprint("models", __name__, url_prefix="/v1")


@blueprint.get("/models")
@operation(
    "list_models", tag="administration", access=Permission.ADMIN, query=NoQuery, answer=ModelList, problems=(503,)
)
def list_models(query: NoQuery) -> Response:  # noqa: ARG001 - only checked
    """The versions that are kept, newest first, and the one that answers."""
    store = service().store
    current = store.current()
    models = [_document(manifest, current) for manifest in store.manifests()]
    return answer_plain({"current": current, "models": models})


@blueprint.post("/models/<string:version>/activate")
@operation(
    "activate_model",
    tag="administration",
    access=Permission.ADMIN,
    query=NoQuery,
    answer=Activation,
    problems=(404, 503),
)
def activate(version: str, query: NoQuery) -> Response:  # noqa: ARG001
    """Make a version that is kept the one that answers: forward or back, in one step."""
    service().store.activate(version)
    return answer_plain({"current": version})


def _document(manifest: Manifest, current: str | None) -> dict[str, Any]:
    # settings, packages and source files stay inside: they tell of the machine that trained
    return {
        "version": manifest.version,
        "current": manifest.version == current,
        "as_of": manifest.as_of,
        "created_at": manifest.created_at,
        "counts": dict(manifest.counts),
        "lists": dict(manifest.lists),
        "metrics": dict(manifest.metrics),
        "gate": dict(manifest.gate),
    }
