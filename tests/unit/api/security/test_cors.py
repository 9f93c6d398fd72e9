"""What browsers may: pages of the origins that a publishable key lists, and no others."""

import pytest
from flask.testing import FlaskClient

from api import create_app
from api.web.problems import REFUSAL
from recommender.errors import OverloadedError
from recommender.settings import Settings
from tests.fakes.shops import MemoryShopStorage
from tests.fakes.versions import MemoryVersionStore
from tests.support import small_shop
from tests.support.keyed_shop import ORIGIN, add_key, add_publishable_key, bearer, customer_token

OTHER_ORIGIN = "https://other.example"
SIMILAR = "/v1/products/MILK/similar"


@pytest.fixture
def storage() -> MemoryShopStorage:
    store = MemoryVersionStore()
    store.publish(small_shop.publication(), keep=3)
    return MemoryShopStorage({"default": store, "other": MemoryVersionStore()})


@pytest.fixture
def public(storage) -> str:
    add_publishable_key(storage, OTHER_ORIGIN, shop="other")
    return add_publishable_key(storage, ORIGIN, "https://www.shop.example")


@pytest.fixture
def client(storage, public) -> FlaskClient:
    return create_app(Settings(), storage, lambda: small_shop.NOW).test_client()


def preflight(client: FlaskClient, path: str, origin: str, method: str = "GET", **headers: str):
    asked = {"Origin": origin, "Access-Control-Request-Method": method, **headers}
    return client.options(path, headers=asked)


def cors_headers(answer) -> set[str]:
    return {name for name in dict(answer.headers) if name.startswith("Access-Control-")}


class TestPreflight:
    @pytest.mark.parametrize("origin", [ORIGIN, "https://www.shop.example", OTHER_ORIGIN])
    @pytest.mark.parametrize(
        ("path", "method"),
        [(SIMILAR, "GET"), ("/v1/customers/ANNA/buy-again", "GET"), ("/v1/recommendations", "POST")],
    )
    def test_it_needs_no_key_where_any_key_lists_the_origin(self, client, origin, path, method):
        answer = preflight(client, path, origin, method)
        assert (answer.status_code, answer.data) == (204, b"")
        assert answer.headers["Access-Control-Allow-Origin"] == origin
        assert method in answer.headers["Access-Control-Allow-Methods"].split(", ")
        allowed = answer.headers["Access-Control-Allow-Headers"].split(", ")
        assert {"Authorization", "Content-Type", "Reprise-Customer-Token"} <= set(allowed)
        assert {"traceparent", "tracestate", "baggage", "sentry-trace"} <= set(allowed)
        assert answer.headers["Access-Control-Max-Age"] == "7200"
        assert "Origin" in answer.headers["Vary"]

    @pytest.mark.parametrize(
        "origin",
        [
            "https://evil.example",
            "null",
            "",
            "*",
            ORIGIN + "/",
            ORIGIN.upper(),
            ORIGIN + ".evil.example",
            "http://shop.example",
        ],
    )
    def test_any_other_origin_gets_nothing(self, client, origin):
        answer = preflight(client, SIMILAR, origin)
        assert (answer.status_code, cors_headers(answer)) == (401, set())

    @pytest.mark.parametrize("path", ["/v1/models", "/v1/placements", "/v1/placements/home"])
    def test_what_no_publishable_key_opens_is_for_no_browser(self, client, path):
        answer = preflight(client, path, ORIGIN)
        assert (answer.status_code, "Access-Control-Allow-Methods" in answer.headers) == (401, False)

    def test_an_options_request_of_no_browser_is_a_request_like_any_other(self, client, public):
        assert client.options(SIMILAR).status_code == 401
        assert client.options(SIMILAR, headers={"Origin": ORIGIN}).status_code == 401
        assert client.options(SIMILAR, headers=bearer(public)).headers["Allow"]

    def test_without_keys_no_origin_is_known(self):
        client = create_app(Settings(), MemoryShopStorage(), lambda: small_shop.NOW).test_client()
        answer = preflight(client, SIMILAR, "http://localhost:3000")
        assert (answer.status_code, cors_headers(answer)) == (403, set())


class TestAnswers:
    def test_a_page_of_the_keys_own_origin_may_read_the_answer(self, client, public):
        answer = client.get(SIMILAR, headers=bearer(public, origin=ORIGIN))
        assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (200, ORIGIN)
        assert "Origin" in ", ".join(answer.headers.getlist("Vary")).split(", ")
        exposed = answer.headers["Access-Control-Expose-Headers"].split(", ")
        assert {"Reprise-Fallback", "RateLimit-Remaining", "Retry-After", "ETag", "X-Request-ID"} <= set(exposed)

    def test_it_varies_with_the_origin_even_where_none_was_sent(self, client, public):
        answer = client.get(SIMILAR, headers=bearer(public))
        assert (answer.status_code, cors_headers(answer)) == (200, set())
        assert {"Authorization", "Origin"} <= set(", ".join(answer.headers.getlist("Vary")).split(", "))

    @pytest.mark.parametrize("origin", [OTHER_ORIGIN, "null", "https://evil.example", "", ORIGIN + ":444"])
    def test_another_keys_origin_is_not_this_ones(self, client, public, origin):
        answer = client.get(SIMILAR, headers=bearer(public, origin=origin))
        readable = {"Access-Control-Allow-Origin", "Access-Control-Expose-Headers"} if origin == OTHER_ORIGIN else set()
        assert (answer.status_code, cors_headers(answer)) == (403, readable)

    @pytest.mark.parametrize(
        ("method", "path", "key", "status"),
        [
            ("GET", SIMILAR, "pk_unknown_0", 401),
            ("GET", "/v1/models", None, 403),
            ("GET", "/v1/nope", None, 404),
            ("GET", "/v1/products/nope/similar", None, 404),
            ("DELETE", "/v1/popular", None, 405),
            ("GET", "/v1/popular?limit=0", None, 400),
            ("POST", "/v1/recommendations", None, 415),
        ],
    )
    def test_a_page_of_a_listed_origin_can_read_every_refusal(self, client, public, method, path, key, status):  # noqa: PLR0917
        headers = bearer(key or public, origin=ORIGIN)
        answer = client.open(path, method=method, headers=headers, data="x" if method == "POST" else None)
        allowed = answer.headers.getlist("Access-Control-Allow-Origin")
        assert (answer.status_code, allowed) == (status, [ORIGIN])
        assert "X-Request-ID" in answer.headers["Access-Control-Expose-Headers"]
        stranger = client.open(path, method=method, headers={**headers, "Origin": "https://evil.example"}, data="x")
        assert cors_headers(stranger) == set()

    def test_a_page_can_read_that_too_much_waits(self, client, public):
        refusal = {REFUSAL: OverloadedError("too many requests wait")}
        answer = client.get("/v1/popular?limit=0", headers=bearer(public, origin=ORIGIN), environ_overrides=refusal)
        assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (503, ORIGIN)

    def test_a_page_can_read_why_its_token_was_refused(self, client, public):
        answer = client.get("/v1/customers/ANNA/buy-again", headers=bearer(public, "expired", ORIGIN))
        assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (401, ORIGIN)

    def test_a_persons_list_goes_to_its_page_alone(self, client, storage, public):
        secret = add_key(storage, "read")
        client.application.extensions["reprise"].shops.follow()
        headers = bearer(public, customer_token(secret, "ANNA"), ORIGIN)
        answer = client.get("/v1/customers/ANNA/buy-again", headers=headers)
        assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (200, ORIGIN)
        assert "no-store" in answer.headers["Cache-Control"]

    def test_a_key_without_origins_is_for_apps(self, client, storage):
        key = add_key(storage, kind="publishable")
        client.application.extensions["reprise"].shops.follow()
        assert client.get(SIMILAR, headers=bearer(key)).status_code == 200
        assert client.get(SIMILAR, headers=bearer(key, origin=ORIGIN)).status_code == 403

    def test_the_documentation_page_may_try_things_out_with_any_key(self, client, storage, public):
        secret = add_key(storage, "read")
        client.application.extensions["reprise"].shops.follow()
        for key in (secret, public):
            answer = client.get(SIMILAR, headers=bearer(key, origin="http://localhost"))
            assert (answer.status_code, cors_headers(answer)) == (200, set())

    @pytest.mark.parametrize("times", [1, 2])
    def test_nothing_is_ever_open_to_all_nor_with_credentials(self, client, public, times):
        for path in (SIMILAR, "/openapi.json", "/health/live", "/nope"):
            for _ in range(times):  # the second time from memory
                answer = client.get(path, headers=bearer(public, origin=ORIGIN))
            assert answer.headers.get("Access-Control-Allow-Origin") in (None, ORIGIN)
            assert "Access-Control-Allow-Credentials" not in answer.headers


def test_a_kept_answer_has_the_headers_of_the_one_who_asks_now(client, storage, public):
    www, secret = "https://www.shop.example", add_key(storage, "read")
    client.application.extensions["reprise"].shops.follow()
    by_page = [client.get(SIMILAR, headers=bearer(public, origin=origin)) for origin in (ORIGIN, www, ORIGIN)]
    by_server = client.get(SIMILAR, headers=bearer(secret))
    assert [answer.headers["Access-Control-Allow-Origin"] for answer in by_page] == [ORIGIN, www, ORIGIN]
    assert all("Origin" in ", ".join(answer.headers.getlist("Vary")) for answer in by_page)
    assert cors_headers(by_server) == set()
    assert {answer.data for answer in (*by_page, by_server)} == {by_server.data}
