"""What every answer tells browsers, on every route, and that HEAD and OPTIONS are there on each."""

import pytest
from flask import Flask, Response
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from api import create_app
from api.security.permissions import Permission, accessible
from api.web.headers import SECURITY_HEADERS
from recommender.settings import Settings
from tests.fakes.shops import MemoryShopStorage
from tests.support import small_shop
from tests.support.keyed_shop import ORIGIN, add_publishable_key, bearer


@pytest.fixture
def paths(app: Flask) -> list[str]:
    """One path of each route."""
    return sorted({rule.build(dict.fromkeys(rule.arguments, "MILK"))[1] for rule in app.url_map.iter_rules()})


def missing(response: Response | TestResponse) -> list[str]:
    """The security headers that `response` should have once, and has not."""
    return [name for name, _ in SECURITY_HEADERS if len(response.headers.getlist(name)) != 1]


def test_every_route_and_every_error_has_the_security_headers(client: FlaskClient, paths: list[str]):
    methods = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE", "PATCH", "BREW")
    answers = [
        client.open(path, method=method) for path in [*paths, "/nowhere", "/v1/popular?limit=0"] for method in methods
    ]
    assert {200, 404, 405, 415} <= {answer.status_code for answer in answers}
    assert {(answer.request.path, answer.status): missing(answer) for answer in answers if missing(answer)} == {}


def test_an_answer_is_no_page_but_the_docs_are(client: FlaskClient):
    policy = client.get("/v1/popular").headers["Content-Security-Policy"]
    assert policy == "default-src 'none'; frame-ancestors 'none'"
    docs = client.get("/docs").headers["Content-Security-Policy"]
    assert docs.startswith("default-src 'self'")
    assert "frame-ancestors 'none'" in docs


def test_kept_and_unchanged_answers_have_them_too(client: FlaskClient):
    first = client.get("/v1/products/MILK/similar")
    kept = client.get("/v1/products/MILK/similar")
    unchanged = client.get("/v1/products/MILK/similar", headers={"If-None-Match": first.headers["ETag"]})
    assert [answer.status_code for answer in (first, kept, unchanged)] == [200, 200, 304]
    assert [missing(answer) for answer in (first, kept, unchanged)] == [[], [], []]


def test_an_error_of_ours_and_an_outage_have_them_too(app: Flask, down_client: FlaskClient, monkeypatch):
    broken = app.test_client()
    monkeypatch.setitem(app.view_functions, "operations.live", accessible(Permission.OPEN)(lambda: 1 // 0))
    answers = [broken.get("/health/live"), down_client.get("/v1/models"), down_client.get("/v1/popular")]
    assert [answer.status_code for answer in answers] == [500, 503, 200]
    assert [missing(answer) for answer in answers] == [[], [], []]


def test_a_preflight_and_a_refusal_have_them_too():
    storage = MemoryShopStorage()
    add_publishable_key(storage)
    client = create_app(Settings(), storage, lambda: small_shop.NOW).test_client()
    asked = {"Origin": ORIGIN, "Access-Control-Request-Method": "GET"}
    answers = [client.options("/v1/popular", headers=asked), client.get("/v1/popular", headers=bearer("pk_0_0"))]
    assert [answer.status_code for answer in answers] == [204, 401]
    assert [missing(answer) for answer in answers] == [[], []]


def test_no_answer_names_the_software(client: FlaskClient, paths: list[str]):
    for path in paths:
        assert not {"Server", "X-Powered-By"} & set(client.get(path).headers.keys())


def test_head_is_get_without_a_body(client: FlaskClient, paths: list[str]):
    changing = {"Date", "Server-Timing", "X-Request-ID", "Content-Length"}
    for path in paths:
        got, head = client.get(path), client.head(path)
        assert (head.status_code, head.data) == (got.status_code, b""), path
        assert set(head.headers.keys()) >= set(got.headers.keys()) - {"Content-Length"}, path
        if "recommendation_id" not in got.text and path != "/metrics":
            told = [{k: v for k, v in answer.headers.items() if k not in changing} for answer in (got, head)]
            assert told[0] == told[1], path
            assert abs(int(head.headers["Content-Length"]) - len(got.data)) <= 40, path  # a problem names its request


def test_options_tells_the_methods(client: FlaskClient, paths: list[str]):
    for path in paths:
        answer = client.options(path)
        assert answer.status_code == 200
        assert "OPTIONS" in answer.headers["Allow"]
        assert not {name for name, _ in answer.headers if name.startswith("Access-Control-")}


@pytest.mark.parametrize("method", ["BREW", "TRACE", "CONNECT", "PROPFIND", "G" * 1000])
def test_unknown_methods_are_refused_everywhere(client: FlaskClient, paths: list[str], method: str):
    assert {client.open(path, method=method).status_code for path in paths} == {405}
