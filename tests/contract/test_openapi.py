"""Our own OpenAPI document: it is valid, and requests made up from it get what it promises."""

from collections.abc import Iterator

import jsonschema_rs
import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, settings

from api import create_app, examples
from recommender.memory_store import MemoryStore
from recommender.settings import Settings
from recommender.warehouse import MemoryWarehouse
from tests import small_shop


def make_app() -> Flask:
    store = MemoryStore()
    store.publish(small_shop.publication(), keep=3)
    return create_app(Settings(log_level="error"), MemoryWarehouse({"default": store}), lambda: small_shop.NOW)


APP = make_app()
SCHEMA = schemathesis.openapi.from_wsgi("/openapi.json", APP)


@SCHEMA.parametrize()
@settings(max_examples=100, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_requests_made_up_from_the_document_get_what_it_promises(case: schemathesis.Case) -> None:
    case.call_and_validate()


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
        "/v1/recommendations",
        "/v1/popular",
        "/v1/placements",
        "/v1/placements/{name}",
        "/v1/models",
        "/v1/models/{version}/activate",
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
    [("Answer", examples.ANSWER), ("Problem", examples.PROBLEM), ("RecommendationBody", examples.BODY)],
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
    jsonschema_rs.validator_for(schema).validate(APP.test_client().get(path).json)
