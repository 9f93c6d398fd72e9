"""Our own OpenAPI document: it is valid, and requests made up from it get what it promises."""

from collections.abc import Iterator

import jsonschema_rs
import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, settings

from api import create_app
from api.schemas import examples, profiles
from recommender.settings import Settings
from tests.fakes.shops import MemoryShopStorage
from tests.fakes.versions import MemoryVersionStore
from tests.support import small_shop
from tests.support.keyed_shop import add_key, bearer


def make_app() -> tuple[Flask, dict[str, str]]:
    """The app, and the headers of a caller whom every route lets in."""
    store = MemoryVersionStore()
    store.publish(small_shop.publication(), keep=3)
    storage = MemoryShopStorage({"default": store})
    headers = bearer(add_key(storage, "read", "events", "campaigns", "admin", rate_per_s=1e6))
    return create_app(Settings(log_level="error"), storage, lambda: small_shop.NOW), headers


APP, HEADERS = make_app()
REFUSALS = ["400", "401", "403", "404", "405", "406", "409", "413", "415", "422", "428", "429", "5xx"]
"""Schemathesis' own, and 413: what has more items than it may can have more bytes than it may, too."""
CONFIG = schemathesis.Config.from_dict({"checks": {"negative_data_rejection": {"expected-statuses": REFUSALS}}})
SCHEMA = schemathesis.openapi.from_wsgi("/openapi.json", APP, config=CONFIG)


@SCHEMA.parametrize()
@settings(max_examples=30, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_requests_made_up_from_the_document_get_what_it_promises(case: schemathesis.Case) -> None:
    case.call_and_validate(headers=HEADERS)


@pytest.fixture(scope="module")
def document() -> Iterator[dict]:
    with APP.test_client() as client:
        yield client.get("/openapi.json").json


def test_the_document_is_valid_openapi_3_1(document):
    assert document["openapi"] == "3.1.0"
    SCHEMA.validate()


def test_every_route_of_the_service_is_described(document):
    routes = {
        "/v1/products/{product_id}/similar",
        "/v1/products/{product_id}/bought-together",
        "/v1/customers/{customer_id}/recommendations",
        "/v1/customers/{customer_id}/buy-again",
        "/v1/customers/{customer_id}/profile",
        "/v1/recommendations",
        "/v1/popular",
        "/v1/products",
        "/v1/products/{product_id}",
        "/v1/customers/{customer_id}",
        "/v1/batch",
        "/v1/events",
        "/v1/campaigns/{campaign_id}",
        "/v1/campaigns/{campaign_id}/picks",
        "/v1/placements",
        "/v1/placements/{name}",
        "/v1/models",
        "/v1/models/{version}/activate",
        "/v1/m/{signed}/{slot}/click",
        "/v1/m/{signed}/{slot}/image",
        "/v1/m/{signed}/unsubscribe",
        "/health/live",
        "/health/ready",
    }
    assert set(document["paths"]) == routes


def test_every_operation_has_a_name_a_tag_and_problems(document):
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(set(names)) == len(names)
    tags = {tag["name"] for tag in document["tags"]}
    assert all(set(operation["tags"]) <= tags for operation in operations)
    for operation in operations:
        for status, response in operation["responses"].items():
            assert int(status) < 400 or list(response["content"]) == ["application/problem+json"]


@pytest.mark.parametrize(
    ("name", "example"),
    [
        ("Answer", examples.ANSWER),
        ("CustomerProfile", profiles.EXAMPLE),
        ("Problem", examples.PROBLEM),
        ("RecommendationBody", examples.BODY),
    ],
)
def test_examples_are_what_the_schemas_say(document, name, example):
    schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
    assert document["components"]["schemas"][name]["examples"] == [example]
    assert jsonschema_rs.validator_for(schema).is_valid(example)


@pytest.mark.parametrize(
    "path",
    [
        "/v1/products/MILK/similar",
        "/v1/products/KETTLE/similar",
        "/v1/customers/ANNA/recommendations",
        "/v1/customers/nobody/buy-again",
        "/v1/popular",
    ],
)
def test_answers_have_the_shape_of_the_schema(document, path):
    schema = {"$ref": "#/components/schemas/Answer", "components": document["components"]}
    jsonschema_rs.validator_for(schema).validate(APP.test_client().get(path, headers=HEADERS).json)


@pytest.mark.parametrize("path", ["/v1/customers/ANNA/profile", "/v1/customers/x%2Fy/profile"])
def test_profiles_have_the_shape_of_the_schema(document, path):
    schema = {"$ref": "#/components/schemas/CustomerProfile", "components": document["components"]}
    jsonschema_rs.validator_for(schema).validate(APP.test_client().get(path, headers=HEADERS).json)
