"""Routes of recommendations for a session and for everybody: cart, views and customer; best sellers."""

from flask import Blueprint, Response, g, request

from api.schemas.answers import Answer
from api.schemas.requests import PopularQuery, RecommendationBody
from api.security.auth import require_customer
from api.security.permissions import Permission
from api.serving.answers import prepare_private
from api.serving.list_routes import list_operation
from api.serving.service import service
from api.web.openapi import operation
from api.web.responses import respond
from recommender.slate.plans import RetrievalPlan, popular_plan
from recommender.storage.run_sync import run_sync

blueprint = Blueprint("recommendations", __name__, url_prefix="/v1")


@blueprint.post("/recommendations")
@operation(
    "recommend_for_session",
    tag="customers",
    access=Permission.SESSION,
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
    shop, plan = g.principal.shop, body.plan()
    builder = service().builder(shop, request.headers.get("Accept-Language"))
    enrollment = builder.enroll(body, body.customer_id)
    fetched = run_sync(builder.fetch(plan.keys, plan.people, enrollment.treatment))
    result = builder.fill(body, plan, fetched, enrollment)
    recommendation_id = service().new_recommendation_id()
    service().note_shown(shop, body.customer_id, body.session_id, result, recommendation_id)
    return respond(prepare_private(result, recommendation_id))


@blueprint.get("/popular")
@list_operation("list_popular_products", tag="products", access=Permission.PRODUCTS, query=PopularQuery)
def popular(query: PopularQuery) -> RetrievalPlan:
    """Trending products, then best sellers, of some categories or the whole shop."""
    return popular_plan(query.categories)
