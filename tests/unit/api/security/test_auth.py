"""Who is let in while there are no keys, while nobody can tell, and how often."""

import hmac

import pytest
from flask.testing import FlaskClient

from api import create_app
from api.security.auth import Permission, Principal, admit, allow, find_principal
from recommender.errors import ForbiddenError, StoreUnavailableError, TooManyRequestsError, UnauthorizedError
from recommender.settings import Settings
from recommender.storage.api_keys import ApiKey
from tests.fakes.shops import MemoryShopStorage
from tests.fakes.versions import MemoryVersionStore
from tests.support import small_shop
from tests.support.keyed_shop import ORIGIN, add_key, add_publishable_key, bearer, key_id

SIMILAR = "/v1/products/MILK/similar"


class DownStorage(MemoryShopStorage):
    """Redis that never answered."""

    def api_keys(self) -> dict[str, ApiKey]:
        raise StoreUnavailableError("Redis at localhost:6379 does not answer")


def make_client(storage: MemoryShopStorage, **settings: float) -> FlaskClient:
    return create_app(Settings(**settings), storage, lambda: small_shop.NOW).test_client()


def with_still_clock(client: FlaskClient) -> FlaskClient:
    """Nothing is filled up while the test runs."""
    client.application.extensions["reprise"].shops.rate_limits._timer = lambda: 0.0
    return client


def shops_of(client: FlaskClient):
    shops = client.application.extensions["reprise"].shops
    shops.follow()
    return shops


@pytest.fixture
def storage() -> MemoryShopStorage:
    store = MemoryVersionStore()
    store.publish(small_shop.publication(), keep=3)
    return MemoryShopStorage({"default": store})


class TestWithoutKeys:
    @pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1", "", None])
    def test_this_machine_is_let_in(self, storage, address):
        environ = {"REMOTE_ADDR": address, "HTTP_HOST": "localhost:8000"}
        assert find_principal(environ, shops_of(make_client(storage)).api_keys, "default").kind == "local"

    @pytest.mark.parametrize("address", ["192.168.1.10", "203.0.113.7", "::ffff:10.0.0.1", "fe80::1", "nonsense"])
    def test_no_other_is(self, storage, address):
        with pytest.raises(UnauthorizedError, match="reprise keys create"):
            find_principal({"REMOTE_ADDR": address}, shops_of(make_client(storage)).api_keys, "default")

    @pytest.mark.parametrize(
        "host", ["localhost", "localhost:8000", "LOCALHOST", "shop.localhost:80", "127.0.0.1:8000", "[::1]:8000"]
    )
    def test_names_of_this_machine_are_answered(self, storage, host):
        assert make_client(storage).get("/v1/popular", headers={"Host": host}).status_code == 200

    @pytest.mark.parametrize(
        "host",
        ["evil.example", "localhost.evil.example", "evil-localhost", "192.168.1.10", "0.0.0.0", "[::1", "", "a b"],
    )
    def test_any_other_name_may_be_a_page_that_points_at_us(self, storage, host):
        environ = {"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": host}
        with pytest.raises(ForbiddenError, match="not a name of this machine"):
            find_principal(environ, shops_of(make_client(storage)).api_keys, "default")

    @pytest.mark.parametrize(
        ("origin", "status"), [("http://localhost", 200), ("https://evil.example", 403), ("null", 403)]
    )
    def test_a_page_of_ours_may_ask_and_no_other(self, storage, origin, status):
        path = f"/v1/models/{small_shop.VERSION}/activate"
        assert make_client(storage).post(path, headers={"Origin": origin}).status_code == status

    @pytest.mark.parametrize(
        ("site", "status"), [(None, 200), ("none", 200), ("same-origin", 200), ("same-site", 403), ("cross-site", 403)]
    )
    def test_a_picture_in_a_page_of_another_site_is_not_answered(self, storage, site, status):
        headers = {} if site is None else {"Sec-Fetch-Site": site}
        assert make_client(storage).get("/v1/customers/ANNA/recommendations", headers=headers).status_code == status

    def test_a_name_that_was_pointed_at_us_is_no_page_of_ours(self, storage):
        rebound = {"Host": "evil.example:8000", "Origin": "http://evil.example:8000", "Sec-Fetch-Site": "same-origin"}
        assert make_client(storage).post("/v1/recommendations", headers=rebound, json={}).status_code == 403

    def test_nobody_is_limited(self, storage):
        client = make_client(storage, secret_rate_per_s=0.1, publishable_rate_per_s=0.1)
        answers = [client.get(SIMILAR) for _ in range(20)]
        assert {answer.status_code for answer in answers} == {200}
        assert "RateLimit-Limit" not in answers[-1].headers


class TestFromTheFirstKeyOn:
    def test_a_key_counts_as_soon_as_it_is_seen(self, storage):
        client = make_client(storage)
        assert client.get(SIMILAR).status_code == 200
        key = add_key(storage, "read")
        shops_of(client)
        assert client.get(SIMILAR).status_code == 401
        assert client.get(SIMILAR, headers=bearer(key)).status_code == 200

    def test_who_revokes_the_last_key_lets_nobody_in(self, storage):
        key = add_key(storage, "read")
        client = make_client(storage)
        assert client.get(SIMILAR, headers=bearer(key)).status_code == 200
        storage.add_api_key(storage.api_keys()[key_id(key)].revoke(small_shop.NOW))
        shops_of(client)
        assert client.get(SIMILAR, headers=bearer(key)).status_code == 401
        assert client.get(SIMILAR).status_code == 401

    @pytest.mark.parametrize("given", ["", "x", "sk_unknown_0", "sk_{id}_0"])
    def test_every_key_that_does_not_fit_is_compared_the_same(self, storage, monkeypatch, given):
        key = add_key(storage, "read")
        shops = shops_of(make_client(storage))
        compared = []
        compare = hmac.compare_digest
        monkeypatch.setattr(
            hmac, "compare_digest", lambda one, other: compared.append((one, other)) or compare(one, other)
        )
        with pytest.raises(UnauthorizedError, match="known here"):
            find_principal({"HTTP_AUTHORIZATION": f"Bearer {given.format(id=key_id(key))}"}, shops.api_keys, "default")
        assert [(len(one), len(other)) for one, other in compared] == [(64, 64)]

    @pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
    def test_the_scheme_is_read_in_any_case(self, storage, scheme):
        key = add_key(storage, "read")
        environ = {"HTTP_AUTHORIZATION": f"{scheme} {key}"}
        assert find_principal(environ, shops_of(make_client(storage)).api_keys, "default").key_id == key_id(key)

    @pytest.mark.parametrize("n_blanks", [2, 10])
    def test_more_than_one_blank_may_follow_it(self, storage, n_blanks):
        headers = {"Authorization": f"bearer{' ' * n_blanks}{add_key(storage, 'read')}"}
        assert make_client(storage).get(SIMILAR, headers=headers).status_code == 200


class TestPagesOfOurOwn:
    """The documentation tries out the API; a page whose name was pointed at us looks the same."""

    @pytest.mark.parametrize(
        ("host", "public", "secret"),
        [("api.shop.example", 403, 200), ("evil.example:8000", 403, 200), ("localhost:8000", 200, 200)],
    )
    def test_a_publishable_key_is_good_on_pages_that_it_lists_alone(self, storage, host, public, secret):
        keys, client = [add_publishable_key(storage), add_key(storage, "read")], make_client(storage)
        for key, status in zip(keys, (public, secret), strict=True):
            headers = {**bearer(key, origin=f"https://{host}"), "Host": host}
            assert client.post("/v1/recommendations", headers=headers, json={"placement": "home"}).status_code == status
        listed = bearer(keys[0], origin=ORIGIN)
        assert client.post("/v1/recommendations", headers=listed, json={"placement": "home"}).status_code == 200


class TestWhileNobodyCanTell:
    """Redis was down when the worker started, so that it never saw the keys."""

    @pytest.mark.parametrize("path", [SIMILAR, "/v1/popular", "/v1/customers/ANNA/recommendations"])
    def test_a_page_gets_an_answer_with_nothing_in_it(self, path):
        answer = make_client(DownStorage()).get(path)
        assert (answer.status_code, answer.json["items"]) == (200, [])
        assert answer.json["fallback"]["reason"] == "store_unavailable"

    @pytest.mark.parametrize("path", ["/v1/models", "/v1/placements", "/v1/placements/home", "/metrics"])
    def test_whatever_is_no_page_waits(self, path):
        answer = make_client(DownStorage()).get(path)
        assert (answer.status_code, answer.content_type) == (503, "application/problem+json")


class TestRules:
    def test_a_route_without_a_rule_opens_to_nobody(self):
        with pytest.raises(ForbiddenError, match="no rule"):
            allow(None, Principal("a", "local", frozenset({"read", "events", "admin"})), None)

    @pytest.mark.parametrize("customer_id", [None, "BOB", ""])
    def test_a_token_opens_one_persons_lists(self, customer_id):
        anna = Principal("a", "publishable", frozenset({"read"}), "k", customer_id="ANNA")
        allow(Permission.PERSON, anna, "ANNA")
        with pytest.raises(ForbiddenError, match="another customer"):
            allow(Permission.PERSON, anna, customer_id)

    def test_no_token_is_nobodys(self):
        with pytest.raises(ForbiddenError):
            allow(Permission.PERSON, Principal("a", "publishable", frozenset({"read"}), "k"), None)


class TestRates:
    def test_answers_count_down_and_then_refuse_with_a_time_to_wait(self, storage):
        key = add_key(storage, "read", rate_per_s=1.5)
        client = with_still_clock(make_client(storage))
        answers = [client.get(SIMILAR, headers=bearer(key)) for _ in range(5)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
        assert [answer.headers["RateLimit-Remaining"] for answer in answers] == ["2", "1", "0", "0", "0"]
        assert {answer.headers["RateLimit-Limit"] for answer in answers} == {"3"}
        assert all(len(answer.headers.getlist("RateLimit-Limit")) == 1 for answer in answers)
        refused = answers[-1]
        assert refused.json["code"] == "too_many_requests"
        assert refused.headers.getlist("Retry-After") == ["1"]
        assert "Retry-After" not in answers[0].headers

    def test_kept_answers_and_refusals_count_as_well(self, storage):
        key = add_publishable_key(storage, rate_per_s=2)
        client = with_still_clock(make_client(storage))
        paths = [SIMILAR, SIMILAR, "/v1/models", "/v1/customers/ANNA/buy-again", SIMILAR]
        statuses = [client.get(path, headers=bearer(key)).status_code for path in paths]
        assert statuses == [200, 200, 403, 401, 429]

    def test_the_settings_say_how_often_a_key_of_each_kind_may_ask(self, storage):
        secret, public = add_key(storage, "read"), add_publishable_key(storage)
        client = with_still_clock(make_client(storage, secret_rate_per_s=5, publishable_rate_per_s=3))
        limits = [client.get(SIMILAR, headers=bearer(key)).headers["RateLimit-Limit"] for key in (secret, public)]
        assert limits == ["10", "6"]

    def test_a_page_can_read_that_it_has_to_wait(self, storage):
        key = add_publishable_key(storage, rate_per_s=0.5)
        client = with_still_clock(make_client(storage))
        answers = [client.get(SIMILAR, headers=bearer(key, origin=ORIGIN)) for _ in range(2)]
        assert (answers[1].status_code, answers[1].headers["Access-Control-Allow-Origin"]) == (429, ORIGIN)
        assert "Retry-After" in answers[1].headers["Access-Control-Expose-Headers"]

    def test_open_routes_and_strangers_are_not_counted(self, storage):
        key = add_key(storage, "read", rate_per_s=0.5)
        client = with_still_clock(make_client(storage))
        for headers in ({}, bearer(key), bearer(f"sk_{key_id(key)}_wrong")):
            assert client.get("/health/live", headers=headers).status_code == 200
        assert client.get(SIMILAR, headers=bearer(f"sk_{key_id(key)}_wrong")).status_code == 401
        assert client.get(SIMILAR, headers=bearer(key)).status_code == 200

    @pytest.mark.parametrize("path", [SIMILAR, "/v1/products/nope/similar", "/v1/popular?limit=0", "/v1/placements"])
    def test_each_request_counts_once_wherever_it_is_answered(self, storage, path):
        key = add_key(storage, "read", rate_per_s=5)
        client = with_still_clock(make_client(storage))
        left = [client.get(path, headers=bearer(key)).headers["RateLimit-Remaining"] for _ in range(3)]
        assert left == ["9", "8", "7"]

    def test_admit_counts_for_the_layer_before_flask(self, storage):
        key = add_publishable_key(storage, rate_per_s=0.5)
        shops = shops_of(with_still_clock(make_client(storage)))
        environ = {"HTTP_AUTHORIZATION": f"Bearer {key}", "HTTP_ORIGIN": ORIGIN}
        principal = find_principal(environ, shops.api_keys, "default")
        owed = dict(admit(environ, principal, shops.rate_limits))
        assert (owed["RateLimit-Remaining"], owed["Access-Control-Allow-Origin"]) == ("0", ORIGIN)
        with pytest.raises(TooManyRequestsError, match="ask again in 2 s"):
            admit(environ, principal, shops.rate_limits)

    def test_two_workers_share_one_truth(self, storage):
        key = add_key(storage, "read", rate_per_s=5)
        one, other = with_still_clock(make_client(storage)), with_still_clock(make_client(storage))
        for client in (one, other):
            client.get(SIMILAR, headers=bearer(key))
        for _ in range(8):
            one.get(SIMILAR, headers=bearer(key))
        for client in (one, other):
            shops_of(client)
        assert other.get(SIMILAR, headers=bearer(key)).status_code == 429
