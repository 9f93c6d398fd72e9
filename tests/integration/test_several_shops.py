"""Two shops on one server and one Redis: neither sees, changes, drives out or holds up what is the other's."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from api import create_app
from api.security.rate_limits import RateLimits
from recommender.connection.client import RedisClient
from recommender.publication.lists import WHOLE_SHOP
from recommender.redis.keys import REQUESTS, Keys
from recommender.redis.shops import RedisShopStorage
from recommender.settings import Settings
from recommender.slate.placements import Placement
from recommender.storage import cache
from tests.conftest import Lists, build_publication
from tests.support.keyed_shop import ORIGIN, add_key, add_publishable_key, bearer, customer_token, key_id
from tests.support.redis_servers import redis_server
from tests.support.small_shop import NOW

VERSIONS = {"a": "20261120T020000Z-aaaa", "b": "20261119T010000Z-bbbb"}
N_PRODUCTS = 80
OWNERS = [f"p{i}" for i in range(N_PRODUCTS)]
INJECTIONS = [
    "}:v:" + VERSIONS["b"] + ":similar",
    "{b}",
    "reprise:{b}:current",
    "}:current",
    "a}:x{b",
    "../b",
    "b/p1",
    "*",
    "p1\0",
    "p1\r\nGET reprise:{b}:current",
    VERSIONS["b"],
]

Ask = Callable[..., TestResponse]


class Servers:
    """The shops on the server, and a client to look behind it."""

    def __init__(self, url: str, client: RedisClient) -> None:
        self.storage = RedisShopStorage(url, timeout_ms=5_000)
        self.client = client

    def snapshot(self, shop: str) -> dict[bytes, bytes]:
        """Every key of a shop with what is in it."""
        keys = self.client.call("KEYS", Keys(shop).current.replace("current", "*"))
        return {key: self.client.call("DUMP", key) for key in sorted(keys)}

    def n_reads(self) -> int:
        """Reads of lists that Redis answered so far."""
        stats = self.client.call("INFO", "commandstats")
        return int(stats.get("cmdstat_evalsha", {"calls": 0})["calls"])


@pytest.fixture
def servers(tmp_path: Path, connect: Callable[[str], RedisClient]) -> Iterator[Servers]:
    with redis_server(tmp_path / "redis") as server:
        servers = Servers(server.url, connect(server.url))
        for shop in VERSIONS:
            publish(servers, shop)
        yield servers
        servers.storage.close()


def publish(servers: Servers, shop: str) -> None:
    """The same ids in both shops, and what differs names the shop's version. `only-a` has lists in shop a alone."""
    first = 1 if shop == "a" else 5
    ranked = [first, first + 1, first + 2, first + 3]
    lists: Lists = {
        "similar": dict.fromkeys(OWNERS, ranked),
        "together": dict.fromkeys(OWNERS, ranked),
        "buy_again": {"ann": ranked, f"only-{shop}": ranked},
        "discover": {"ann": [first + 10], f"only-{shop}": [first + 10]},
        "popular": {WHOLE_SHOP: ranked},
        "trending": {WHOLE_SHOP: ranked},
    }
    store = servers.storage.store(shop)
    store.publish(build_publication(VERSIONS[shop], lists, n_products=N_PRODUCTS), keep=3)
    store.place("home", Placement(cap=3 if shop == "a" else 2, default_limit=1))
    store.place(f"only-{shop}", Placement(cap=9, default_limit=9))


@pytest.fixture
def app(servers: Servers) -> Flask:
    return create_app(Settings(log_level="error"), servers.storage, lambda: NOW)


@pytest.fixture
def ask(servers: Servers, app: Flask) -> dict[str, Ask]:
    """By shop, a function that asks with a key of that shop that has every scope."""
    keys = {shop: add_key(servers.storage, "read", "events", "admin", shop=shop) for shop in VERSIONS}

    def asker(shop: str) -> Ask:
        def ask(path: str, method: str = "GET", body: Any = None) -> TestResponse:
            return app.test_client().open(path, method=method, json=body, headers=bearer(keys[shop]))

        return ask

    return {shop: asker(shop) for shop in VERSIONS}


def every_route(app: Flask, text: str) -> Iterator[tuple[str, str, Any]]:
    """Every route with `text` wherever it takes one; in the body too."""
    bodies = {
        "/v1/recommendations": {"placement": "home", "customer_id": text, "cart": [text], "recently_viewed": [text]},
        "/v1/events": {"events": [{"type": "view", "customer_id": text, "product_id": text, "shop": "b"}]},
        "/v1/placements/<string:name>": {"cap": 9, "default_limit": 9},
    }
    for rule in app.url_map.iter_rules():
        path = rule.rule
        for argument in rule.arguments:
            path = re.sub(rf"<(\w+:)?{argument}>", lambda _: quote(text, safe=""), path)
        for method in sorted(rule.methods - {"OPTIONS"}):
            yield method, path, bodies.get(rule.rule)
            if method == "GET":
                yield method, f"{path}?category={quote(text)}&exclude={quote(text)}", None
                yield method, f"{path}?placement={quote(text)}", None
                yield method, f"{path}?shop=b", None


def test_each_has_its_own_version_cap_and_placements(ask):
    for shop, cap, first in (("a", 3, "p1"), ("b", 2, "p5")):
        answer = ask[shop]("/v1/popular?limit=50").json
        assert (answer["model_version"], answer["limit"]["cap"]) == (VERSIONS[shop], cap)
        assert next(item["product_id"] for item in answer["items"]) == first
        assert ask[shop]("/v1/placements/home").json["cap"] == cap
        assert ask[shop]("/v1/models").json["current"] == VERSIONS[shop]
        assert ask[shop](f"/v1/popular?placement=only-{shop}").json["limit"]["cap"] == 9
    assert ask["a"]("/v1/popular?placement=only-b").status_code == 404
    assert ask["a"]("/v1/customers/only-b/recommendations").json["fallback"]["reason"] == "unknown_customer"
    assert ask["a"](f"/v1/models/{VERSIONS['b']}/activate", "POST").status_code == 404


@pytest.mark.parametrize("text", ["p1", "ann", "only-b", "home", *INJECTIONS])
def test_no_route_shows_or_changes_anything_of_the_other(app, servers, ask, text):
    before = servers.snapshot("b")
    assert len(before) >= 9
    statuses = set()
    for method, path, body in every_route(app, text):
        answer = ask["a"](path, method, body)
        statuses.add(answer.status_code)
        own = answer.text.replace(quote(text, safe=""), "").replace(text, "")
        assert "-bbbb" not in own, path
        assert "only-b" not in own, path
    assert {200, 404} <= statuses
    assert max(statuses) <= 503
    assert 500 not in statuses
    assert servers.snapshot("b") == before


def test_what_one_publishes_places_or_activates_is_its_own(servers, ask):
    before = servers.snapshot("b")
    newer = "20261121T020000Z-cccc"
    servers.storage.store("a").publish(build_publication(newer, {}), keep=1)
    assert ask["a"]("/v1/placements/home", "PUT", {"cap": 1, "default_limit": 1}).status_code == 200
    assert ask["a"](f"/v1/models/{newer}/activate", "POST").status_code == 200
    assert ask["a"](f"/v1/models/{VERSIONS['a']}/activate", "POST").status_code == 404
    assert servers.snapshot("b") == before
    assert ask["b"]("/v1/popular").json["model_version"] == VERSIONS["b"]


def test_a_token_of_one_opens_nobody_in_the_other(app, servers):
    public = add_publishable_key(servers.storage, shop="b")
    tokens = {shop: customer_token(add_key(servers.storage, "read", shop=shop), "ann") for shop in VERSIONS}
    client = app.test_client()
    path = "/v1/customers/ann/recommendations"
    statuses = {shop: client.get(path, headers=bearer(public, tokens[shop], ORIGIN)).status_code for shop in VERSIONS}
    assert statuses == {"a": 401, "b": 200}


def test_the_rows_of_a_page_are_of_its_shop_and_of_whom_the_token_of_that_shop_names(app, servers):
    public = add_publishable_key(servers.storage, shop="b")
    tokens = {shop: customer_token(add_key(servers.storage, "read", shop=shop), "ann") for shop in VERSIONS}
    paths = ["/v1/products/p0/similar?limit=2", "/v1/popular?limit=2", "/v1/customers/ann/buy-again"]
    body = {"requests": [{"path": path} for path in paths], "distinct": True}
    for shop, status in {"a": 401, "b": 200}.items():
        text, headers = (
            json.dumps({**body, "customer_token": tokens[shop]}),
            {"Origin": ORIGIN, "Content-Type": "text/plain"},
        )
        answer = app.test_client().post(f"/v1/batch?key={public}", data=text, headers=headers)
        rows = answer.json["responses"]
        assert [row["status"] for row in rows] == [200, 200, status]
        assert {row["body"]["model_version"] for row in rows[:2]} == {VERSIONS["b"]}
        shown = [item["product_id"] for row in rows for item in row["body"].get("items", ())]
        assert shown[:3] == ["p5", "p6", "p7"]
        assert len(shown) == len(set(shown))


def test_a_flood_of_lists_in_one_drives_out_nothing_of_the_other(servers, monkeypatch, ask):
    monkeypatch.setattr(cache, "MAX_LIST_BYTES", 20_000)
    monkeypatch.setattr(cache, "MAX_ANSWER_BYTES", 20_000)
    kept = {shop: ask[shop]("/v1/products/p0/similar").data for shop in VERSIONS}
    for owner in OWNERS[1:]:
        for limit in (1, 2, 3):
            assert ask["a"](f"/v1/products/{owner}/similar?limit={limit}").status_code == 200
    before = servers.n_reads()
    assert ask["b"]("/v1/products/p0/similar").data == kept["b"]
    assert servers.n_reads() == before
    assert ask["a"]("/v1/products/p0/similar").data == kept["a"]
    assert servers.n_reads() == before + 1, "the flood was none: shop a still has its first list at hand"


def test_a_flood_of_requests_of_one_is_refused_and_changes_no_answer_of_the_other(app, servers, ask):
    flooding = bearer(add_key(servers.storage, "read", shop="a", rate_per_s=5))
    client = app.test_client()
    paths = ["/v1/products/p1/similar", "/v1/popular", "/v1/placements"]
    alone = [ask["b"](path).data for path in paths]
    statuses = []
    for i in range(200):
        statuses.append(client.get(paths[i % 3], headers=flooding).status_code)
        if i % 10 == 0:
            answers = [ask["b"](path) for path in paths]
            assert [(answer.status_code, answer.data) for answer in answers] == [(200, data) for data in alone]
    assert set(statuses) == {200, 429}
    assert statuses.count(429) >= 100
    assert statuses[:10] == [200] * 10
    assert ask["a"](paths[0]).status_code == 200  # another key of the same shop has a rate of its own


def test_workers_share_one_truth_about_a_key_through_redis(servers):
    key = add_key(servers.storage, "read", shop="a", rate_per_s=20)
    apps = [create_app(Settings(log_level="error"), servers.storage, lambda: NOW) for _ in range(2)]
    workers = [(app.test_client(), app.extensions["reprise"].shops) for app in apps]
    for _, shops in workers:
        shops.rate_limits = RateLimits({}, lambda: 0.0)  # nothing is filled up meanwhile
        shops.follow()
    one, other = (client for client, _ in workers)
    statuses = [other.get("/v1/popular", headers=bearer(key)).status_code]
    statuses += [one.get("/v1/popular", headers=bearer(key)).status_code for _ in range(39)]
    for _, shops in workers:
        shops.follow()
    assert set(statuses) == {200}
    assert other.get("/v1/popular", headers=bearer(key)).status_code == 429
    assert servers.client.call("HGETALL", REQUESTS) == {key_id(key).encode(): b"40"}
    assert 0 < servers.client.call("TTL", REQUESTS) <= 60
