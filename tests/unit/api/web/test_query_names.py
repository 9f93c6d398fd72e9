"""Unknown query parameters: strangers are passed over on GETs, whatever is nearly known is named."""

from urllib.parse import quote

import pytest

from api import create_app
from api.web.query_names import drop_unknown, find_nearest
from recommender.settings import Settings
from tests.fakes.shops import MemoryShopStorage
from tests.support import small_shop

STRANGERS = [
    *(
        "_",
        "utm_source",
        "utm_medium",
        "utm_campaign",
        "utm_term",
        "utm_content",
        "utm_id",
        "utm_placement",
        "utm_limit",
    ),
    *("gclid", "gbraid", "wbraid", "dclid", "gad_source", "fbclid", "msclkid", "ttclid", "mc_cid", "mc_eid", "_ga"),
    *(
        "_gl",
        "srsltid",
        "yclid",
        "cb",
        "t",
        "ts",
        "v",
        "rand",
        "nocache",
        "ref",
        "source",
        "campaign",
        "page",
        "id",
        "",
    ),
    *("a" * 20_000, "käse", "\x00", "%", "[]"),
]
MISSPELT = [
    *[("limt", "limit"), ("limitt", "limit"), ("limti", "limit"), ("linit", "limit"), ("imit", "limit")],
    *[("Limit", "limit"), ("limit[]", "limit"), ("exclude[]", "exclude"), ("catgeory", "category")],
    *[("placment", "placement"), ("due-within", "due_within"), ("dueWithin", "due_within"), ("MIX", "mix")],
]
KNOWN = ["placement", "limit", "exclude", "category", "mix", "due_within"]
LISTS = ["/v1/popular", "/v1/products/MILK/similar", "/v1/customers/ANNA/buy-again"]
OTHER_GETS = ["/v1/placements", "/v1/placements/home", "/v1/models", "/v1/customers/ANNA/profile", "/health/ready"]


@pytest.mark.parametrize("name", STRANGERS, ids=lambda name: name[:12])
def test_a_stranger_is_like_none(name):
    assert find_nearest(name, KNOWN) is None
    assert drop_unknown(f"limit=2&{quote(name)}=1&{quote(name)}=2&mix=auto") == "limit=2&mix=auto"


@pytest.mark.parametrize(("name", "meant"), MISSPELT)
def test_a_misspelt_one_is_like_one(name, meant):
    assert find_nearest(name, KNOWN) == meant
    assert drop_unknown(f"{quote(name)}=1") == f"{quote(name)}=1"


def test_what_is_known_stays_as_it_was_written():
    assert drop_unknown("exclude=a%20b&exclude=c+d&limit=2") == "exclude=a%20b&exclude=c+d&limit=2"
    assert drop_unknown("") == ""


@pytest.mark.parametrize("path", [*LISTS, *OTHER_GETS])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_strangers_change_nothing(client, path, method):
    query = "_=1764460800000&utm_source=newsletter&utm_source=again&gclid=x&fbclid=y"
    plain, more = (client.open(address, method=method) for address in (path, f"{path}?{query}"))
    assert (more.status_code, more.headers.get("ETag")) == (200, plain.headers.get("ETag"))
    if method == "GET":
        assert more.json.get("items") == plain.json.get("items")


@pytest.mark.parametrize("path", LISTS)
def test_a_misspelt_one_is_named_with_its_nearest(client, path):
    answer = client.get(f"{path}?limt=4&utm_source=x")
    assert (answer.status_code, answer.json["errors"]) == (
        400,
        [{"field": "limt", "message": "is not known here; did you mean `limit`?"}],
    )


@pytest.mark.parametrize("query", ["mix=auto", "due_within=3d", "session_id=s1", "customer_id=ANNA", "cart=MILK"])
def test_what_means_something_elsewhere_is_not_passed_over(client, query):
    answer = client.get(f"/v1/popular?{query}")
    name = query.partition("=")[0]
    assert (answer.status_code, answer.json["errors"]) == (400, [{"field": name, "message": "is not known here"}])


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_other_methods_take_no_strangers(client, method):
    answer = client.open("/v1/products/MILK?_=1", method=method, json={"in_stock": True})
    assert (answer.status_code, answer.json["errors"][0]["field"]) == (400, "_")


BODIES = {
    "/v1/recommendations": {"placement": "home"},
    "/v1/batch": {"requests": [{"path": "/v1/popular"}]},
    "/v1/events": {"events": [{}]},
}


@pytest.mark.parametrize("path", BODIES)
@pytest.mark.parametrize("query", ["locale=de", "limit=1&utm_source=x", "limt=1", "category=Dairy&category=Coffee"])
def test_beside_a_body_nothing_that_counts_stands_in_the_query(client, path, query):
    answer = client.post(f"{path}?{query}", json=BODIES[path])
    assert (answer.status_code, answer.json["code"]) == (400, "invalid_request")
    assert answer.json["errors"] == [
        {
            "field": query.partition("=")[0],
            "message": "does not count in the query of a request that has a body; say it there",
        }
    ]


@pytest.mark.parametrize("path", ["/v1/recommendations", "/v1/batch"])
def test_beside_a_body_strangers_are_passed_over(client, path):
    assert client.post(f"{path}?_=1&utm_source=x", json=BODIES[path]).status_code == 200


def test_in_a_batch_neither(client):
    def ask(query):
        request = {"path": f"/v1/recommendations?{query}", "body": BODIES["/v1/recommendations"]}
        (answer,) = client.post("/v1/batch", json={"requests": [request]}).json["responses"]
        return answer["status"], [error["field"] for error in answer["body"].get("errors", ())]

    assert [ask("locale=de"), ask("_=1")] == [(400, ["locale"]), (200, [])]


def test_strangers_fill_no_cache(store):
    app = create_app(Settings(), MemoryShopStorage({"default": store}), lambda: small_shop.NOW)
    client, state = app.test_client(), app.extensions["reprise"].shops.cache("default").state
    answers = {client.get(f"/v1/products/MILK/similar?limit=2&_={n}&utm_term={n}").data for n in range(50)}
    assert (len(answers), len(state.answers)) == (1, 1)
    for number in range(50):
        client.get(f"/v1/customers/ANNA/recommendations?_={number}")
    assert len(state.repeats) == 1


def test_a_batch_passes_over_them_too(client):
    paths = ["/v1/popular?limit=2", "/v1/popular?_=1&limit=2&utm_source=x", "/v1/popular?limt=2"]
    plain, more, misspelt = client.post("/v1/batch", json={"requests": [{"path": path} for path in paths]}).json[
        "responses"
    ]
    assert plain == more
    assert (misspelt["status"], misspelt["body"]["errors"][0]["field"]) == (400, "limt")


def test_a_misspelt_field_of_a_body_is_named_with_its_nearest(client):
    answer = client.post("/v1/recommendations", json={"placement": "home", "custommer_id": "ANNA", "colour": 1})
    assert {one["field"]: one["message"] for one in answer.json["errors"]} == {
        "custommer_id": "is not known here; did you mean `customer_id`?",
        "colour": "is not known here",
    }
