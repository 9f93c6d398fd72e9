"""One slate for a session: a cart, a history of views, a customer or none."""

from flask import Blueprint, Response, g

from api.schemas.answers import Answer
from api.schemas.requests import PopularQuery, RecommendationBody
from api.security.auth import require_customer
from api.security.permissions import Access
from api.serving.list_routes import list_operation
from api.serving.service import service
from api.web.openapi import operation
from api.web.responses import respond
from recommender.slate.plans import Plan, popular_plan
from recommender.storage.run_sync import run_sync

blueprint = Blueprint("recommendations", __name__, url_prefix="/v1")


@blueprint.post("/recommendations")
@operation(
    "recommend_for_session",
    tag="customers",
    access=Access.SESSION,
    body=RecommendationBody,
    answer=Answer,
    problems=(404, 408, 413, 415),
)
def recommend(body: RecommendationBody) -> Response:
    """What goes with the cart, what the customer will want next, what resembles the products viewed.

    Placement `cart` leads with what goes with the cart, every other with the customer's own lists. Products in the
    cart are never shown; ids that are not known are passed over. A cart and a history need no `customer_id`. What
    events told of the customer and of `session_id` since the training counts as well, within a moment.
    """
    if body.customer_id is not None:
        require_customer(body.customer_id)
    own, shop = service(), g.caller.shop
    desk, plan = own.desk(shop), body.plan()
    part = desk.enroll(body, body.customer_id)
    outcome = desk.fill(body, plan, run_sync(desk.fetch(plan.keys, plan.people, part.treatment)), part)
    return respond(own.answer_person(shop, body.customer_id, body.session_id, outcome, own.new_recommendation_id()))


@blueprint.get("/popular")
@list_operation("list_popular_products", tag="products", access=Access.PRODUCTS, query=PopularQuery)
def popular(query: PopularQuery) -> Plan:
    """Trending products, then best sellers, of one category or the whole shop."""
    return popular_plan(query.category)
