"""One slate for a session: a cart, a history of views, a customer or none."""

from flask import Blueprint, Response

from api.answers import answer_private
from api.auth import Access
from api.openapi import operation
from api.plans import session_plan
from api.schemas import Answer, RecommendationBody
from api.service import service

blueprint = Blueprint("recommendations", __name__, url_prefix="/v1")


@blueprint.post("/recommendations")
@operation(
    "recommend_for_session",
    tag="customers",
    access=Access.SESSION,
    body=RecommendationBody,
    answer=Answer,
    problems=(404, 413, 415),
)
def recommend(body: RecommendationBody) -> Response:
    """What goes with the cart, what the customer will want next, what resembles the products viewed.

    Placement `cart` leads with what goes with the cart, every other with the customer's own lists. Products in the
    cart are never shown; ids that are not known are passed over. A cart and a history need no `customer_id`.
    """
    placement = service().placement(body.placement)
    return answer_private(service().fill(body, session_plan(body, placement)))
