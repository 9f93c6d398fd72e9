import io
import json

import pytest

from api import create_app
from api.telemetry.logs import make_logger
from api.web.access_log import MOST_PARTS
from recommender.settings import Settings
from tests.fakes.shops import MemoryShopStorage
from tests.fakes.versions import MemoryVersionStore
from tests.support import small_shop
from tests.support.keyed_shop import add_key


@pytest.fixture
def lines(app):
    stream = io.StringIO()
    app.extensions["reprise_log"] = make_logger("info", stream)
    return lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_request_is_one_line_with_its_route_and_no_ids(client, lines):
    answer = client.get("/v1/customers/ANNA/recommendations?exclude=MILK", headers={"Authorization": "Bearer secret"})
    (line,) = lines()
    assert line["route"] == "/v1/customers/<shop_id:customer_id>/recommendations"
    assert (line["method"], line["status"], line["level"]) == ("GET", 200, "info")
    assert line["request_id"] == answer.headers["X-Request-ID"]
    assert line["ms"] >= 0
    assert not {"ANNA", "MILK", "secret"} & set(json.dumps(line).replace('"', " ").replace("/", " ").split())


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("/nope/ANNA", "/*/*"),
        ("/v1/customer/ANNA/recommendations", "/v1/*/*/recommendations"),
        ("/v1/customers/ANNA/recommendationz?limit=3", "/v1/customers/*/*"),
        ("/v2/products/MILK/similar", "/*/products/*/similar"),
        ("/v1//ANNA", "/v1/*/*"),
        ("/nope", "/*"),
        ("/a%0Ab%1B%5B31m/k%C3%A4se%FF", "/*/*"),
        ("/" + "x" * 50_000, "/*"),
        ("/v1" + "/ANNA" * 5_000, "/v1" + "/*" * (MOST_PARTS - 1) + "/…"),
    ],
)
def test_of_an_unknown_path_the_words_of_routes_are_logged(client, lines, asked, shown):
    status = client.get(asked).status_code
    assert status in (404, 405)
    assert [(line["route"], line["status"], line["path"]) for line in lines()] == [(None, status, shown)]


def test_a_known_route_has_no_path_in_its_line(client, lines):
    client.get("/v1/products/nope/similar")
    client.get("/v1/products/MILK/similar")
    client.get("/v1/customers/ANNA/profile")
    assert len(lines()) == 3
    assert [line for line in lines() if line.keys() & {"path", "key_id"}] == []


@pytest.mark.parametrize("path", ["/v1/popular", "/v1/customers/ANNA/recommendations", "/v1/placements"])
def test_who_asks_too_often_is_named_by_the_id_of_the_key_and_never_by_the_key(path):
    storage, stream = MemoryShopStorage({"default": MemoryVersionStore()}), io.StringIO()
    key = add_key(storage, "read", "admin")
    app = create_app(Settings(secret_rate_per_s=0.001), storage, lambda: small_shop.NOW, stream)
    answers = [app.test_client().get(path, headers={"Authorization": f"Bearer {key}"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 429]
    first, second = (line for line in map(json.loads, stream.getvalue().splitlines()) if line["event"] == "request")
    assert "key_id" not in first
    assert second["key_id"] == key.split("_")[1]
    assert key.split("_")[2] not in stream.getvalue()


@pytest.mark.parametrize("name", ["abc-123", "a" * 128, "00-4bf9:x.y_z"])
def test_a_callers_request_id_is_kept(client, name):
    assert client.get("/health/live", headers={"X-Request-ID": name}).headers["X-Request-ID"] == name


@pytest.mark.parametrize("name", ["", "a" * 129, "a b", "{}", "é", '"'])
def test_a_request_id_that_is_not_fit_for_a_line_is_replaced(client, name):
    given = client.get("/health/live", headers={"X-Request-ID": name}).headers["X-Request-ID"]
    assert given != name
    assert len(given) == 32


def test_the_level_drops_what_is_under_it(app, client):
    stream = io.StringIO()
    app.extensions["reprise_log"] = make_logger("warning", stream)
    client.get("/health/live")
    assert stream.getvalue() == ""
