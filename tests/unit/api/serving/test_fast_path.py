"""The layer before Flask gives what Flask would give, and leaves to Flask whatever is not plain."""

import pytest
from flask import Flask
from werkzeug.test import Client, TestResponse

from api.serving.fast_path import FastPath
from api.serving.list_routes import MAX_KEY_LENGTH
from tests.support import small_shop

LISTS = [
    "/v1/products/MILK/similar",
    "/v1/products/a%2Fb%20c/similar",
    "/v1/products/k%C3%A4se%20%F0%9F%A7%80/similar",
    "/v1/products/BREAD/bought-together?limit=1",
    "/v1/popular?category=Dairy&exclude=BUTTER&exclude=OLD",
    "/v1/popular?category=",
    "/v1/popular?category=%FF",
    "/v1/customers/ANNA/recommendations?mix=discover",
    "/v1/customers/x/y/buy-again?due_within=14d",
    "/v1/customers/nobody/recommendations",
]
SHARED = [path for path in LISTS if "customers" not in path]
UNKNOWN = "/v1/products/nope/similar"
OTHERS = [
    "/v1/popular?limit=0",
    "/v1/popular?placement=nope",
    "/v1/popular/",
    "/v1/nope",
    "/v1/placements",
    "/health/live",
    f"/v1/popular?category={'x' * MAX_KEY_LENGTH}",
]


class Behind:
    """What stands behind the front; counts who comes."""

    def __init__(self, app) -> None:
        self.app = app
        self.calls = 0

    def __call__(self, environ, start_response):
        self.calls += 1
        return self.app(environ, start_response)


@pytest.fixture
def behind(app: Flask) -> Behind:
    assert isinstance(app.wsgi_app, FastPath)
    app.wsgi_app.app = behind = Behind(app.wsgi_app.app)
    return behind


@pytest.fixture
def flask_alone(app: Flask, behind: Behind) -> Client:
    """The same app without the front."""
    with app.test_client() as client:
        client.get("/v1/placements")  # opens the shop
    return Client(behind.app)


def stable(answer: TestResponse) -> tuple:
    """What two answers to the same request have in common."""
    changing = ("X-Request-ID", "Server-Timing", "Content-Length", "Date")
    headers = sorted((name, value) for name, value in answer.headers if name not in changing)
    body = {
        name: value for name, value in (answer.json or {}).items() if name not in ("recommendation_id", "request_id")
    }
    return answer.status_code, headers, body


@pytest.mark.parametrize("path", [*LISTS, UNKNOWN, *OTHERS])
def test_whoever_answers_the_answer_is_the_same(client, flask_alone, path):
    alone = stable(flask_alone.get(path))
    assert stable(client.get(path)) == alone  # made, or found, as Flask kept it
    assert stable(client.get(path)) == alone


@pytest.mark.parametrize("path", LISTS)
def test_lists_are_answered_without_flask(client, behind, path):
    assert client.get(path).status_code == 200
    assert behind.calls == 0


def test_so_is_an_unknown_product(client, behind, store):
    client.get("/v1/popular")
    before = store.reads
    assert client.get(UNKNOWN, headers={"X-Request-ID": "ours"}).json["request_id"] == "ours"
    assert (behind.calls, store.reads - before) == (0, 1)


@pytest.mark.parametrize("path", OTHERS)
def test_everything_else_goes_to_flask_once(client, behind, path):
    client.get(path)
    assert behind.calls == 1


@pytest.mark.parametrize("method", ["HEAD", "POST", "OPTIONS", "DELETE", "BREW"])
def test_so_does_every_other_method(client, behind, method):
    client.open("/v1/popular", method=method)
    assert behind.calls == 1


@pytest.mark.parametrize("path", SHARED)
def test_a_shared_answer_is_made_once(client, store, path):
    first = client.get(path)
    reads = store.reads
    again = client.get(path)
    assert (again.data, again.headers["ETag"]) == (first.data, first.headers["ETag"])
    assert store.reads == reads


def test_what_flask_made_is_kept_too_and_head_is_not(client, behind):
    client.head("/v1/popular")
    kept = client.get("/v1/popular", headers={"If-None-Match": '"other"'})
    assert (behind.calls, kept.status_code) == (2, 200)
    assert client.get("/v1/popular").data == kept.data
    assert behind.calls == 2


@pytest.mark.parametrize(
    ("form", "by_flask"), [("{}", 0), ("W/{}", 1), ('"other", {}', 1), ("*", 1)], ids=["same", "weak", "list", "any"]
)
def test_an_etag_that_still_holds_is_a_304_however_it_is_written(client, behind, form, by_flask):
    etag = client.get("/v1/popular").headers["ETag"]
    answer = client.get("/v1/popular", headers={"If-None-Match": form.format(etag)})
    assert (answer.status_code, answer.data, answer.headers["ETag"]) == (304, b"", etag)
    assert "Content-Type" not in answer.headers
    assert behind.calls == by_flask


def test_a_long_request_is_not_kept(app, client):
    client.get("/v1/popular")
    answers = app.extensions["reprise"].shops.cache("default").state.answers
    assert len(answers) == 1
    client.get(f"/v1/popular?exclude={'x' * MAX_KEY_LENGTH}")
    assert len(answers) == 1


def test_a_person_is_kept_nowhere(app, client):
    client.get("/v1/customers/ANNA/recommendations")
    assert len(app.extensions["reprise"].shops.cache("default").state.answers) == 0


def test_unknown_products_leave_nothing(app, client):
    for i in range(2_000):
        assert client.get(f"/v1/products/nope-{i}/similar").status_code == 404
    state = app.extensions["reprise"].shops.cache("default").state
    assert (len(state.answers), len(state.lists)) == (0, 0)


def test_a_publish_makes_every_answer_anew(app, client, store):
    before = client.get("/v1/popular")
    store.publish(small_shop.publication("20261121T020000Z-3f2a"), keep=2)
    app.extensions["reprise"].shops.follow()
    after = client.get("/v1/popular")
    assert (before.json["model_version"], after.json["model_version"]) == (small_shop.VERSION, "20261121T020000Z-3f2a")


def test_the_callers_request_id_is_given_back(client):
    for _ in range(2):
        assert client.get("/v1/popular", headers={"X-Request-ID": "abc-1"}).headers["X-Request-ID"] == "abc-1"
