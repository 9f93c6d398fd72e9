"""Requests that nobody in good faith would send: each is refused with little work, never with an error of ours."""

import gzip
import json
import sys
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule
from werkzeug.test import EnvironBuilder, run_wsgi_app

from api import create_app
from api.web import body_limits
from api.web.parsing import MAX_ERRORS, escape_query
from recommender.settings import Settings
from tests.benchmarks.fuzz import SEEDS
from tests.benchmarks.fuzz_targets import TARGETS
from tests.fakes.shops import MemoryShopStorage
from tests.fakes.versions import MemoryVersionStore
from tests.support import small_shop
from tests.support.hostile_ids import HOSTILE_IDS

BODIES = [
    ("POST", "/v1/recommendations"),
    ("POST", "/v1/events"),
    ("POST", "/v1/batch"),
    ("PUT", "/v1/placements/new"),
]


def count_calls(act: Callable[[], Any]) -> tuple[Any, int]:
    """What `act` returns, and how many functions it called: work, which unlike time is the same on a busy machine."""
    n_calls = 0

    def count(_frame: Any, event: str, _argument: Any) -> None:
        nonlocal n_calls
        n_calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        return act(), n_calls
    finally:
        sys.setprofile(None)


def fill(rule: Rule, value: str = "MILK") -> str:
    """A path of `rule`."""
    return rule.build(dict.fromkeys(rule.arguments, value))[1] if rule.arguments else rule.rule  # type: ignore[index]


@pytest.fixture
def app() -> Flask:
    store = MemoryVersionStore()
    store.publish(small_shop.publication(), keep=3)
    return create_app(Settings(log_level="error"), MemoryShopStorage({"default": store}), lambda: small_shop.NOW)


# --- ids --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hostile", HOSTILE_IDS, ids=ascii)
def test_no_id_makes_an_error_of_ours_or_changes_what_is_published(app: Flask, client: FlaskClient, hostile: str):
    before = client.get("/v1/products/MILK/similar").json["items"]
    for rule in app.url_map.iter_rules():
        for method in sorted(rule.methods or ()) if rule.arguments else ():
            answer = client.open(fill(rule, hostile), method=method)
            assert answer.status_code < 500, (method, rule.rule)
            assert all(value.isprintable() and value.isascii() for _, value in answer.headers)
            assert "Set-Cookie" not in answer.headers
    assert client.get("/v1/products/MILK/similar").json["items"] == before
    assert client.get("/v1/models").json["current"] == small_shop.VERSION


@pytest.mark.parametrize("path", [b"/v1/products/\xff\xfe/similar", b"/v1/products/\xed\xa0\x80/similar", b"/\xff"])
def test_paths_that_are_no_utf_8_are_no_error_of_ours(app: Flask, path: bytes):
    environ = EnvironBuilder(path="/", base_url="http://localhost").get_environ()
    environ |= {"PATH_INFO": path.decode("latin-1"), "REMOTE_ADDR": "127.0.0.1"}
    body, status, headers = run_wsgi_app(app.wsgi_app, environ)
    assert status.startswith("404")
    assert json.loads(b"".join(body))["status"] == 404
    assert all(value.isascii() for _, value in headers)


@pytest.mark.parametrize("route", ["/v1/products/{}/similar", "/v1/customers/{}/buy-again", "/v1/placements/{}"])
def test_ids_longer_than_any_shop_has_are_refused(client: FlaskClient, route: str):
    answer = client.get(route.format("x" * 10_000))
    assert answer.status_code == 400
    assert len(answer.data) < 1_000


def test_one_path_cannot_be_given_the_answer_kept_for_another(client: FlaskClient):
    """The `?` of a query and one that is part of an id must not be mistaken for each other."""
    assert client.get("/v1/products/MILK/similar?exclude=/similar?limit=1").status_code == 200
    for _ in range(2):
        assert client.get("/v1/products/MILK%2Fsimilar%3Fexclude=/similar?limit=1").status_code == 404


# --- bodies -----------------------------------------------------------------------------------------------------

DEEP = 100_000
BOMBS = {
    "deep list": b"[" * DEEP,
    "deep list, closed": b"[" * DEEP + b"]" * DEEP,
    "deep object": b'{"a":' * DEEP,
    "deep object, closed": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "a megabyte of [": b"[" * (body_limits.MAX_BODY_BYTES - 1),
    "not JSON": b"{",
    "nothing": b"",
    "null": b"null",
    "text": b'"x"',
    "two documents": b"{}{}",
    "a comment": b"{}//",
    "NaN": b"NaN",
    "UTF-16": '{"placement":"home"}'.encode("utf-16"),
    "UTF-32": '{"placement":"home"}'.encode("utf-32"),
    "Latin-1": '{"placement":"häme"}'.encode("latin-1"),
    "byte order mark": b'\xef\xbb\xbf{"placement":"home"}',
    "packed": gzip.compress(b'{"placement":"home"}'),
    "very many fields": b"{" + b",".join(b'"a%d":1' % number for number in range(20_000)) + b"}",
    "a long field": b'{"' + b"a" * 1_000_000 + b'":1}',
}


@pytest.mark.parametrize(("method", "path"), BODIES)
@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
def test_bombs_are_refused_briefly_and_with_little_work(client: FlaskClient, method: str, path: str, bomb: bytes):
    answer, n_calls = count_calls(lambda: client.open(path, method=method, data=bomb, content_type="application/json"))
    assert answer.status_code == 400
    assert answer.json["code"] == "invalid_request"
    assert 1 <= len(answer.json["errors"]) <= MAX_ERRORS
    assert len(answer.data) < 20_000
    assert n_calls < 10_000 + len(bomb)  # in no proportion to its square


@pytest.mark.parametrize("number", ["1e400", "-1e400", "9" * 10_000, "NaN", "Infinity", "-Infinity", "-0", "1e-400"])
def test_numbers_that_cannot_be_are_refused(client: FlaskClient, number: str):
    bodies = {
        "/v1/recommendations": f'{{"placement":"home","limit":{number}}}',
        "/v1/placements/new": f'{{"cap":{number},"default_limit":1}}',
    }
    for (path, body), method in zip(bodies.items(), ("POST", "PUT"), strict=True):
        assert client.open(path, method=method, data=body, content_type="application/json").status_code == 400


@pytest.mark.parametrize("number", ["1e400", "NaN", "-Infinity", "9" * 5_000])
def test_an_event_with_such_a_number_is_rejected_alone(client: FlaskClient, number: str):
    event = (
        '{"event_id":"e","event_type":"purchase","customer_id":"ANNA","product_id":"MILK",'
        f'"occurred_at":"2026-11-20T09:00:00Z","quantity":{number}}}'
    )
    answer = client.post("/v1/events", data=f'{{"events":[{event}]}}', content_type="application/json")
    assert answer.status_code == 400
    assert answer.json["code"] == "invalid_request" or answer.json["errors"][0]["code"] == "invalid_event"


@pytest.mark.parametrize("text", [r"\ud800", r"\udfff\ud800", r"\udc00x"])
def test_half_a_surrogate_pair_is_no_text(client: FlaskClient, text: str):
    body = f'{{"placement":"home","customer_id":"{text}"}}'
    assert client.post("/v1/recommendations", data=body, content_type="application/json").status_code == 400


def test_of_a_field_that_is_given_twice_the_last_counts(client: FlaskClient):
    body = '{"placement":"nope","limit":1,"placement":"home"}'
    answer = client.post("/v1/recommendations", data=body, content_type="application/json")
    assert (answer.status_code, answer.json["placement"]) == (200, "home")


# --- queries ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "query",
    [
        "limit=3&limit=4",
        "limit[]=3",
        "limit%5B%5D=3",
        "limit=3;limit=4",
        "Limit=3",
        "limt=1",
        "placement=home&placement=cart",
        "locale=de&locale=fr",
        "limit=%00",
        "limit=" + "9" * 5_000,
        "limit=\u0661",
        "limit=1e2",
        "limit=0x10",
        "limit=+3",
        "limit= 3",
        "exclude=" + "x" * 513,
        "&".join(f"exclude={number}" for number in range(201)),
        "&".join(f"Limit{number}=1" for number in range(3_000)),
    ],
    ids=lambda query: query[:24],
)
def test_what_a_query_cannot_be_is_refused_briefly(client: FlaskClient, query: str):
    for path in ("/v1/popular", "/v1/products/MILK/similar", "/v1/customers/ANNA/recommendations"):
        answer = client.get(f"{path}?{query}")
        assert answer.status_code == 400
        assert 1 <= len(answer.json["errors"]) <= MAX_ERRORS
        assert len(answer.data) < 20_000


@pytest.mark.parametrize(
    "query",
    [
        *("", "?", "?&&", "?category=%00", "?category=%ff", "?category=%F0%9F%A7%80"),
        *("?unknown=1", "?=", "?&=&=", "?%", "?%zz=%ff", "?%00=1", "?" + "a" * 20_000),
        "?" + "&".join(f"a{number}=1" for number in range(4_000)),
    ],
    ids=lambda query: query[:24],
)
def test_what_is_only_odd_is_answered(client: FlaskClient, query: str):
    assert client.get(f"/v1/popular{query}").status_code == 200


# --- what unknown ids leave behind ------------------------------------------------------------------------------


def test_unknown_ids_leave_nothing_in_the_cache(app: Flask, client: FlaskClient):
    cache = app.extensions["reprise"].shops.cache("default")
    for number in range(200):
        client.get(f"/v1/products/unknown-{number}/similar")
        client.get(f"/v1/customers/unknown-{number}/recommendations")
    assert len(cache.state.answers) == 0
    assert len(cache.state.lists) == 0


def test_the_store_of_a_shop_stays_small_whatever_is_asked():
    store = MemoryVersionStore()
    store.publish(small_shop.publication(), keep=3)
    app = create_app(Settings(), MemoryShopStorage({"default": store}), lambda: small_shop.NOW)
    client, cache = app.test_client(), app.extensions["reprise"].shops.cache("default")
    sizes = []
    for first in range(0, 3_000, 1_000):
        for number in range(first, first + 1_000):
            client.get(f"/v1/products/MILK/similar?exclude={number:0>200}")
        sizes.append(cache.state.answers.n_bytes)
    assert max(sizes) <= 12 << 20


# --- what fuzzing found -----------------------------------------------------------------------------------------

OWN = b"\0\0\0\0\0"  # where it comes from, and product 0
FINDS = {
    "requests": [b"GET /v1/popular?category=\x87", "GET /v1/popular?x\xe4=\xf0\x9f\xa7\x80".encode("latin-1")],
    "nonsense": [
        OWN + b"\0\x3c\n\n" + b'{"product_id":"MILK","title":[1],"category":[2]}',
        OWN + b"\0\x3c\n\n" + b'{"product_id":["MILK"]}',
        OWN + b"\0\x3c\n\n" + b'{"product_id":"MILK","rhythm":["a","b","c"]}',
        OWN + b"\0\x3c\n\n" + b"[",
        OWN + b"\0\x7c\n\n" + b'{"product_id":"MILK"}',
        *(
            OWN + b"\0\x38" + b"\1\0\1\0" + gap + spread + share + b"\n\n" + b'{"product_id":"MILK"}'
            for gap in (b"\0\x7e", b"\0\x7c", b"\0\xfc")
            for spread in (b"\0\x7e", b"\0\x7c", b"\0\xfc")
            for share in (b"\0\x7e", b"\0\x7c", b"\0\xfc")
        ),
    ],
}
"""float16: 7e00 is no number, 7c00 and fc00 are infinite."""


@pytest.mark.parametrize("name", TARGETS)
def test_what_fuzzing_starts_from_and_what_it_found_breaks_nothing(name: str):
    run = TARGETS[name]()
    inputs = [seed.encode("latin-1") if isinstance(seed, str) else seed for seed in SEEDS[name]] + FINDS.get(name, [])
    for data in inputs:
        run(data)  # raises where a promise is broken
    assert inputs


@pytest.mark.parametrize(
    ("passed_on", "escaped"),
    [
        ("category=a%20b", "category=a%20b"),
        ("category=kä", "category=k%C3%A4"),
        ("category=k\u00c3\u00a4", "category=k%C3%A4"),
        ("category=🧀", "category=%F0%9F%A7%80"),
        ("category=\xff", "category=%C3%BF"),
        ("category=\ud800", "category=%ED%A0%80"),
    ],
)
def test_a_query_that_a_client_did_not_escape_is_the_same_whatever_the_server(passed_on: str, escaped: str):
    assert escape_query(passed_on) == escaped
