"""Routes of products: similar ones, ones bought together, and catalogue overrides."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response
from pydantic import ValidationError

from api.ids import ShopId
from api.schemas.products import LiveProductAnswer, NamedProduct, ProductBody, ProductsAnswer, ProductsBody
from api.schemas.requests import BoughtTogetherQuery, NoQuery, SimilarQuery
from api.security.permissions import Permission
from api.serving.list_routes import list_operation
from api.serving.service import service
from api.telemetry.metrics import count_product_changes
from api.web.openapi import operation
from api.web.parsing import invalid, nothing_accepted, wrong_fields
from api.web.responses import answer_plain
from recommender.catalogue.overrides import OVERRIDE_FIELDS, ProductChange, read_record
from recommender.publication.lists import ListKey
from recommender.publication.product import ADDRESSES
from recommender.slate.plans import RetrievalPlan, product_plan
from recommender.web_address import shop_address

blueprint = Blueprint("products", __name__, url_prefix="/v1/products")


class OverriddenId(ShopId):
    """Product id in the path of an override: it ends like no path of a list. `change_products` takes any."""

    regex = r"(?s:(?!.*/(?:similar|bought-together)\Z).+?)"


# the converter is named in the rules, which are labels of logs and metrics: its name stays
blueprint.record(lambda state: state.app.url_map.converters.update(told_id=OverriddenId))


@blueprint.get("/<shop_id:product_id>/similar")
@list_operation("list_similar_products", tag="products", access=Permission.PRODUCTS, query=SimilarQuery)
def similar(product_id: str, query: SimilarQuery) -> RetrievalPlan:  # noqa: ARG001 - it counts in every list
    """Products that the same customers buy instead of this one.

    A product with too few buyers to learn from gets best sellers of its category, or of the shop, and the answer
    says so in `fallback`.
    """
    return product_plan(ListKey("similar", product_id), "similar")


@blueprint.get("/<shop_id:product_id>/bought-together")
@list_operation("list_products_bought_together", tag="products", access=Permission.PRODUCTS, query=BoughtTogetherQuery)
def bought_together(product_id: str, query: BoughtTogetherQuery) -> RetrievalPlan:  # noqa: ARG001
    """Products that are often in the same order as this one."""
    return product_plan(ListKey("together", product_id), "complement")


@blueprint.put("/<told_id:product_id>")
@operation(
    "set_product",
    tag="administration",
    access=Permission.CATALOGUE,
    query=NoQuery,
    body=ProductBody,
    answer=LiveProductAnswer,
    problems=(408, 413, 415, 503),
)
def set_product(product_id: str, query: NoQuery, body: ProductBody) -> Response:  # noqa: ARG001 - only checked
    """Say all that is to be said of a product, in place of what was said before.

    It wins over every version, of today and of later trainings, until it is said otherwise or taken back. All workers
    follow within a second.
    """
    return _update(ProductChange(product_id, "put", body.model_dump(mode="json", exclude_none=True)))


@blueprint.patch("/<told_id:product_id>")
@operation(
    "change_product",
    tag="administration",
    access=Permission.CATALOGUE,
    query=NoQuery,
    body=ProductBody,
    answer=LiveProductAnswer,
    problems=(408, 413, 415, 503),
)
def change_product(product_id: str, query: NoQuery, body: ProductBody) -> Response:  # noqa: ARG001
    """Say some things of a product: what is left out stays as it is, null takes a field back."""
    return _update(ProductChange(product_id, "patch", body.model_dump(mode="json", exclude_unset=True)))


@blueprint.delete("/<told_id:product_id>")
@operation(
    "take_product_back",
    tag="administration",
    access=Permission.CATALOGUE,
    query=NoQuery,
    answer=LiveProductAnswer,
    problems=(503,),
)
def take_product_back(product_id: str, query: NoQuery) -> Response:  # noqa: ARG001
    """Take back what was said of a product: the version counts again. May be repeated."""
    return _update(ProductChange(product_id, "delete"))


@blueprint.post("")
@operation(
    "change_products",
    tag="administration",
    access=Permission.CATALOGUE,
    query=NoQuery,
    body=ProductsBody,
    answer=ProductsAnswer,
    problems=(408, 413, 415, 503),
)
def change_products(query: NoQuery, body: ProductsBody) -> Response:  # noqa: ARG001
    """Say some things of up to 1,000 products, in this order. One that cannot be is named and stops no other.

    Where none can be it is a 400. As with one product, what is left out stays as it is and null takes a field back.
    """
    checked = [_check(raw) for raw in body.products]
    changes = [change for change in checked if isinstance(change, ProductChange)]
    if changes:
        service().store.update_products(changes)
    rejected = [
        {"index": index, "code": "invalid_product", "message": message}
        for index, message in enumerate(checked)
        if isinstance(message, str)
    ]
    count_product_changes(len(changes), len(rejected))
    if not changes:
        raise nothing_accepted("products", rejected)
    return answer_plain({"accepted": len(changes), "rejected": rejected})


def _update(change: ProductChange) -> Response:
    if wrong := _wrong_addresses(change.fields):
        raise invalid(wrong)
    (record,) = service().store.update_products([change])
    fields = {} if record is None else read_record(record)
    return answer_plain({"product_id": change.product_id, **{name: fields.get(name) for name in OVERRIDE_FIELDS}})


def _check(raw: Any) -> ProductChange | str:
    """The change to a product's overrides, or the message why it is invalid."""
    if not isinstance(raw, dict):
        return "should be an object"
    try:
        named = NamedProduct.model_validate(raw)
    except ValidationError as error:
        return str(wrong_fields(NamedProduct, error))
    fields = named.model_dump(mode="json", exclude_unset=True, exclude={"product_id"})
    if wrong := _wrong_addresses(fields):
        return str(invalid(wrong))
    return ProductChange(named.product_id, "patch", fields)


def _wrong_addresses(fields: Mapping[str, Any]) -> list[dict[str, str]]:
    """The addresses among fields that may not be shown, as errors."""
    hosts = service().settings.link_hosts
    where = f"at {' or '.join(hosts)}" if hosts else "at any host"
    message = f"must be an http or https address {where} without a name and password, or a path that begins with one /"
    wrong = [name for name in ADDRESSES if fields.get(name) is not None and shop_address(fields[name], hosts) is None]
    return [{"field": name, "message": message} for name in wrong]
