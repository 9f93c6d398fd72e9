"""Our own OpenAPI document: it is valid, and requests made up from it get what it promises."""

import re
from collections.abc import Iterator
from typing import get_args

import jsonschema_rs
import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, settings

from api import create_app
from api.schemas import examples, profiles
from api.schemas.events import example_of
from recommender.errors import EventRejectedError
from recommender.events.event import EVENT_TYPES, Event, EventType, check_event, fields_of
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
        "/v1/campaigns/{campaign_id}/results",
        "/v1/placements",
        "/v1/placements/{name}",
        "/v1/models",
        "/v1/models/{version}/activate",
        "/v1/m/{signed}/{slot}/click",
        "/v1/m/{signed}/{slot}/image",
        "/v1/m/{signed}/{slot}/order",
        "/v1/m/{signed}/unsubscribe",
        "/v1/m/{signed}/fewer-mails",
        "/v1/m/{signed}/subscribe",
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


def event_validator(document, name):
    return jsonschema_rs.validator_for({"$ref": f"#/components/schemas/{name}", "components": document["components"]})


@pytest.mark.parametrize("event_type", EVENT_TYPES)
def test_every_event_type_has_a_schema_and_an_example_that_is_accepted(document, event_type):
    """One declaration: what the document says of a type is what the service checks."""
    union = document["components"]["schemas"]["EventsBody"]["properties"]["events"]["items"]
    assert union["discriminator"]["propertyName"] == "event_type"
    name = union["discriminator"]["mapping"][event_type].rpartition("/")[2]
    assert {"$ref": f"#/components/schemas/{name}"} in union["oneOf"]
    schema = document["components"]["schemas"][name]
    (example,) = schema["examples"]
    assert set(schema["properties"]) == set(fields_of(event_type)) <= set(Event.model_fields)
    assert event_validator(document, name).is_valid(example)
    assert check_event(example, small_shop.NOW, "EUR").event_type == event_type
    for needed in set(schema["required"]) - {"event_type"}:
        lacking = {field: value for field, value in example.items() if field != needed}
        assert not event_validator(document, name).is_valid(lacking)
        with pytest.raises(EventRejectedError, match=needed):
            check_event(lacking, small_shop.NOW, None)
    nulls = dict.fromkeys(set(schema["properties"]) - set(example))
    assert event_validator(document, name).is_valid({**example, **nulls})
    assert check_event({**example, **nulls}, small_shop.NOW, None)


def test_the_union_has_every_event_type_and_no_other(document):
    union = document["components"]["schemas"]["EventsBody"]["properties"]["events"]["items"]
    assert list(union["discriminator"]["mapping"]) == list(EVENT_TYPES) == list(get_args(EventType))
    assert len(union["oneOf"]) == len(EVENT_TYPES)
    table = document["paths"]["/v1/events"]["post"]["description"]
    assert re.findall(r"^\| `(\w+)` \| [A-Z]", table, re.MULTILINE) == list(EVENT_TYPES)


@pytest.mark.parametrize(
    ("fields", "valid"),
    [
        ({"product_id": 42, "customer_id": 7001, "unit_price": "4.50", "quantity": None}, True),
        *[({"quantity": wrong}, False) for wrong in (0, "2,5", True, "x")],
        *[({"product_id": wrong}, False) for wrong in ("", "x" * 513, True, 1.5, None)],
        *[({name: "x"}, False) for name in ("colour", "currency")],
    ],
)
def test_the_document_and_the_service_agree_on_values(document, fields, valid):
    event = {**example_of("purchase"), **fields}
    assert event_validator(document, "PurchaseEvent").is_valid(event) == valid
    assert APP.test_client().post("/v1/events", json={"events": [event]}, headers=HEADERS).status_code == (
        202 if valid else 400
    )


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
