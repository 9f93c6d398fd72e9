"""The named spots and their caps."""

from typing import Any

from flask import Blueprint, Response

from api.answers import answer_plain
from api.auth import Access
from api.openapi import operation
from api.schemas import NamedPlacement, NoQuery, PlacementList
from api.service import service

blueprint = Blueprint("placements", __name__, url_prefix="/v1/placements")


@blueprint.get("")
@operation("list_placements", tag="administration", access=Access.SERVER, query=NoQuery, answer=PlacementList)
def list_placements(query: NoQuery) -> Response:  # noqa: ARG001 - only checked
    """Every placement with its cap, mix, floor and fallbacks."""
    return answer_plain({"placements": [_document(name) for name in sorted(service().placements)]})


@blueprint.get("/<string:name>")
@operation(
    "read_placement", tag="administration", access=Access.SERVER, query=NoQuery, answer=NamedPlacement, problems=(404,)
)
def read_placement(name: str, query: NoQuery) -> Response:  # noqa: ARG001
    """One placement."""
    return answer_plain(_document(name))


def _document(name: str) -> dict[str, Any]:
    return {"name": name, **service().placement(name).model_dump(mode="json")}
