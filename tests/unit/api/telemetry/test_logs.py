import io
import json

import pytest

from api.telemetry.logs import make_logger


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


def test_an_unknown_path_is_logged_without_it(client, lines):
    client.get("/nope/ANNA")
    assert [(line["route"], line["status"]) for line in lines()] == [(None, 404)]


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
