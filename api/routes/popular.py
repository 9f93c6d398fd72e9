"""What sells, whoever asks."""

from flask import Blueprint

from api.access import Access
from api.lists import list_operation
from api.plans import Plan, popular_plan
from api.request_schemas import PopularQuery

blueprint = Blueprint("popular", __name__, url_prefix="/v1")


@blueprint.get("/popular")
@list_operation("list_popular_products", tag="products", access=Access.PRODUCTS, query=PopularQuery)
def popular(query: PopularQuery) -> Plan:
    """Trending products, then best sellers, of one category or the whole shop."""
    return popular_plan(query.category)
