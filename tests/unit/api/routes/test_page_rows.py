"""POST /v1/batch for the rows of a page: with a publishable key, and without a product twice."""

import json
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from api import create_app
from api.schemas.requests import MAX_ROWS
from api.serving import batch
from recommender.events.event import Event
from recommender.settings import Settings
from recommender.slate.placements import DEFAULT_PLACEMENTS, Pin
from tests.fakes.shops import MemoryShopStorage
from tests.fakes.versions import MemoryVersionStore
from tests.support import small_shop
from tests.support.keyed_shop import ORIGIN, add_key, add_publishable_key, bearer, customer_token

BUY_AGAIN, FOR_YOU = "/v1/customers/ANNA/buy-again", "/v1/customers/ANNA/recommendations"
POPULAR, SIMILAR = "/v1/popular", "/v1/products/MILK/similar"
CART = {"placement": "cart", "cart": ["BREAD"]}
PINNED = DEFAULT_PLACEMENTS["home"].model_copy(update={"pins": (Pin(product_id="MILK", position=2),)})


def make_storage() -> MemoryShopStorage:
    store = MemoryVersionStore()
    store.publish(small_shop.publication(), keep=3)
    return MemoryShopStorage({"default": store})


@pytest.fixture
def storage() -> MemoryShopStorage:
    return make_storage()


@pytest.fixture
def secret(storage) -> str:
    return add_key(storage, "read")


@pytest.fixture
def public(storage) -> str:
    return add_publishable_key(storage)


@pytest.fixture
def client(storage, secret, public) -> FlaskClient:
    return create_app(Settings(), storage, lambda: small_shop.NOW).test_client()


def rows(*requests: str | dict) -> list[dict]:
    """Requests of a batch: a path, or the body of a session."""
    return [{"path": one} if isinstance(one, str) else {"path": "/v1/recommendations", "body": one} for one in requests]


def send(client: FlaskClient, key: str, body: dict, origin: str | None = ORIGIN):
    """As `fetch(address, {method: "POST", body: text})` sends it, which takes no preflight."""
    named = {} if origin is None else {"Origin": origin}
    return client.post(f"/v1/batch?key={key}", data=json.dumps(body), content_type="text/plain", headers=named)


def shown(answer: dict) -> list[str]:
    return [item["product_id"] for item in answer["body"].get("items", ())]


def content(answer: dict) -> dict:
    """All but the ids that every answer has anew."""
    body = {name: one for name, one in answer["body"].items() if name not in ("recommendation_id", "request_id")}
    return {"status": answer["status"], "body": body}


class TestPublishableKeys:
    def test_text_with_the_key_in_the_query_and_the_token_in_the_body(self, client, public, secret):
        body = {"requests": rows(BUY_AGAIN, SIMILAR, CART), "customer_token": customer_token(secret, "ANNA")}
        answer = send(client, public, body)
        assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (200, ORIGIN)
        assert [shown(one) for one in answer.json["responses"]] == [
            ["MILK"],
            ["BUTTER", "käse 🧀"],
            ["BUTTER", "MILK", "COFFEE"],
        ]

    def test_a_token_in_the_header_does_too(self, client, public, secret):
        headers = bearer(public, customer_token(secret, "ANNA"), ORIGIN)
        (answer,) = client.post("/v1/batch", json={"requests": rows(BUY_AGAIN)}, headers=headers).json["responses"]
        assert shown(answer) == ["MILK"]

    @pytest.mark.parametrize(
        ("token", "statuses"), [("ANNA", [200, 403, 200]), ("x/y", [403, 200, 200]), (None, [401, 401, 200])]
    )
    def test_a_row_of_another_customer_is_refused_and_stops_no_other(self, client, public, secret, token, statuses):
        signed = None if token is None else customer_token(secret, token)
        body = {"requests": rows(BUY_AGAIN, "/v1/customers/x%2Fy/buy-again", POPULAR), "customer_token": signed}
        assert [one["status"] for one in send(client, public, body).json["responses"]] == statuses

    def test_a_session_of_another_customer_likewise(self, client, public, secret):
        own, other = {**CART, "customer_id": "ANNA"}, {**CART, "customer_id": "x/y"}
        body = {"requests": rows(own, other, CART), "customer_token": customer_token(secret, "ANNA")}
        assert [one["status"] for one in send(client, public, body).json["responses"]] == [200, 403, 200]

    @pytest.mark.parametrize("origin", ["https://evil.example", "null"])
    def test_pages_of_other_origins_are_refused(self, client, public, origin):
        assert send(client, public, {"requests": rows(POPULAR)}, origin).status_code == 403

    def test_a_preflight_is_answered_where_a_page_sends_headers(self, client, public):
        asked = {"Origin": ORIGIN, "Access-Control-Request-Method": "POST"}
        answer = client.options("/v1/batch", headers=asked)
        assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (204, ORIGIN)
        assert "POST" in answer.headers["Access-Control-Allow-Methods"]

    def test_text_is_for_publishable_keys(self, client, secret):
        headers = bearer(secret) | {"Content-Type": "text/plain"}
        body = json.dumps({"requests": rows(POPULAR)})
        assert client.post("/v1/batch", data=body, headers=headers).status_code == 415

    def test_a_session_alone_takes_no_preflight_either(self, client, public):
        address = f"/v1/recommendations?key={public}"
        answer = client.post(address, data=json.dumps(CART), content_type="text/plain", headers={"Origin": ORIGIN})
        assert (answer.status_code, len(answer.json["items"])) == (200, 3)

    @pytest.mark.parametrize(
        "row", [f"{POPULAR}?key=pk_1_2", f"{POPULAR}?limit=1&key=", f"{POPULAR}?key=pk_1_2&limit=1"]
    )
    def test_a_row_has_no_key_of_its_own(self, client, public, row):
        wrong, right = send(client, public, {"requests": rows(row, POPULAR)}).json["responses"]
        assert (wrong["status"], right["status"]) == (400, 200)
        assert wrong["body"]["errors"] == [
            {"field": "key", "message": "stands in the query of the batch, not in that of a request"}
        ]

    def test_a_row_to_an_unknown_route_is_a_404_and_stops_no_other(self, client, public):
        answers = send(client, public, {"requests": rows("/v1/nope", "/v1/models", POPULAR)}).json["responses"]
        assert [one["status"] for one in answers] == [404, 404, 200]
        assert "'/v1/nope' is not answered in a batch" in answers[0]["body"]["detail"]

    def test_fifty_rows_are_too_many_for_a_page(self, client, public, secret):
        answer = send(client, public, {"requests": rows(POPULAR) * 50})
        assert (answer.status_code, answer.json["errors"][0]["field"]) == (400, "requests")
        assert "50 are too many with a publishable key: send 20 at most" in answer.json["detail"]
        assert send(client, public, {"requests": rows(POPULAR) * MAX_ROWS}).status_code == 200
        body = {"requests": rows(POPULAR) * 50, "distinct": True}
        assert len(client.post("/v1/batch", json=body, headers=bearer(secret)).json["responses"]) == 50

    def test_what_a_page_shows_is_noted_as_it_would_be_alone(self, storage, public):
        client = create_app(Settings(log_impressions=True), storage, lambda: small_shop.NOW).test_client()
        body = {"requests": rows({**CART, "session_id": "s1"}, CART, POPULAR)}
        session = send(client, public, body).json["responses"][0]
        client.application.extensions["reprise"].impressions.flush()
        told = [Event.from_json(entry.wire) for entry in storage.event_log("default").queue.take("test")]
        assert [(one.session_id, one.product_id) for one in told] == [("s1", one) for one in shown(session)]
        assert {one.recommendation_id for one in told} == {session["body"]["recommendation_id"]}

    def test_what_a_server_asks_for_is_not_noted(self, storage, secret):
        client = create_app(Settings(log_impressions=True), storage, lambda: small_shop.NOW).test_client()
        assert client.post("/v1/batch", json={"requests": rows(FOR_YOU)}, headers=bearer(secret)).status_code == 200
        client.application.extensions["reprise"].impressions.flush()
        assert storage.event_log("default").queue.take("test") == []


class TestRates:
    def test_each_row_counts_as_a_request(self, storage):
        key = add_publishable_key(storage, rate_per_s=5)
        client = create_app(Settings(), storage, lambda: small_shop.NOW).test_client()
        client.application.extensions["reprise"].shops.rate_limits._clock = lambda: 0.0
        answers = [send(client, key, {"requests": rows(POPULAR) * 4}) for _ in range(4)]
        assert [one.status_code for one in answers] == [200, 200, 200, 429]
        assert [one.headers["RateLimit-Remaining"] for one in answers] == ["6", "2", "0", "0"]
        assert answers[3].headers["Retry-After"] == "1"
        assert client.get(POPULAR, headers=bearer(key)).status_code == 429

    def test_more_rows_than_a_burst_pass_once_and_are_waited_for(self, storage):
        key, now = add_publishable_key(storage, rate_per_s=1), [0.0]
        client = create_app(Settings(), storage, lambda: small_shop.NOW).test_client()
        client.application.extensions["reprise"].shops.rate_limits._clock = lambda: now[0]
        assert send(client, key, {"requests": rows(POPULAR) * 20}).status_code == 200
        assert client.get(POPULAR, headers=bearer(key)).headers["Retry-After"] == "19"
        now[0] = 18.9
        assert client.get(POPULAR, headers=bearer(key)).status_code == 429
        now[0] = 19.0
        assert client.get(POPULAR, headers=bearer(key)).status_code == 200

    def test_a_batch_with_a_secret_key_counts_once(self, storage):
        key = add_key(storage, "read", rate_per_s=1)
        client = create_app(Settings(), storage, lambda: small_shop.NOW).test_client()
        client.application.extensions["reprise"].shops.rate_limits._clock = lambda: 0.0
        body = {"requests": rows(POPULAR) * 50}
        assert [client.post("/v1/batch", json=body, headers=bearer(key)).status_code for _ in range(3)] == [
            200,
            200,
            429,
        ]


class TestDistinct:
    @pytest.fixture
    def ask(self, client, secret):
        def ask(*requests: str | dict, **fields) -> list[dict]:
            return client.post("/v1/batch", json={"requests": rows(*requests), **fields}, headers=bearer(secret)).json[
                "responses"
            ]

        return ask

    def test_buy_it_again_and_for_you_are_not_the_same_list(self, ask):
        plain = [shown(one) for one in ask(BUY_AGAIN, FOR_YOU, POPULAR)]
        assert plain == [["MILK"], ["MILK", "COFFEE", "BUTTER"], ["COFFEE", "MILK", "BREAD"]]
        distinct = [shown(one) for one in ask(BUY_AGAIN, FOR_YOU, POPULAR, distinct=True)]
        assert distinct == [["MILK"], ["COFFEE", "BUTTER"], ["BREAD"]]

    def test_the_first_row_that_wants_a_product_keeps_it(self, ask):
        assert [shown(one) for one in ask(POPULAR, FOR_YOU, BUY_AGAIN, distinct=True)] == [
            ["COFFEE", "MILK", "BREAD"],
            ["BUTTER"],
            [],
        ]

    def test_later_rows_are_filled_up_to_their_limit(self, ask):
        first, second = ask(f"{POPULAR}?limit=1", f"{POPULAR}?limit=2", distinct=True)
        assert (shown(first), shown(second)) == (["COFFEE"], ["MILK", "BREAD"])
        assert [item["rank"] for item in second["body"]["items"]] == [1, 2]
        assert second["body"]["suppressed"] == {"already_shown": 1}

    def test_a_pin_is_shown_once(self, storage, secret):
        settings = Settings(placements={"home": PINNED.model_dump(exclude_defaults=True)})
        client = create_app(settings, storage, lambda: small_shop.NOW).test_client()
        body = {"requests": rows(POPULAR, POPULAR), "distinct": True}
        first, second = client.post("/v1/batch", json=body, headers=bearer(secret)).json["responses"]
        assert (shown(first), shown(second)) == (["COFFEE", "MILK", "BREAD"], [])

    def test_a_row_that_went_wrong_keeps_nothing(self, ask):
        answers = ask("/v1/products/nope/similar", "/v1/nope", f"{POPULAR}?limit=0", POPULAR, distinct=True)
        assert [one["status"] for one in answers] == [404, 404, 400, 200]
        assert shown(answers[3]) == ["COFFEE", "MILK", "BREAD"]

    @pytest.mark.parametrize("row", [POPULAR, SIMILAR, FOR_YOU, CART])
    def test_the_same_row_five_times(self, ask, row):
        plain = ask(*[row] * 5)
        assert [content(one) for one in plain] == [content(plain[0])] * 5
        distinct = ask(*[row] * 5, distinct=True)
        assert content(distinct[0]) == content(plain[0])
        assert [one["status"] for one in distinct] == [200] * 5
        everything = [one for row in distinct for one in shown(row)]
        assert len(everything) == len(set(everything))
        ids = [one["body"]["recommendation_id"] for one in distinct]
        assert len(set(ids)) > 1, "another list has another id"

    def test_an_answer_that_is_the_same_for_everybody_keeps_its_id(self, ask):
        alone = ask(POPULAR)[0]["body"]["recommendation_id"]
        first, second = (
            [one["body"]["recommendation_id"] for one in ask(POPULAR, POPULAR, distinct=True)] for _ in "12"
        )
        assert first == second
        assert first[0] == alone != first[1]

    def test_it_holds_over_more_lists_than_one_trip_reads(self, ask, monkeypatch):
        paths = [BUY_AGAIN, FOR_YOU, POPULAR, SIMILAR]
        together = [shown(one) for one in ask(*paths, distinct=True)]
        monkeypatch.setattr(batch, "LISTS_PER_TRIP", 1)
        assert [shown(one) for one in ask(*paths, distinct=True)] == together

    @pytest.mark.parametrize("fields", [{}, {"distinct": False}])
    def test_without_it_nothing_changes(self, ask, client, secret, fields):
        paths = [FOR_YOU, BUY_AGAIN, SIMILAR, POPULAR, POPULAR]
        for path, answer in zip(paths, ask(*paths, **fields), strict=True):
            alone = client.get(path, headers=bearer(secret))
            assert content(answer) == content({"status": alone.status_code, "body": alone.json})

    @pytest.mark.parametrize("value", ["true", 1, None])
    def test_it_is_true_or_false(self, client, secret, value):
        body = {"requests": rows(POPULAR), "distinct": value}
        answer = client.post("/v1/batch", json=body, headers=bearer(secret))
        assert (answer.status_code, answer.json["errors"][0]["field"]) == (400, "distinct")

    def test_rows_may_have_the_honest_short_list(self, ask):
        nobody = "/v1/customers/nobody/recommendations?fallback=none"
        empty, popular = ask(nobody, POPULAR, distinct=True)
        assert (shown(empty), shown(popular)) == ([], ["COFFEE", "MILK", "BREAD"])


CLIENT = create_app(
    Settings(log_level="error", placements={"pinned": PINNED}), make_storage(), lambda: small_shop.NOW
).test_client()
PATHS = [
    *(
        f"/v1/customers/{who}/{what}"
        for who in ("ANNA", "x%2Fy", "nobody")
        for what in ("recommendations", "buy-again")
    ),
    *(f"/v1/products/{one}/similar" for one in ("MILK", "KETTLE", "nope")),
    "/v1/products/BREAD/bought-together",
    POPULAR,
]
paths = st.builds(
    lambda path, limit, placement: f"{path}?limit={limit}&placement={placement}",
    st.sampled_from(PATHS),
    st.integers(1, 4),
    st.sampled_from(["home", "cart", "pinned"]),
)


@given(st.lists(paths, min_size=1, max_size=6))
def test_each_row_is_what_it_would_be_without_what_the_rows_before_show(asked):
    """Alone with these excluded: so no product comes twice, and no row is shorter than its own lists make it."""
    before: list[str] = []
    answers = CLIENT.post("/v1/batch", json={"requests": rows(*asked), "distinct": True}).json["responses"]
    for path, answer in zip(asked, answers, strict=True):
        alone = CLIENT.get("&".join([path, *(f"exclude={quote(one, safe='')}" for one in before)]))
        assert answer["status"] == alone.status_code
        assert answer["body"].get("items") == alone.json.get("items")
        assert not set(shown(answer)) & set(before)
        before += shown(answer)
