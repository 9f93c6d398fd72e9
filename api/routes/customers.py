"""One customer's slates."""

from flask import Blueprint, Response

from api.answers import answer_private
from api.auth import Access
from api.openapi import operation
from api.plans import personal_plan
from api.schemas import Answer, BuyAgainQuery, PersonalQuery
from api.service import service

blueprint = Blueprint("customers", __name__, url_prefix="/v1/customers/<shop_id:customer_id>")


@blueprint.get("/recommendations")
@operation(
    "list_recommendations", tag="customers", access=Access.PERSON, query=PersonalQuery, answer=Answer, problems=(404,)
)
def recommendations(customer_id: str, query: PersonalQuery) -> Response:
    """What this customer will want next: own products that are due, and new ones.

    A customer without any list gets what sells now, and the answer says so in `fallback`.
    """
    mix = query.mix or service().placement(query.placement).mix
    return answer_private(service().fill(query, personal_plan(customer_id, mix, query.category)))


@blueprint.get("/buy-again")
@operation(
    "list_products_to_buy_again",
    tag="customers",
    access=Access.PERSON,
    query=BuyAgainQuery,
    answer=Answer,
    problems=(404,),
)
def buy_again(customer_id: str, query: BuyAgainQuery) -> Response:
    """Products that this customer bought before, with the date when each is due. Never filled with others."""
    return answer_private(service().fill(query, personal_plan(customer_id, "buy_again", query.category)))
