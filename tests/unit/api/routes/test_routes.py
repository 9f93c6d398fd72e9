"""What each route answers, on the small shop. See `small_shop` for what is known there."""

import re

import pytest

from tests.support import small_shop

PAGES = [
    "/v1/products/MILK/similar",
    "/v1/products/BREAD/bought-together",
    "/v1/customers/ANNA/recommendations",
    "/v1/customers/ANNA/buy-again",
    "/v1/popular",
]
PUBLIC = [PAGES[0], PAGES[1], PAGES[4]]
PERSONAL = [PAGES[2], PAGES[3]]


def shown(answer) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [item["product_id"] for item in answer.json["items"]]


def recommend(client, **body):
    return client.post("/v1/recommendations", json=body)


def test_a_personal_answer_has_the_whole_shape(client):
    answer = client.get("/v1/customers/ANNA/recommendations?limit=1").json
    assert re.fullmatch(r"rec_[0-9A-Z]{26}", answer.pop("recommendation_id"))
    probability = answer["items"][0]["due"].pop("probability")
    assert answer == {
        "placement": "home",
        "model_version": "20261120T020000Z-3f2a",
        "as_of": "2026-11-20T02:00:00Z",
        "limit": {"requested": 1, "applied": 1, "cap": 20},
        "suppressed": {},
        "fallback": None,
        "items": [
            {
                "product_id": "MILK",
                "rank": 1,
                "probability": 0.7998,
                "kind": "buy_again",
                "due": {
                    "at": "2026-11-21",
                    "from": "2026-11-20",
                    "to": "2026-11-22",
                    "interval_days": 7,
                    "text": "Due around 21 November",
                },
                "reason": {
                    "code": "DUE_SOON",
                    "text": "You usually reorder every 7 days",
                    "evidence": {"purchases": 20, "last_purchased_on": "2026-11-14", "interval_days": 7},
                },
                "product": {
                    "title": "Whole milk, 1 l",
                    "price": "1.20",
                    "currency": None,
                    "url": "/p/milk",
                    "image_url": "/i/milk.jpg",
                    "category": "Dairy",
                },
            }
        ],
        "experiments": [],
    }
    assert list(probability) == ["7d", "14d", "30d"]
    assert 0 < probability["7d"] <= probability["14d"] <= probability["30d"] <= 1


def test_similar_products_leave_out_what_is_out_of_stock(client):
    answer = client.get("/v1/products/MILK/similar")
    assert shown(answer) == ["BUTTER", "käse 🧀"]
    assert answer.json["suppressed"] == {"out_of_stock": 1}
    assert answer.json["fallback"] is None


def test_bought_together_may_be_short_and_is_not_padded(client):
    assert shown(client.get("/v1/products/BREAD/bought-together")) == ["BUTTER", "MILK"]
    assert shown(client.get("/v1/products/MILK/bought-together")) == []


@pytest.mark.parametrize(("product_id", "used"), [("KETTLE", "category"), ("a%2Fb%20c", "popular")])
def test_a_cold_product_says_what_stands_in(client, product_id, used):
    answer = client.get(f"/v1/products/{product_id}/similar").json
    assert answer["fallback"] == {"reason": "cold_product", "used": used}
    assert {(item["kind"], item["reason"]["code"]) for item in answer["items"]} == {("popular", "BEST_SELLER")}


@pytest.mark.parametrize("path", ["a/b c", "a%2Fb%20c", "a/b%20c"])
def test_a_slash_in_an_id_may_be_encoded_or_not(client, path):
    assert shown(client.get(f"/v1/products/{path}/similar")) == ["MILK", "BREAD"]


@pytest.mark.parametrize("path", ["käse 🧀", "k%C3%A4se%20%F0%9F%A7%80"])
def test_an_id_in_unicode(client, path):
    assert shown(client.get(f"/v1/products/{path}/similar")) == ["MILK"]


def test_a_slash_in_a_customers_id(client):
    assert shown(client.get("/v1/customers/x%2Fy/buy-again")) == ["COFFEE"]


@pytest.mark.parametrize("path", ["nope", "/", "a//b", "MILK/similar", "a%0Ab", "%FF", "%00", "milk"])
@pytest.mark.parametrize("route", ["similar", "bought-together"])
def test_an_unknown_product_is_a_404(client, path, route):
    answer = client.get(f"/v1/products/{path}/{route}")
    assert (answer.status_code, answer.json["code"]) == (404, "unknown_product")


def test_recommendations_mix_by_probability_and_leave_out_what_was_just_bought(client):
    answer = client.get("/v1/customers/ANNA/recommendations")
    assert shown(answer) == ["MILK", "COFFEE", "BUTTER"]
    assert [item["kind"] for item in answer.json["items"]] == ["buy_again", "discover", "discover"]
    assert answer.json["suppressed"] == {"not_due": 1}
    assert answer.json["fallback"] is None


@pytest.mark.parametrize(("mix", "expected"), [("buy_again", ["MILK"]), ("discover", ["COFFEE", "BUTTER"])])
def test_a_mix_holds_to_the_end_of_the_answer(client, mix, expected):
    assert shown(client.get(f"/v1/customers/ANNA/recommendations?mix={mix}")) == expected


def test_an_unknown_customer_gets_what_sells(client):
    answer = client.get("/v1/customers/nobody/recommendations")
    assert shown(answer) == ["COFFEE", "MILK", "BREAD"]
    assert answer.json["fallback"] == {"reason": "unknown_customer", "used": "trending"}


def test_an_unknown_customer_has_nothing_to_buy_again(client):
    answer = client.get("/v1/customers/nobody/buy-again")
    assert shown(answer) == []
    assert answer.json["fallback"] == {"reason": "unknown_customer", "used": None}


def test_a_short_list_of_a_known_customer_is_filled_and_says_so(client):
    answer = client.get("/v1/customers/x%2Fy/recommendations")
    assert shown(answer) == ["COFFEE", "MILK", "BREAD"]
    assert answer.json["fallback"] == {"reason": "too_few_candidates", "used": "popular"}


def test_due_within_keeps_what_is_due_by_then(client):
    assert shown(client.get("/v1/customers/ANNA/buy-again?due_within=1d")) == ["MILK"]
    assert shown(client.get("/v1/customers/x%2Fy/buy-again?due_within=14d")) == ["COFFEE"]


def test_popular_is_trending_first(client):
    answer = client.get("/v1/popular")
    assert shown(answer) == ["COFFEE", "MILK", "BREAD"]
    assert [item["reason"]["code"] for item in answer.json["items"]] == ["TRENDING", "BEST_SELLER", "BEST_SELLER"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [("category=Dairy", ["BUTTER", "MILK"]), ("category=", ["COFFEE", "MILK", "BREAD"]), ("category=Nope", [])],
)
def test_popular_of_a_category(client, query, expected):
    assert shown(client.get(f"/v1/popular?{query}")) == expected


def test_popular_of_an_unknown_category_says_that_there_is_too_little(client):
    fallback = client.get("/v1/popular?category=Nope").json["fallback"]
    assert fallback == {"reason": "too_few_candidates", "used": None}


def test_a_category_holds_for_the_fallback_too(client):
    assert shown(client.get("/v1/customers/nobody/recommendations?category=Dairy")) == ["BUTTER", "MILK"]


def test_exclude_may_be_repeated(client):
    answer = client.get("/v1/popular?exclude=COFFEE&exclude=MILK")
    assert shown(answer) == ["BREAD"]
    assert answer.json["suppressed"] == {"excluded": 2}


def test_a_limit_over_the_cap_is_clamped_and_says_so(client):
    answer = client.get("/v1/products/MILK/similar?limit=30").json
    assert answer["limit"] == {"requested": 30, "applied": 12, "cap": 12}


def test_a_placement_is_chosen_by_name(client):
    assert client.get("/v1/popular?placement=email").json["limit"] == {"requested": None, "applied": 4, "cap": 8}


@pytest.mark.parametrize("path", PAGES)
def test_an_unknown_placement_is_a_404_that_names_those_there_are(client, path):
    answer = client.get(f"{path}?placement=nope")
    assert (answer.status_code, answer.json["code"]) == (404, "unknown_placement")
    assert "cart, email, home, product-page" in answer.json["detail"]


@pytest.mark.parametrize("path", PAGES)
def test_one_answer_is_one_read(client, store, path):
    client.get("/v1/placements")  # opens the shop
    before = store.reads
    client.get(path)
    assert store.reads == before + (path != "/v1/popular")  # which is always at hand


class TestSession:
    def test_a_cart_leads_with_what_goes_with_it(self, client):
        answer = recommend(client, placement="cart", cart=["BREAD"])
        assert shown(answer) == ["BUTTER", "MILK", "COFFEE"]
        reason = answer.json["items"][0]["reason"]
        assert (reason["code"], reason["text"]) == ("BOUGHT_TOGETHER", "Often bought together with Rye bread")

    def test_several_lists_are_merged_by_score_and_the_cart_is_never_shown(self, client):
        answer = recommend(client, placement="cart", cart=["BREAD", "COFFEE"])
        assert shown(answer) == ["MILK", "BUTTER"]
        assert answer.json["suppressed"] == {"in_cart": 2}

    def test_a_product_that_no_list_describes_is_called_by_its_id(self, client):
        answer = recommend(client, placement="cart", cart=["COFFEE"], category="Dairy", limit=1)
        assert answer.json["items"][0]["reason"]["evidence"] == {"because": "COFFEE"}

    def test_what_the_customer_just_bought_is_not_shown_as_a_complement(self, client, store):
        client.get("/v1/placements")  # opens the shop
        before = store.reads
        answer = recommend(client, placement="cart", cart=["COFFEE"], customer_id="ANNA")
        milk = answer.json["items"][0]
        assert (milk["product_id"], milk["kind"], milk["due"]["at"]) == ("MILK", "buy_again", "2026-11-21")
        assert store.reads == before + 1

    def test_home_leads_with_the_customers_own_lists(self, client):
        answer = recommend(client, placement="home", cart=["BREAD"], customer_id="ANNA")
        assert shown(answer)[:2] == ["MILK", "COFFEE"]

    def test_products_viewed_lead_to_similar_ones(self, client):
        answer = recommend(client, placement="home", recently_viewed=["MILK"])
        assert shown(answer)[:2] == ["BUTTER", "käse 🧀"]
        assert answer.json["items"][0]["kind"] == "similar"

    def test_nothing_known_gets_what_sells(self, client):
        answer = recommend(client, placement="home", exclude=["COFFEE"], category="")
        assert shown(answer) == ["MILK", "BREAD"]
        assert answer.json["fallback"] == {"reason": "too_few_candidates", "used": "popular"}

    def test_whole_numbers_are_ids_and_null_is_absent(self, client):
        lists = ["exclude", "category", "recently_viewed"]
        nulls = dict.fromkeys(["limit", "locale", "fallback", "customer_id", "session_id", *lists])
        assert recommend(client, placement="cart", cart=[42, "BREAD"], **nulls).json["suppressed"] == {"in_cart": 1}
        answer = recommend(client, placement="home", cart=None, customer_id=7001)
        assert answer.json["fallback"] == {"reason": "unknown_customer", "used": "trending"}

    def test_unknown_ids_are_passed_over(self, client):
        answer = recommend(client, placement="cart", cart=["gift wrap", "BREAD"], customer_id="nobody")
        assert shown(answer)[0] == "BUTTER"
        assert answer.json["fallback"] == {"reason": "unknown_customer", "used": "trending"}

    def test_only_the_last_of_a_long_cart_are_looked_up(self, client):
        assert shown(recommend(client, placement="cart", cart=["BREAD", *[f"p{i}" for i in range(20)]]))[0] == "COFFEE"


class TestCaching:
    @pytest.mark.parametrize("path", PUBLIC)
    def test_the_same_request_gets_the_same_bytes(self, client, path):
        first, second = client.get(path), client.get(path)
        assert first.data == second.data
        assert first.headers["Cache-Control"] == "public, max-age=60"

    @pytest.mark.parametrize("path", PUBLIC)
    def test_an_etag_that_still_holds_gets_a_304(self, client, path):
        etag = client.get(path).headers["ETag"]
        again = client.get(path, headers={"If-None-Match": etag})
        assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", etag)
        assert client.get(path, headers={"If-None-Match": '"other"'}).status_code == 200

    def test_another_version_has_another_etag(self, app, client, store):
        etag = client.get("/v1/popular").headers["ETag"]
        store.publish(small_shop.publication("20261121T020000Z-3f2a"), keep=3)
        app.extensions["reprise"].shops.follow()
        again = client.get("/v1/popular", headers={"If-None-Match": etag})
        assert again.json["model_version"] == "20261121T020000Z-3f2a"

    def test_another_request_has_another_id(self, client):
        ids = {client.get(f"/v1/popular{query}").json["recommendation_id"] for query in ("", "?limit=1", "?limit=2")}
        assert len(ids) == 3

    @pytest.mark.parametrize("path", PERSONAL)
    def test_a_persons_answer_is_kept_by_nobody(self, client, path):
        first, second = client.get(path), client.get(path)
        assert first.headers["Cache-Control"] == "private, no-store"
        assert "ETag" not in first.headers
        assert first.json["recommendation_id"] != second.json["recommendation_id"]
        assert first.json["items"] == second.json["items"]

    def test_head_has_the_headers_alone(self, client):
        head, get = client.head("/v1/popular"), client.get("/v1/popular")
        assert head.data == b""
        assert (head.headers["ETag"], head.content_length) == (get.headers["ETag"], get.content_length)

    def test_options_names_the_methods(self, client):
        answer = client.options("/v1/recommendations")
        assert (answer.status_code, set(answer.allow)) == (200, {"POST", "OPTIONS"})


class TestDegraded:
    @pytest.mark.parametrize("path", PAGES)
    def test_before_any_version_a_page_gets_an_empty_slate(self, empty_client, path):
        answer = empty_client.get(path)
        assert shown(answer) == []
        assert answer.json["model_version"] is answer.json["as_of"] is None
        assert answer.json["fallback"] == {"reason": "model_not_ready", "used": None}
        assert "no-store" in answer.headers["Cache-Control"]

    @pytest.mark.parametrize("path", PAGES)
    def test_without_redis_a_page_gets_an_empty_slate(self, down_client, path):
        answer = down_client.get(path)
        assert shown(answer) == []
        assert answer.json["fallback"] == {"reason": "store_unavailable", "used": None}
        assert "no-store" in answer.headers["Cache-Control"]

    def test_a_session_gets_one_too(self, empty_client, down_client):
        body = {"placement": "cart", "cart": ["BREAD"]}
        assert recommend(empty_client, **body).json["fallback"]["reason"] == "model_not_ready"
        assert recommend(down_client, **body).json["fallback"]["reason"] == "store_unavailable"

    def test_probes(self, client, empty_client, down_client):
        assert [c.get("/health/live").status_code for c in (client, empty_client, down_client)] == [200] * 3
        assert [c.get("/health/ready").status_code for c in (client, empty_client, down_client)] == [200, 503, 503]
        assert empty_client.get("/health/ready").json["code"] == "model_not_ready"
        problem = down_client.get("/health/ready")
        assert problem.json["code"] == "store_unavailable"
        assert "6379" not in problem.text

    def test_models(self, empty_client, down_client):
        assert empty_client.get("/v1/models").json == {"current": None, "models": []}
        assert down_client.get("/v1/models").status_code == 503


class TestAdministration:
    def test_placements(self, client):
        placements = client.get("/v1/placements").json["placements"]
        assert [placement["name"] for placement in placements] == ["cart", "email", "home", "product-page"]
        assert client.get("/v1/placements/cart").json == placements[0]
        assert placements[0]["cap"] == 8

    def test_an_unknown_placement(self, client):
        answer = client.get("/v1/placements/nope")
        assert (answer.status_code, answer.json["code"]) == (404, "unknown_placement")

    def test_models_tell_nothing_of_the_machine(self, client, store):
        store.publish(small_shop.publication("20261121T020000Z-aaaa"), keep=3)
        answer = client.get("/v1/models")
        assert answer.json["current"] == "20261121T020000Z-aaaa"
        assert [(m["version"][-4:], m["current"]) for m in answer.json["models"]] == [("aaaa", True), ("3f2a", False)]
        assert answer.json["models"][0]["gate"]["verdict"] == "passed"
        assert "somewhere" not in answer.text
        assert "/home" not in answer.text
