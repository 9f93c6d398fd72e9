"""POST /v1/batch: each request gets what it would get alone, and all are read together."""

import pytest

from api.serving import batch
from tests.support import small_shop

PATHS = [
    "/v1/customers/ANNA/recommendations?limit=2",
    "/v1/customers/ANNA/recommendations?mix=discover&category=Dairy",
    "/v1/customers/x%2Fy/buy-again?due_within=14d",
    "/v1/customers/nobody/recommendations?placement=email",
    "/v1/products/MILK/similar",
    "/v1/products/MILK/similar?exclude=BUTTER&exclude=OLD",
    "/v1/products/k%C3%A4se%20%F0%9F%A7%80/similar",
    "/v1/products/BREAD/bought-together",
    "/v1/popular?category=Dairy&limit=30",
]
WRONG = [
    "/v1/products/nope/similar",
    "/v1/popular?limit=0",
    "/v1/popular?limit=1&limit=2",
    "/v1/popular?limt=1",
    "/v1/popular?placement=nope",
    f"/v1/products/{'x' * 513}/similar",
]
SESSION = {"placement": "cart", "cart": ["BREAD"], "customer_id": "ANNA"}


@pytest.fixture
def ask(client):
    """A function that sends requests in one and gives their answers."""

    def ask(*requests) -> list[dict]:
        answer = client.post("/v1/batch", json={"requests": list(requests)})
        assert answer.status_code == 200, answer.text
        return answer.json["responses"]

    return ask


def without_ids(document: dict) -> dict:
    """What is not different in each answer for one person."""
    return {name: value for name, value in document.items() if name not in ("recommendation_id", "request_id")}


@pytest.mark.parametrize("path", PATHS + WRONG)
def test_each_gets_what_it_would_get_alone(client, ask, path):
    alone = client.get(path)
    (answer,) = ask({"path": path})
    assert answer["status"] == alone.status_code
    assert without_ids(answer["body"]) == without_ids(alone.json)


@pytest.mark.parametrize("body", [SESSION, {"placement": "home"}, {}, {"placement": "home", "limit": "5"}])
def test_a_session_gets_what_it_would_get_alone(client, ask, body):
    alone = client.post("/v1/recommendations", json=body)
    (answer,) = ask({"path": "/v1/recommendations", "body": body})
    assert answer["status"] == alone.status_code
    assert without_ids(answer["body"]) == without_ids(alone.json)


def test_a_product_list_keeps_its_id_and_a_person_gets_a_new_one(client, ask):
    similar, anna = "/v1/products/MILK/similar", "/v1/customers/ANNA/buy-again"
    answers = ask({"path": similar}, {"path": anna}, {"path": anna})
    ids = [answer["body"]["recommendation_id"] for answer in answers]
    assert ids[0] == client.get(similar).json["recommendation_id"]
    assert ids[1] != ids[2]


def test_answers_come_in_order_and_what_is_wrong_stops_no_other(ask):
    answers = ask(*({"path": path} for path in [*WRONG, *PATHS]))
    assert [answer["status"] for answer in answers] == [404, 400, 400, 400, 404, 400] + [200] * len(PATHS)


@pytest.mark.parametrize(
    "request_",
    [
        {"path": "/v1/models"},
        {"path": "/health/live"},
        {"path": "/v1/batch", "body": {"requests": []}},
        {"path": "/v1/popular", "body": {}},
        {"path": "/v1/recommendations"},
        {"path": ""},
        {"path": "/v1/nope"},
        {"path": "//example.com/v1/popular"},
    ],
)
def test_nothing_but_lists_is_answered(ask, request_):
    (answer,) = ask(request_)
    assert answer["status"] in (404, 405)
    assert answer["body"]["code"] in ("not_found", "method_not_allowed")


@pytest.mark.parametrize("distinct", [False, True])
def test_many_are_one_round_trip(client, store, distinct):
    client.get("/v1/placements")  # opens the shop
    before, asked = store.reads, [{"path": path} for path in PATHS]
    asked.append({"path": "/v1/recommendations", "body": SESSION})
    answer = client.post("/v1/batch", json={"requests": asked, "distinct": distinct})
    assert [one["status"] for one in answer.json["responses"]] == [200] * len(asked)
    assert store.reads == before + 1


def test_more_lists_than_fit_into_one_trip_are_several(client, ask, store, monkeypatch):
    client.get("/v1/placements")
    before = store.reads
    monkeypatch.setattr(batch, "LISTS_PER_TRIP", 12)
    answers = ask(*({"path": f"/v1/customers/c{i}/recommendations"} for i in range(10)))
    assert [answer["status"] for answer in answers] == [200] * 10
    assert before + 2 <= store.reads <= before + 5


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "requests"),
        ({"requests": []}, "requests"),
        ({"requests": [{"path": "/v1/popular"}] * 1_001}, "requests"),
        ({"requests": [{}]}, "requests.0.path"),
        ({"requests": [{"path": "/v1/popular", "method": "GET"}]}, "requests.0.method"),
        ({"requests": [{"path": "/" + "x" * 8_192}]}, "requests.0.path"),
        ({"requests": [{"path": "/v1/recommendations", "body": []}]}, "requests.0.body"),
    ],
)
def test_a_batch_that_is_no_batch_is_refused_as_a_whole(client, body, field):
    answer = client.post("/v1/batch", json=body)
    assert (answer.status_code, [error["field"] for error in answer.json["errors"]]) == (400, [field])


def test_a_thousand_are_answered(ask):
    answers = ask(*[{"path": "/v1/customers/ANNA/recommendations"}] * 1_000)
    assert {answer["status"] for answer in answers} == {200}
    assert len({answer["body"]["recommendation_id"] for answer in answers}) == 1_000


def test_before_any_version_and_without_redis_each_answer_says_so(empty_client, down_client):
    body = {"requests": [{"path": "/v1/popular"}, {"path": "/v1/customers/ANNA/recommendations"}]}
    for client, reason in ((empty_client, "model_not_ready"), (down_client, "store_unavailable")):
        answers = client.post("/v1/batch", json=body).json["responses"]
        assert [answer["body"]["fallback"]["reason"] for answer in answers] == [reason] * 2


def test_all_answers_are_of_one_version(app, client, ask, store):
    client.get("/v1/placements")
    store.publish(small_shop.publication("20261121T020000Z-3f2a"), keep=1)  # and the one that is followed is gone
    answers = ask({"path": "/v1/popular"}, {"path": "/v1/products/MILK/similar"}, {"path": "/v1/popular?limit=1"})
    assert {answer["body"]["model_version"] for answer in answers} == {"20261121T020000Z-3f2a"}
