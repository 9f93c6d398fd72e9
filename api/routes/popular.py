"""What sells, whoever asks."""

from flask import Blueprint, Response

from api.answers import answer_public
from api.auth import Access
from api.openapi import operation
from api.plans import popular_plan
from api.schemas import Answer, PopularQuery
from api.service import service

blueprint = Blueprint("popular", __name__, url_prefix="/v1")


@blueprint.get("/popular")
@operation(
    "list_popular_products",
    tag="products",
    access=Access.PRODUCTS,
    query=PopularQuery,
    answer=Answer,
    shared=True,
    problems=(404,),
)
def popular(query: PopularQuery) -> Response:
    """Trending products, then best sellers, of one category or the whole shop."""
    return answer_public(service().fill(query, popular_plan(query.category)))
