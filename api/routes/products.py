"""What goes with one product, and what may stand in for it."""

from flask import Blueprint, Response

from api.answers import answer_public
from api.auth import Access
from api.openapi import operation
from api.plans import product_plan
from api.schemas import Answer, BoughtTogetherQuery, SimilarQuery
from api.service import service
from recommender.publication import ListKey

blueprint = Blueprint("products", __name__, url_prefix="/v1/products/<shop_id:product_id>")


@blueprint.get("/similar")
@operation(
    "list_similar_products",
    tag="products",
    access=Access.PRODUCTS,
    query=SimilarQuery,
    answer=Answer,
    shared=True,
    problems=(404,),
)
def similar(product_id: str, query: SimilarQuery) -> Response:
    """Products that the same customers buy instead of this one.

    A product with too few buyers to learn from gets best sellers of its category, or of the shop, and the answer
    says so in `fallback`.
    """
    return answer_public(service().fill(query, product_plan(ListKey("similar", product_id), "similar")))


@blueprint.get("/bought-together")
@operation(
    "list_products_bought_together",
    tag="products",
    access=Access.PRODUCTS,
    query=BoughtTogetherQuery,
    answer=Answer,
    shared=True,
    problems=(404,),
)
def bought_together(product_id: str, query: BoughtTogetherQuery) -> Response:
    """Products that are often in the same order as this one."""
    return answer_public(service().fill(query, product_plan(ListKey("together", product_id), "complement")))
