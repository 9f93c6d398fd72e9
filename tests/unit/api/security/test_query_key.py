"""A publishable key in the query: the same answers as in a header, whoever asks, and no trace of it."""

import io
import json
from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from api import create_app
from api.serving.fast_path import FastPath
from api.telemetry.logs import make_logger
from recommender.settings import Settings
from tests.fakes.shops import MemoryShopStorage
from tests.fakes.versions import MemoryVersionStore
from tests.support import small_shop
from tests.support.keyed_shop import ORIGIN, add_key, add_publishable_key, bearer, customer_token

SIMILAR = "/v1/products/MILK/similar"
PATHS = [
    SIMILAR,
    f"{SIMILAR}?limit=1",
    "/v1/popular?category=Dairy&exclude=BUTTER&limit=2",
    "/v1/products/nope/similar",
]


@pytest.fixture
def storage() -> MemoryShopStorage:
    store, other = MemoryVersionStore(), MemoryVersionStore()
    store.publish(small_shop.publication(), keep=3)
    renamed = [replace(product, title=f"Other {product.title}") for product in small_shop.PRODUCTS]
    other.publish(small_shop.publication(products=renamed), keep=3)
    return MemoryShopStorage({"default": store, "other": other})


@pytest.fixture
def public(storage) -> str:
    return add_publishable_key(storage)


@pytest.fixture(params=["fast path", "flask"])
def client(request, storage, public) -> FlaskClient:
    app = create_app(Settings(), storage, lambda: small_shop.NOW)
    if request.param == "flask":

        async def leave(*_: object) -> None:
            return None

        assert isinstance(app.wsgi_app, FastPath)
        app.wsgi_app._find = leave
    return app.test_client()


def with_key(path: str, key: str) -> str:
    return f"{path}{'&' if '?' in path else '?'}key={key}"


@pytest.mark.parametrize("path", PATHS)
def test_the_answer_is_that_to_the_key_in_a_header(client, public, path):
    by_header = client.get(path, headers=bearer(public, origin=ORIGIN) | {"X-Request-ID": "1"})
    first, _, rest = with_key(path, public).partition("?")
    for address in (with_key(path, public), f"{first}?{'&'.join(reversed(rest.split('&')))}"):
        by_query = client.get(address, headers={"Origin": ORIGIN, "X-Request-ID": "1"})
        assert by_query.status_code == by_header.status_code
        assert by_query.headers.get("ETag") == by_header.headers.get("ETag") or "limit=2" in path
        assert by_query.headers["Access-Control-Allow-Origin"] == ORIGIN
        assert by_query.json.get("items") == by_header.json.get("items")


def test_two_keys_share_a_kept_answer_and_two_shops_do_not(storage, public):
    second, foreign = add_publishable_key(storage), add_publishable_key(storage, shop="other")
    client = create_app(Settings(), storage, lambda: small_shop.NOW).test_client()
    one, two, other = (client.get(with_key(SIMILAR, key)) for key in (public, second, foreign))
    assert (one.status_code, one.data, one.headers["ETag"]) == (200, two.data, two.headers["ETag"])
    assert other.data != one.data
    shops = client.application.extensions["reprise"].shops
    assert [len(shops.cache(shop).state.answers._entries) for shop in ("default", "other")] == [1, 1]


def test_who_has_it_already_gets_a_304(client, public):
    etag = client.get(with_key(SIMILAR, public)).headers["ETag"]
    answer = client.get(with_key(SIMILAR, public), headers={"If-None-Match": etag})
    assert (answer.status_code, answer.data) == (304, b"")


def test_a_persons_list_still_needs_the_token(client, storage, public):
    secret, path = add_key(storage, "read"), "/v1/customers/ANNA/buy-again"
    client.application.extensions["reprise"].shops.follow()
    assert client.get(with_key(path, public)).status_code == 401
    token = {"Reprise-Customer-Token": customer_token(secret, "ANNA")}
    assert client.get(with_key(path, public), headers=token).status_code == 200


def test_a_page_of_another_origin_is_refused(client, public):
    answer = client.get(with_key(SIMILAR, public), headers={"Origin": "https://evil.example"})
    assert (answer.status_code, answer.headers.get("Access-Control-Allow-Origin")) == (403, None)


@pytest.mark.parametrize("key", ["sk_{secret}", "sk%5F{secret}", "nonsense", ""])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_other_key_may_stand_there(client, storage, key, method):
    secret = add_key(storage, "read", "events").removeprefix("sk_")
    client.application.extensions["reprise"].shops.follow()
    path = SIMILAR if method == "GET" else "/v1/recommendations"
    answer = client.open(with_key(path, key.format(secret=secret)), method=method)
    assert (answer.status_code, answer.json["code"]) == (401, "unauthorized")
    assert "only a publishable key" in answer.json["detail"]
    assert secret not in answer.text


def test_a_server_without_keys_says_so_too(storage):
    client = create_app(Settings(), MemoryShopStorage(), lambda: small_shop.NOW).test_client()
    assert client.get(f"{SIMILAR}?key=sk_1_2").status_code == 401


def test_one_key_is_enough(client, public):
    assert client.get(with_key(SIMILAR, public), headers=bearer(public)).status_code == 401
    assert client.get(f"{with_key(SIMILAR, public)}&key={public}").status_code == 401


def test_a_request_of_a_batch_has_no_key_of_its_own(storage, public):
    secret = add_key(storage, "read")
    client = create_app(Settings(), storage, lambda: small_shop.NOW).test_client()
    batch = {"requests": [{"path": SIMILAR}, {"path": with_key(SIMILAR, public)}]}
    answers = client.post("/v1/batch", json=batch, headers=bearer(secret)).json["responses"]
    assert [answer["status"] for answer in answers] == [200, 400]
    alone = client.get(with_key(SIMILAR, public)).json
    assert answers[0]["body"]["recommendation_id"] == alone["recommendation_id"]


def test_no_log_line_holds_it(client, public):
    stream = io.StringIO()
    client.application.extensions["reprise_log"] = make_logger("debug", stream)
    for path in (*PATHS, "/v1/nope", "/v1/models", "/v1/popular?limit=0"):
        client.get(with_key(path, public))
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert len(lines) == len(PATHS) + 3
    assert public.split("_")[2] not in stream.getvalue()
