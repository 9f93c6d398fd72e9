"""Every route and every kind of caller: who gets in is one table, and what is not in it fails."""

import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pydantic import SecretStr
from werkzeug.test import TestResponse

from api import create_app
from api.security.permissions import Permission, access_of
from api.telemetry.logs import make_logger
from api.widget.script import script
from recommender.campaigns.links import MailLink, sign
from recommender.settings import MailSettings, Settings
from recommender.storage.api_keys import SCOPES
from recommender.storage.campaign import Campaign
from recommender.storage.pick_jobs import PickJob
from tests.fakes.shops import MemoryShopStorage
from tests.fakes.versions import MemoryVersionStore
from tests.support import small_shop
from tests.support.keyed_shop import ORIGIN, add_key, add_publishable_key, bearer, customer_token, key_id
from tests.support.mail_samples import SECRET
from tests.support.small_shop import NOW

VERSION = small_shop.VERSION
PRODUCTS = [replace(product, url="https://shop.example/p") for product in small_shop.PRODUCTS]
MAIL = MailSettings(secret=SecretStr(SECRET))
LINK = sign(MailLink("default", "w47", "ANNA", ("MILK",), 1), SECRET)
BODY = {"placement": "cart", "cart": ["BREAD"]}
BATCH = {"requests": [{"path": "/v1/popular"}]}
VIEW = {"event_id": "e", "event_type": "view", "session_id": "s", "product_id": "MILK", "occurred_at": NOW.isoformat()}
EVENTS = {"events": [VIEW]}


@dataclass(frozen=True)
class Call:
    """One request as the right caller would send it, the row of the table that says who that is, and its status."""

    row: str
    path: str
    json: Any = None
    status: int = 200


CALLS: dict[tuple[str, str], list[Call]] = {
    ("GET", "/v1/products/<shop_id:product_id>/similar"): [Call("products", "/v1/products/MILK/similar")],
    ("GET", "/v1/products/<shop_id:product_id>/bought-together"): [
        Call("products", "/v1/products/BREAD/bought-together")
    ],
    ("PUT", "/v1/products/<told_id:product_id>"): [Call("catalogue", "/v1/products/BREAD", {"in_stock": True})],
    ("PATCH", "/v1/products/<told_id:product_id>"): [Call("catalogue", "/v1/products/BREAD", {"in_stock": True})],
    ("DELETE", "/v1/products/<told_id:product_id>"): [Call("catalogue", "/v1/products/BREAD")],
    ("POST", "/v1/products"): [
        Call("catalogue", "/v1/products", {"products": [{"product_id": "BREAD", "in_stock": True}]})
    ],
    ("GET", "/v1/popular"): [Call("products", "/v1/popular")],
    ("GET", "/v1/html/<list_path:path>"): [
        Call("products", "/v1/html/popular"),
        Call("person", "/v1/html/customers/ANNA/buy-again"),
    ],
    ("GET", "/v1/customers/<shop_id:customer_id>/recommendations"): [
        Call("person", "/v1/customers/ANNA/recommendations")
    ],
    ("GET", "/v1/customers/<shop_id:customer_id>/buy-again"): [Call("person", "/v1/customers/ANNA/buy-again")],
    ("GET", "/v1/customers/<shop_id:customer_id>/profile"): [Call("server", "/v1/customers/ANNA/profile")],
    ("DELETE", "/v1/customers/<forgotten_id:customer_id>"): [Call("admin", "/v1/customers/GONE")],
    ("POST", "/v1/recommendations"): [
        Call("products", "/v1/recommendations", BODY),
        Call("person", "/v1/recommendations", {**BODY, "customer_id": "ANNA"}),
    ],
    ("POST", "/v1/batch"): [Call("products", "/v1/batch", BATCH)],
    ("POST", "/v1/events"): [Call("events", "/v1/events", EVENTS, 202)],
    ("POST", "/v1/campaigns/<campaign_id:campaign_id>/picks"): [
        Call("campaigns", "/v1/campaigns/reorder/picks", {"audience": "everyone"}, 202)
    ],
    ("GET", "/v1/campaigns/<campaign_id:campaign_id>"): [Call("campaigns", "/v1/campaigns/reorder")],
    ("GET", "/v1/campaigns/<campaign_id:campaign_id>/results"): [Call("campaigns", "/v1/campaigns/reorder/results")],
    ("GET", "/v1/campaigns/<campaign_id:campaign_id>/picks"): [Call("campaigns", "/v1/campaigns/reorder/picks")],
    ("GET", "/v1/placements"): [Call("server", "/v1/placements")],
    ("GET", "/v1/placements/<string:name>"): [Call("server", "/v1/placements/home")],
    ("PUT", "/v1/placements/<string:name>"): [Call("admin", "/v1/placements/home", {"cap": 20, "default_limit": 12})],
    ("GET", "/v1/models"): [Call("admin", "/v1/models")],
    ("POST", "/v1/models/<string:version>/activate"): [Call("admin", f"/v1/models/{VERSION}/activate")],
    ("GET", "/v1/m/<string:signed>/<string:slot>/click"): [Call("signed", f"/v1/m/{LINK}/1/click", None, 302)],
    ("GET", "/v1/m/<string:signed>/<string:slot>/order"): [Call("signed", f"/v1/m/{LINK}/1/order", None, 302)],
    ("GET", "/v1/m/<string:signed>/<string:slot>/image"): [Call("signed", f"/v1/m/{LINK}/1/image")],
    ("GET", "/v1/m/<string:signed>/unsubscribe"): [Call("signed", f"/v1/m/{LINK}/unsubscribe")],
    ("POST", "/v1/m/<string:signed>/unsubscribe"): [Call("signed", f"/v1/m/{LINK}/unsubscribe")],
    ("POST", "/v1/m/<string:signed>/fewer-mails"): [Call("signed", f"/v1/m/{LINK}/fewer-mails")],
    ("POST", "/v1/m/<string:signed>/subscribe"): [Call("signed", f"/v1/m/{LINK}/subscribe")],
    ("GET", "/metrics"): [Call("admin of this shop", "/metrics")],
    ("GET", "/health/live"): [Call("open", "/health/live")],
    ("GET", "/health/ready"): [Call("open", "/health/ready")],
    ("GET", "/openapi.json"): [Call("open", "/openapi.json")],
    ("GET", "/"): [Call("open", "/", None, 404)],
    ("GET", "/docs"): [Call("open", "/docs")],
    ("GET", "/docs/<string:name>"): [Call("open", "/docs/docs.js")],
    ("GET", "/docs/pages/<string:name>"): [Call("open", "/docs/pages/api")],
    ("GET", "/docs/widget"): [Call("open", "/docs/widget")],
    ("GET", "/docs/widget-examples.js"): [Call("open", "/docs/widget-examples.js")],
    ("GET", "/widget.js"): [Call("open", "/widget.js")],
    ("GET", "/widget-<string:digest>.js"): [Call("open", f"/{script().name}"), Call("open", "/widget-0.js", None, 302)],
    ("GET", "/widget-<string:digest>.js.map"): [Call("open", f"/{script().name}.map")],
    ("GET", "/widget.d.ts"): [Call("open", "/widget.d.ts")],
    # who sees and changes what once signed in: tests/unit/api/console
    ("GET", "/console"): [Call("open", "/console", None, 302)],
    ("GET", "/console/<string:name>"): [Call("open", "/console/sign-in")],
    ("POST", "/console/<string:name>"): [Call("open", "/console/language", None, 303)],
    ("GET", "/console/assets/<string:name>"): [Call("open", "/console/assets/console.css")],
}
"""By method and rule. HEAD is called like GET; OPTIONS like the route itself, but for its body."""

OK = 0
"""The call's own status."""
SIGNED = "signed"
"""The row of what a link of a mail leads to: whoever has the link may call it, whatever else is wrong."""
COLUMNS = ("open", "products", "person", "server", "events", "campaigns", "catalogue", "admin", "admin of this shop")
TABLE: dict[str, tuple[int, ...]] = {
    # caller                              open prod. person serv. events campaigns catalogue admin, admin of this shop
    "nobody":                             (OK, 401, 401, 401, 401, 401, 401, 401, 401),
    "an unknown key":                     (OK, 401, 401, 401, 401, 401, 401, 401, 401),
    "a known id with a wrong secret":     (OK, 401, 401, 401, 401, 401, 401, 401, 401),
    "an id without a secret":             (OK, 401, 401, 401, 401, 401, 401, 401, 401),
    "a digest in place of the key":       (OK, 401, 401, 401, 401, 401, 401, 401, 401),
    "a key without Bearer":               (OK, 401, 401, 401, 401, 401, 401, 401, 401),
    "a key as Basic":                     (OK, 401, 401, 401, 401, 401, 401, 401, 401),
    "two keys":                           (OK, 401, 401, 401, 401, 401, 401, 401, 401),
    "a revoked key":                      (OK, 401, 401, 401, 401, 401, 401, 401, 401),
    "scope read":                         (OK, OK, OK, OK, 403, 403, 403, 403, 403),
    "scope events":                       (OK, 403, 403, 403, OK, 403, 403, 403, 403),
    "scope campaigns":                    (OK, 403, 403, 403, 403, OK, 403, 403, 403),
    "scope catalogue":                    (OK, 403, 403, 403, 403, 403, OK, 403, 403),
    "scope admin":                        (OK, 403, 403, 403, 403, 403, OK, OK, OK),
    "scope read of another shop":         (OK, OK, OK, OK, 403, 403, 403, 403, 403),
    "scope admin of another shop":        (OK, 403, 403, 403, 403, 403, OK, OK, 403),
    "scope read in a browser":            (OK, 403, 403, 403, 403, 403, 403, 403, 403),
    "publishable":                        (OK, OK, 401, 403, 403, 403, 403, 403, 403),
    "publishable in its web site":        (OK, OK, 401, 403, OK, 403, 403, 403, 403),
    "publishable in another web site":    (OK, 403, 403, 403, 403, 403, 403, 403, 403),
    "publishable with a token":           (OK, OK, OK, 403, OK, 403, 403, 403, 403),
    "publishable with an expired token":  (OK, OK, 401, 403, 403, 403, 403, 403, 403),
    "publishable with another's token":   (OK, OK, 403, 403, 403, 403, 403, 403, 403),
    "publishable with a forged token":    (OK, OK, 401, 403, 403, 403, 403, 403, 403),
    "publishable with its own signature": (OK, OK, 401, 403, 403, 403, 403, 403, 403),
    "publishable with a token signed by an events key": (OK, OK, 401, 403, 403, 403, 403, 403, 403),
    "publishable with a token of a revoked key": (OK, OK, 401, 403, 403, 403, 403, 403, 403),
    "publishable with another shop's token": (OK, OK, 401, 403, 403, 403, 403, 403, 403),
    "a token without a key":              (OK, 401, 401, 401, 401, 401, 401, 401, 401),
}  # fmt: skip
KEYLESS: dict[str, tuple[int, ...]] = {
    "from this machine":                  (OK, OK, OK, OK, OK, OK, OK, OK, OK),
    "through a socket":                   (OK, OK, OK, OK, OK, OK, OK, OK, OK),
    "from elsewhere":                     (OK, 401, 401, 401, 401, 401, 401, 401, 401),
    "from elsewhere by a local name":     (OK, 401, 401, 401, 401, 401, 401, 401, 401),
    "from this machine by another name":  (OK, 403, 403, 403, 403, 403, 403, 403, 403),
    "from a page on this machine":        (OK, 403, 403, 403, 403, 403, 403, 403, 403),
}  # fmt: skip


class World:
    """Shops `default` and `other` with the same products, and a key of every kind."""

    def __init__(self) -> None:
        self.storage = MemoryShopStorage({shop: MemoryVersionStore() for shop in ("default", "other")})
        for shop in ("default", "other"):
            self.storage.store(shop).publish(small_shop.publication(products=PRODUCTS), keep=3)
            campaign = self.storage.contacts(shop).begin(Campaign("reorder", "everyone", 4, VERSION, NOW))
            self.storage.jobs(shop).add(PickJob(campaign, blocks=1))
        self.keys = {scope: add_key(self.storage, scope) for scope in SCOPES}
        self.others = {scope: add_key(self.storage, scope, shop="other") for scope in ("read", "admin")}
        self.public = add_publishable_key(self.storage)
        self.revoked = add_key(self.storage, "read", "events", "admin")
        kept = self.storage.api_keys()[key_id(self.revoked)]
        self.storage.add_api_key(kept.revoke(NOW))

    def callers(self) -> dict[str, dict[str, str]]:
        """The headers of each kind of caller."""
        read, public = self.keys["read"], self.public
        digest = self.storage.api_keys()[key_id(read)].digest
        token = customer_token(read, "ANNA")
        return {
            "nobody": {},
            "an unknown key": bearer("sk_0123456789abcdef_" + "0" * 64),
            "a known id with a wrong secret": bearer(f"sk_{key_id(read)}_{'0' * 64}"),
            "an id without a secret": bearer(f"sk_{key_id(read)}"),
            "a digest in place of the key": bearer(f"sk_{key_id(read)}_{digest}"),
            "a key without Bearer": {"Authorization": read},
            "a key as Basic": {"Authorization": f"Basic {read}"},
            "two keys": {"Authorization": f"Bearer {read}, Bearer {read}"},
            "a revoked key": bearer(self.revoked),
            **{f"scope {scope}": bearer(key) for scope, key in self.keys.items()},
            **{f"scope {scope} of another shop": bearer(key) for scope, key in self.others.items()},
            "scope read in a browser": bearer(read, origin=ORIGIN),
            "publishable": bearer(public),
            "publishable in its web site": bearer(public, origin=ORIGIN),
            "publishable in another web site": bearer(public, token, "https://evil.example"),
            "publishable with a token": bearer(public, token, ORIGIN),
            "publishable with an expired token": bearer(
                public, customer_token(read, "ANNA", NOW - timedelta(seconds=900 + 61))
            ),
            "publishable with another's token": bearer(public, customer_token(read, "x/y")),
            "publishable with a forged token": bearer(public, token[:-2] + "AA"),
            "publishable with its own signature": bearer(public, customer_token(public, "ANNA")),
            "publishable with a token signed by an events key": bearer(
                public, customer_token(self.keys["events"], "ANNA")
            ),
            "publishable with a token of a revoked key": bearer(public, customer_token(self.revoked, "ANNA")),
            "publishable with another shop's token": bearer(public, customer_token(self.others["read"], "ANNA")),
            "a token without a key": {"Reprise-Customer-Token": token},
        }


KEYLESS_REQUESTS: dict[str, dict[str, Any]] = {
    "from this machine": {"environ_base": {"REMOTE_ADDR": "127.0.0.1"}},
    "through a socket": {"environ_base": {"REMOTE_ADDR": ""}},
    "from elsewhere": {"environ_base": {"REMOTE_ADDR": "203.0.113.7"}, "base_url": "https://api.shop.example"},
    "from elsewhere by a local name": {"environ_base": {"REMOTE_ADDR": "203.0.113.7"}},
    "from this machine by another name": {"base_url": "http://rebound.evil.example:8000"},
    "from a page on this machine": {"headers": {"Origin": "https://evil.example"}},
}


@pytest.fixture(scope="module")
def world() -> World:
    return World()


@pytest.fixture(scope="module")
def app(world: World) -> Flask:
    return create_app(Settings(log_level="error", mail=MAIL), world.storage, lambda: NOW)


@pytest.fixture(scope="module")
def keyless_app() -> Flask:
    store = MemoryVersionStore()
    store.publish(small_shop.publication(products=PRODUCTS), keep=3)
    return create_app(Settings(log_level="error", mail=MAIL), MemoryShopStorage({"default": store}), lambda: NOW)


def all_calls(app: Flask) -> Iterator[tuple[str, Call]]:
    """Every route with every method that it answers."""
    for rule in app.url_map.iter_rules():
        named = [(method, CALLS[method, rule.rule]) for method in rule.methods if (method, rule.rule) in CALLS]
        for method, calls in named:
            yield from ((method, call) for call in calls)
        if not named:  # test_every_route_has_a_rule_and_a_row says so
            continue
        call = named[0][1][0]
        if "HEAD" in rule.methods:
            yield "HEAD", Call(call.row, call.path, None, call.status)
        if (
            "GET",
            rule.rule,
        ) not in CALLS or "GET" in rule.methods:  # where two rules share a path, the one of GET answers
            yield "OPTIONS", Call("admin" if call.row == "admin of this shop" else call.row, call.path)


def status_of(client: FlaskClient, method: str, call: Call, **given: Any) -> TestResponse:
    return client.open(call.path, method=method, json=call.json if method not in ("HEAD", "OPTIONS") else None, **given)


def test_every_route_has_a_rule_and_a_row(app):
    rows = {(method, rule.rule) for rule in app.url_map.iter_rules() for method in rule.methods - {"HEAD", "OPTIONS"}}
    assert rows == set(CALLS)
    ruleless = [rule.rule for rule in app.url_map.iter_rules() if access_of(app.view_functions[rule.endpoint]) is None]
    assert ruleless == []


def test_a_route_without_a_rule_opens_to_nobody(world):
    app = create_app(Settings(log_level="error", mail=MAIL), world.storage, lambda: NOW)
    app.add_url_rule("/v1/new", view_func=lambda: "secret")
    for headers in world.callers().values():
        assert app.test_client().get("/v1/new", headers=headers).status_code in (401, 403)


@pytest.mark.parametrize("principal", TABLE)
def test_with_keys(app, world, principal):
    expected = dict(zip(COLUMNS, TABLE[principal], strict=True)) | {SIGNED: OK}
    wrong = []
    for method, call in all_calls(app):
        answer = status_of(app.test_client(), method, call, headers=world.callers()[principal])
        if answer.status_code != (expected[call.row] or call.status):
            wrong.append((method, call.path, answer.status_code, expected[call.row]))
    assert wrong == []


@pytest.mark.parametrize("principal", KEYLESS)
def test_without_any_keys(keyless_app, principal):
    expected = dict(zip(COLUMNS, KEYLESS[principal], strict=True)) | {SIGNED: OK}
    wrong = []
    for method, call in all_calls(keyless_app):
        answer = status_of(keyless_app.test_client(), method, call, **KEYLESS_REQUESTS[principal])
        if answer.status_code != (expected[call.row] or call.status):
            wrong.append((method, call.path, answer.status_code, expected[call.row]))
    assert wrong == []


@pytest.mark.parametrize("principal", TABLE)
def test_a_batch_opens_to_each_caller_what_is_open_alone(app, world, principal):
    paths = [f"/v1/customers/{who}/{what}" for who in ("ANNA", "x/y") for what in ("recommendations", "buy-again")]
    paths += ["/v1/popular", "/v1/customers/ANNA/profile", "/v1/models"]
    asked = [{"path": path} for path in paths]
    sessions = [BODY, BODY | {"customer_id": "ANNA"}, BODY | {"customer_id": "x/y"}]
    asked += [{"path": "/v1/recommendations", "body": body} for body in sessions]
    client, headers = app.test_client(), world.callers()[principal]
    alone = [client.get(path, headers=headers).status_code for path in paths[:5]] + [404, 404]
    alone += [client.post("/v1/recommendations", json=body, headers=headers).status_code for body in sessions]
    answer = client.post("/v1/batch", json={"requests": asked}, headers=headers)
    if answer.status_code == 200:
        assert [one["status"] for one in answer.json["responses"]] == alone
    else:
        assert {answer.status_code} == set(alone) - {404}


def test_every_refusal_is_a_problem_that_shows_nothing(app, world):
    for principal, headers in world.callers().items():
        for method, call in all_calls(app):
            answer = status_of(app.test_client(), method, call, headers=headers)
            if answer.status_code not in (401, 403) or method == "HEAD":
                continue
            assert answer.content_type == "application/problem+json", (principal, call.path)
            assert answer.json["code"] == {401: "unauthorized", 403: "forbidden"}[answer.status_code]
            assert ("WWW-Authenticate" in answer.headers) == (answer.status_code == 401)
            assert not re.search("MILK|ANNA|sk_|pk_", answer.text.replace(call.path, ""))


def test_a_kept_answer_is_refused_like_any_other(app, world):
    """The layer before Flask has it at hand and must not hand it out."""
    callers = world.callers()
    assert app.test_client().get("/v1/popular", headers=callers["scope read"]).status_code == 200
    for principal, row in TABLE.items():
        answer = app.test_client().get("/v1/popular", headers=callers[principal])
        assert answer.status_code == (row[COLUMNS.index("products")] or 200), principal


def test_no_key_token_customer_or_list_is_in_a_log_line(world):
    app = create_app(Settings(mail=MAIL), world.storage, lambda: NOW)
    stream = io.StringIO()
    app.extensions["reprise_log"] = make_logger("debug", stream)
    callers = world.callers()
    for headers in callers.values():
        for method, call in all_calls(app):
            status_of(app.test_client(), method, call, headers=headers)
    log = stream.getvalue()
    assert len(log.splitlines()) > len(callers) * len(CALLS)
    assert all(json.loads(line)["event"] == "request" for line in log.splitlines())
    keys = [*world.keys.values(), *world.others.values(), world.public, world.revoked]
    private = {
        *keys,
        *(key.split("_")[2] for key in keys),
        *(key.digest for key in world.storage.api_keys().values() if key.digest),
        *(headers["Reprise-Customer-Token"] for headers in callers.values() if "Reprise-Customer-Token" in headers),
        *(LINK, LINK[:20], "w47"),
        *("ANNA", "MILK", "BREAD", "x/y", "QU5OQQ"),
    }
    assert [text for text in private if text in log] == []


def test_access_says_who_in_words(app):
    for rule in app.url_map.iter_rules():
        assert isinstance(access_of(app.view_functions[rule.endpoint]), Permission)


def test_the_document_says_who_may_call_each_route(app):
    document = app.test_client().get("/openapi.json").json
    schemes = document["components"]["securitySchemes"]
    rules = {
        (method.lower(), re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)): access_of(app.view_functions[rule.endpoint])
        for rule in app.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            access = rules[method, path]
            assert operation["x-access"] == access.value
            named = {name for way in operation["security"] for name in way}
            assert named <= set(schemes)
            assert bool(named) != access.keyless
            assert ("publishable_key" in named) == access.in_browsers
            refusals = {"401", "403", "429"} & set(operation["responses"])
            assert refusals == (set() if access.keyless else {"401", "403", "429"})
            scopes = {scope for way in operation["security"] for scope in way.get("secret_key", ())}
            assert scopes == (set() if access.keyless else set(access.scopes))
