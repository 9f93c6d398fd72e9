"""Routes of the placements: list, read and set them."""

from typing import Any

from flask import Blueprint, Response

from api.schemas.answers import NamedPlacement, PlacementList
from api.schemas.requests import PLACEMENT_NAME, NewPlacement, NoQuery
from api.security.auth import Permission
from api.serving.service import service
from api.web.openapi import operation
from api.web.parsing import invalid
from api.web.responses import answer_plain
from recommender.slate.placements import Placement, find_placement

blueprint = Blueprint("placements", __name__, url_prefix="/v1/placements")


@blueprint.get("")
@operation("list_placements", tag="administration", access=Permission.SERVER, query=NoQuery, answer=PlacementList)
def list_placements(query: NoQuery) -> Response:  # noqa: ARG001 - only checked
    """Every placement with its cap, mix, floor and fallbacks."""
    placements = service().placements
    return answer_plain({"placements": [_document(name, placements[name]) for name in sorted(placements)]})


@blueprint.get("/<string:name>")
@operation(
    "read_placement",
    tag="administration",
    access=Permission.SERVER,
    query=NoQuery,
    answer=NamedPlacement,
    problems=(404,),
)
def read_placement(name: str, query: NoQuery) -> Response:  # noqa: ARG001
    """One placement."""
    return answer_plain(_document(name, find_placement(service().placements, name)))


@blueprint.put("/<string:name>")
@operation(
    "set_placement",
    tag="administration",
    access=Permission.ADMIN,
    body=NewPlacement,
    answer=NamedPlacement,
    problems=(408, 413, 415, 503),
)
def set_placement(name: str, body: NewPlacement) -> Response:
    """Set a placement as a whole, or add one; every worker follows within a second. No restart is needed."""
    if not PLACEMENT_NAME.fullmatch(name):
        raise invalid([{"field": "name", "message": f"{name!r} is not of the form {PLACEMENT_NAME.pattern}"}])
    placement = body.clamped()
    service().store.place(name, placement)
    return answer_plain(_document(name, placement))


def _document(name: str, placement: Placement) -> dict[str, Any]:
    return {"name": name, **placement.model_dump(mode="json")}
