"""Events with a publishable key: what visitors did, in their own name, and no more than a page has to tell."""

import json
from datetime import timedelta
from typing import get_args

import pytest
from flask.testing import FlaskClient

from api import create_app
from api.security.browser_events import BROWSER_EVENTS, MOST_OF_KEY, MOST_OF_PERSON, EventLimits
from api.web.body_limits import MAX_BEACON_BYTES
from recommender.errors import StoreUnavailableError, TooManyRequestsError
from recommender.events.event import Event, EventType
from recommender.settings import Settings
from recommender.storage.api_keys import ApiKey
from tests.fakes.shops import MemoryShopStorage
from tests.fakes.versions import MemoryVersionStore
from tests.support import small_shop
from tests.support.keyed_shop import ORIGIN, add_key, add_publishable_key, bearer, customer_token

VIEW = {
    "event_id": "e1",
    "event_type": "view",
    "session_id": "s1",
    "product_id": "MILK",
    "occurred_at": "2026-11-20T11:00:00Z",
}
NONE_REJECTED = {"accepted": 1, "duplicates": 0, "rejected": []}


def of(customer_id: str, **fields) -> dict:
    return {**VIEW, "session_id": None, "customer_id": customer_id, **fields}


@pytest.fixture
def storage() -> MemoryShopStorage:
    store = MemoryVersionStore()
    store.publish(small_shop.publication(), keep=3)
    return MemoryShopStorage({"default": store, "other": MemoryVersionStore()})


@pytest.fixture
def public(storage) -> str:
    return add_publishable_key(storage)


@pytest.fixture
def secret(storage) -> str:
    return add_key(storage, "read", "events")


@pytest.fixture
def client(storage, public, secret) -> FlaskClient:
    return create_app(Settings(), storage, lambda: small_shop.NOW).test_client()


def send(client: FlaskClient, key: str, *events: dict, origin: str | None = ORIGIN, token: str | None = None):
    return client.post("/v1/events", json={"events": events}, headers=bearer(key, token, origin))


def beacon(client: FlaskClient, key: str, body: dict | str, origin: str | None = ORIGIN):
    """As `navigator.sendBeacon(address, text)` sends it."""
    text = body if isinstance(body, str) else json.dumps(body)
    named = {} if origin is None else {"Origin": origin}
    return client.post(f"/v1/events?key={key}", data=text, content_type="text/plain;charset=UTF-8", headers=named)


def kept(storage: MemoryShopStorage, shop: str = "default") -> list[Event]:
    return [Event.from_json(entry.wire) for entry in storage.event_log(shop).queue.take("test")]


class TestWhatMayBeTold:
    @pytest.mark.parametrize("event_type", get_args(EventType))
    def test_what_visitors_do_and_nothing_else(self, client, storage, public, secret, event_type):
        token = customer_token(secret, "ANNA")
        answer = send(client, public, of("ANNA", event_type=event_type), token=token)
        rejected = [] if event_type in BROWSER_EVENTS else ["not_from_browsers"]
        told = answer.json["errors"] if rejected else answer.json["rejected"]
        assert (answer.status_code, [one["code"] for one in told]) == (400 if rejected else 202, rejected)
        assert [one.event_type for one in kept(storage)] == ([event_type] if event_type in BROWSER_EVENTS else [])

    def test_the_list_of_them(self):
        told = "view add_to_cart remove_from_cart impression click not_interested exposure"
        assert set(told.split()) == BROWSER_EVENTS

    def test_what_is_no_event_at_all_is_named_and_stops_no_other(self, client, storage, public):
        answer = send(client, public, None, VIEW)
        assert (answer.status_code, answer.json["accepted"]) == (202, 1)
        assert [(one["index"], one["code"]) for one in answer.json["rejected"]] == [(0, "invalid_event")]

    def test_a_session_needs_no_token(self, client, storage, public):
        assert send(client, public, VIEW).json == NONE_REJECTED
        assert [(one.session_id, one.product_id) for one in kept(storage)] == [("s1", "MILK")]

    @pytest.mark.parametrize("named", [None, "BEN"])
    def test_another_customer_is_rejected_and_stops_no_other(self, client, storage, public, secret, named):
        token = None if named is None else customer_token(secret, named)
        answer = send(client, public, of("ANNA"), VIEW, {**VIEW, "customer_id": "ANNA"}, token=token)
        assert [(one["index"], one["code"]) for one in answer.json["rejected"]] == [
            (0, "other_customer"),
            (2, "other_customer"),
        ]
        assert [one.customer_id for one in kept(storage)] == [None]

    @pytest.mark.parametrize("wrong", ["nonsense", "{other}"])
    def test_a_token_that_is_not_good_is_a_401(self, client, storage, public, wrong):
        other = customer_token(add_key(storage, "read", shop="other"), "ANNA")
        client.application.extensions["reprise"].shops.follow()
        token = wrong.format(other=other)
        assert send(client, public, of("ANNA"), token=token).status_code == 401
        assert beacon(client, public, {"events": [of("ANNA")], "customer_token": token}).status_code == 401
        assert kept(storage) == []

    def test_nobody_uses_up_the_event_ids_of_others(self, client, storage, public, secret):
        bought = {**of("ANNA"), "event_type": "purchase"}
        told = [send(client, public, VIEW), send(client, public, {**VIEW, "session_id": "s2"})]
        told.append(send(client, secret, bought, origin=None))
        assert [answer.json for answer in told] == [NONE_REJECTED] * 3
        assert send(client, public, VIEW).json["duplicates"] == 1
        assert len({one.event_id for one in kept(storage)}) == 3


class TestWhoMayTell:
    @pytest.mark.parametrize("origin", ["https://evil.example", "null", None])
    def test_pages_of_the_keys_origins_alone(self, client, storage, public, origin):
        assert send(client, public, VIEW, origin=origin).status_code == 403
        assert beacon(client, public, {"events": [VIEW]}, origin=origin).status_code == 403
        assert kept(storage) == []

    def test_a_key_without_origins_is_for_apps(self, client, storage):
        key = add_key(storage, kind="publishable")
        client.application.extensions["reprise"].shops.follow()
        assert send(client, key, VIEW, origin=None).json == NONE_REJECTED
        assert send(client, key, VIEW).status_code == 403

    def test_events_of_a_key_go_to_its_shop(self, client, storage):
        key = add_publishable_key(storage, shop="other")
        client.application.extensions["reprise"].shops.follow()
        assert send(client, key, VIEW).json == NONE_REJECTED
        assert (len(kept(storage, "other")), kept(storage)) == (1, [])

    def test_a_secret_key_still_needs_its_scope(self, client, storage):
        reader = add_key(storage, "read")
        client.application.extensions["reprise"].shops.follow()
        assert send(client, reader, VIEW, origin=None).status_code == 403

    def test_while_no_key_can_be_read_nothing_is_taken(self):
        class DownStorage(MemoryShopStorage):
            def api_keys(self) -> dict[str, ApiKey]:
                raise StoreUnavailableError("Redis does not answer")

        client = create_app(Settings(), DownStorage(), lambda: small_shop.NOW).test_client()
        assert client.post("/v1/events", json={"events": [VIEW]}).status_code == 503


class TestBeacons:
    def test_text_with_the_key_in_the_query_and_the_token_in_the_body(self, client, storage, public, secret):
        body = {"events": [VIEW, of("ANNA")], "customer_token": customer_token(secret, "ANNA")}
        answer = beacon(client, public, body)
        assert (answer.status_code, answer.json["accepted"]) == (202, 2)
        assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN

    def test_text_is_for_publishable_keys(self, client, secret):
        body = {"data": json.dumps({"events": [VIEW]}), "content_type": "text/plain"}
        assert client.post("/v1/events", headers=bearer(secret), **body).status_code == 415

    @pytest.mark.parametrize("text", ['{"events": [{"event_id"', "", "[]", '{"events": []}'])
    def test_what_is_cut_off_is_a_400(self, client, public, text):
        assert beacon(client, public, text).status_code == 400

    @pytest.mark.parametrize(("more", "status"), [(-1, 202), (0, 413), (1, 413)])
    def test_32_kib_at_most(self, client, public, more, status):
        text = json.dumps({"events": [VIEW]})
        answer = beacon(client, public, text.ljust(MAX_BEACON_BYTES + more))
        assert answer.status_code == status
        assert ("shorter than 32,768 bytes" in answer.text) == (status == 413)

    def test_a_session_id_of_ten_kilobytes_is_named(self, client, storage, public):
        answer = beacon(client, public, {"events": [VIEW, {**VIEW, "session_id": "x" * 10_000}]})
        (rejected,) = answer.json["rejected"]
        assert (answer.status_code, answer.json["accepted"], rejected["index"]) == (202, 1, 1)
        assert rejected["message"] == "session_id: String should have at most 512 characters"
        assert len(kept(storage)) == 1

    @pytest.mark.parametrize(
        ("told", "as_kept"),
        [
            ("2026-11-21T12:00:00Z", small_shop.NOW),
            ("2027-11-20T12:00:00Z", small_shop.NOW),
            ("2026-11-20T12:03:00Z", small_shop.NOW),
            ("2026-11-19T12:00:00Z", small_shop.NOW - timedelta(days=1)),
        ],
    )
    def test_no_clock_of_a_visitor_loses_an_event(self, client, storage, public, told, as_kept):
        """A page that tells by a beacon hears of no refusal, and no shop can set its visitors' clocks."""
        assert beacon(client, public, {"events": [{**VIEW, "occurred_at": told}]}).json == NONE_REJECTED
        assert [one.occurred_at for one in kept(storage)] == [as_kept]

    @pytest.mark.parametrize("days", [1, -1])
    def test_what_visitors_with_such_a_clock_do_counts_at_once(self, client, public, days):
        told = (small_shop.NOW + timedelta(days=days)).isoformat()
        beacon(client, public, {"events": [{**VIEW, "event_type": "add_to_cart", "occurred_at": told}]})
        body = {"placement": "home", "session_id": "s1"}
        answer = client.post("/v1/recommendations", json=body, headers=bearer(public, None, ORIGIN)).json
        assert answer["suppressed"]["in_cart"] == 1

    def test_the_token_of_another_customer_in_its_body_accepts_nothing(self, client, storage, public, secret):
        answer = beacon(client, public, {"events": [of("ANNA")], "customer_token": customer_token(secret, "BEN")})
        assert (answer.status_code, [one["code"] for one in answer.json["errors"]]) == (400, ["other_customer"])
        assert kept(storage) == []

    def test_the_key_of_another_shop_tells_that_shop(self, client, storage, secret):
        key = add_publishable_key(storage, shop="other")
        client.application.extensions["reprise"].shops.follow()
        assert beacon(client, key, {"events": [VIEW]}).json == NONE_REJECTED
        body = {"events": [of("ANNA")], "customer_token": customer_token(secret, "ANNA")}
        assert beacon(client, key, body).status_code == 401  # signed by a key of `default`
        assert (len(kept(storage, "other")), kept(storage)) == (1, [])

    def test_a_thousand_at_once_are_too_many_for_a_beacon_and_are_told_in_several(self, client, storage, public):
        many = [{**VIEW, "event_id": str(n), "session_id": f"s{n % 50}"} for n in range(MOST_OF_KEY)]
        assert beacon(client, public, {"events": many}).status_code == 413
        client.application.extensions["reprise"].event_limits._clock = lambda: 0.0
        told = [beacon(client, public, {"events": many[n : n + 100]}) for n in range(0, MOST_OF_KEY, 100)]
        assert [(answer.status_code, answer.json["accepted"]) for answer in told] == [(202, 100)] * 10
        answer = beacon(client, public, {"events": [VIEW]})
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1")
        assert len(kept(storage)) == MOST_OF_KEY

    def test_all_that_is_wrong_is_told_at_once(self, client, public):
        wrong = {"event_type": "purchase", "customer_id": 7, "occurred_at": "now", "quantity": "x"}
        (error,) = beacon(client, public, {"events": [wrong]}).json["errors"]
        for words in (
            "event_id: Field required",
            "occurred_at: ",
            "quantity: ",
            "needs a product_id",
            "no browser may",
        ):
            assert words in error["message"]
        assert "does not name this customer" in error["message"]
        assert (error["field"], error["code"]) == ("events.0", "invalid_event")


class TestBounds:
    def test_events_and_lists_of_a_key_are_counted_apart(self, storage):
        key = add_publishable_key(storage, rate_per_s=1)
        client = create_app(Settings(), storage, lambda: small_shop.NOW).test_client()
        client.application.extensions["reprise"].shops.rate_limits._clock = lambda: 0.0
        assert [send(client, key, VIEW).status_code for _ in range(3)] == [202, 202, 429]
        lists = [client.get("/v1/popular", headers=bearer(key)).status_code for _ in range(3)]
        assert lists == [200, 200, 429]

    def test_one_session_cannot_tell_more_than_pages_have_to(self, client, storage, public):
        client.application.extensions["reprise"].event_limits._clock = lambda: 0.0
        many = [{**VIEW, "event_id": str(n)} for n in range(100)]
        for _ in range(MOST_OF_PERSON // 100):
            assert send(client, public, *many).status_code == 202
        answer = send(client, public, VIEW)
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "10")
        assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
        assert send(client, public, {**VIEW, "session_id": "s2"}).status_code == 202

    def test_a_key_is_bounded_whatever_sessions_are_made_up(self):
        now = [0.0]
        limits = EventLimits(lambda: now[0])
        made_up = [Event(**{**VIEW, "session_id": f"s{n}"}) for n in range(MOST_OF_KEY)]
        limits.take("k", made_up)
        with pytest.raises(TooManyRequestsError, match="1,000 of this key a second"):
            limits.take("k", made_up[:1])
        limits.take("other", made_up)
        now[0] = 1.0
        limits.take("k", made_up)

    def test_they_leave_room_for_what_the_shop_tells(self, storage, public, secret):
        client = create_app(Settings(max_waiting_events=4), storage, lambda: small_shop.NOW).test_client()
        several = [{**VIEW, "event_id": str(n)} for n in range(3)]
        assert send(client, public, *several[:2]).status_code == 202
        full = send(client, public, several[2])
        assert (full.status_code, full.headers["Access-Control-Allow-Origin"]) == (503, ORIGIN)
        assert send(client, secret, *several[:2], origin=None).status_code == 202
