"""Routes of one customer: slates, profile, and erasure."""

from flask import Blueprint, Response, g, request

from api.ids import ShopId
from api.schemas.answers import Erasure
from api.schemas.profiles import CustomerProfile
from api.schemas.requests import BuyAgainQuery, NoQuery, PersonalQuery, ProfileQuery
from api.security.permissions import Permission
from api.serving.answers import PRIVATE
from api.serving.list_routes import list_operation
from api.serving.profile import describe
from api.serving.service import service
from api.web.openapi import operation
from api.web.problems import problem
from api.web.responses import answer_plain
from recommender.campaigns.suppressions import erase as forget
from recommender.slate.plans import RetrievalPlan, personal_plan
from recommender.words.language import get_language

blueprint = Blueprint("customers", __name__, url_prefix="/v1/customers")


class ErasedId(ShopId):
    """Customer id in the path of an erasure: it ends like no other path of a customer. `reprise erase` takes any."""

    regex = r"(?s:(?!.*/(?:recommendations|buy-again|profile)\Z).+?)"


# the converter is named in the rule, which is a label of logs and metrics: its name stays
blueprint.record(lambda state: state.app.url_map.converters.update(forgotten_id=ErasedId))


@blueprint.get("/<shop_id:customer_id>/recommendations")
@list_operation("list_recommendations", tag="customers", access=Permission.PERSON, query=PersonalQuery)
def recommendations(customer_id: str, query: PersonalQuery) -> RetrievalPlan:
    """What this customer will want next: own products that are due, and new ones; events count within a moment.

    A customer without any list gets what sells now, and the answer says so in `fallback`.
    """
    return personal_plan(customer_id, query.mix, query.categories)


@blueprint.get("/<shop_id:customer_id>/buy-again")
@list_operation("list_products_to_buy_again", tag="customers", access=Permission.PERSON, query=BuyAgainQuery)
def buy_again(customer_id: str, query: BuyAgainQuery) -> RetrievalPlan:
    """Products that this customer bought before, with the date when each is due. Never filled with others."""
    return personal_plan(customer_id, "buy_again", query.categories)


@blueprint.get("/<shop_id:customer_id>/profile")
@operation(
    "read_profile",
    tag="customers",
    access=Permission.SERVER,
    query=ProfileQuery,
    answer=CustomerProfile,
    problems=(404, 503),
)
def profile(customer_id: str, query: ProfileQuery) -> Response:
    """Value, churn risk, rhythm, segment, lifecycle and due products of a customer; for servers, not for browsers.

    A customer of whom the version that answers knows nothing is a 404; before the first version nobody is known or
    unknown, and the answer is a 503, as that of `/health/ready`.
    """
    builder = service().builder(g.principal.shop, request.headers.get("Accept-Language"))
    if query.locale is not None:
        told = builder.presentation._replace(language=get_language(query.locale))
        builder = builder._replace(presentation=told)
    document = describe(builder, service().store, customer_id)
    if document is None:
        return problem(503, "model_not_ready", "no version is published; run `reprise train`")
    response = answer_plain(document)
    response.headers["Cache-Control"] = PRIVATE
    response.headers["Content-Language"] = builder.presentation.language.tag
    if query.locale is None:
        response.vary.add("Accept-Language")
    return response


@blueprint.delete("/<forgotten_id:customer_id>")
@operation("erase_customer", tag="customers", access=Permission.ADMIN, query=NoQuery, answer=Erasure, problems=(503,))
def erase(customer_id: str, query: NoQuery) -> Response:  # noqa: ARG001 - only checked
    """Forget a customer: lists of every version, events at hand and events that wait go at once, for good.

    Later events of this customer are refused, and later publishes leave the customer out. Archived events and saved
    versions are files of the trainer: `reprise erase` rewrites those. May be repeated.
    """
    lists, events = forget(service().shops.storage, g.principal.shop, customer_id, service().clock())
    return answer_plain({"events": events, "lists": lists})
