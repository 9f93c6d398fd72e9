"""What a shop says of its products while the service runs, seen through the answers."""

from datetime import timedelta
from urllib.parse import quote

import pytest

from api import create_app
from recommender.settings import Settings
from tests.fakes.shops import MemoryShopStorage
from tests.support import small_shop

EVERYWHERE = [
    "/v1/products/COFFEE/bought-together",
    "/v1/popular",
    "/v1/popular?category=Dairy",
    "/v1/customers/ANNA/recommendations",
    "/v1/customers/ANNA/buy-again",
    "/v1/customers/nobody/recommendations",
]
"""Answers with MILK."""
NOTHING = dict.fromkeys(
    ["in_stock", "price", "currency", "title", "category", "url", "image_url", "blocked", "valid_from", "valid_until"]
)


class Shop:
    """The small shop, a client, and a clock that can be set."""

    def __init__(self, store) -> None:
        self.now = small_shop.NOW
        self.app = create_app(Settings(), MemoryShopStorage({"default": store}), lambda: self.now)
        self.client = self.app.test_client()

    def say(self, product_id, method="put", **fields):
        """Say it, and see what every worker sees a moment later."""
        answer = self.client.open(f"/v1/products/{quote(product_id)}", method=method.upper(), json=fields)
        self.follow()
        return answer

    def follow(self):
        self.app.extensions["reprise"].shops.follow()

    def ids(self, path):
        return [item["product_id"] for item in self.client.get(path).json["items"]]

    def item(self, path, product_id):
        return next(item for item in self.client.get(path).json["items"] if item["product_id"] == product_id)


@pytest.fixture
def shop(store):
    return Shop(store)


@pytest.mark.parametrize(
    ("hidden", "shown", "reason"),
    [
        ({"in_stock": False}, {"in_stock": True}, "out_of_stock"),
        ({"blocked": True}, {"blocked": False}, "blocked"),
        ({"valid_from": "2026-11-20T12:00:01Z"}, {"valid_from": "2026-11-20T13:00:00+01:00"}, "not_valid"),
        ({"valid_until": "2026-11-20T12:00:00Z"}, {"valid_until": "2026-11-20T12:00:01Z"}, "not_valid"),
    ],
)
def test_a_product_is_gone_from_every_answer_and_comes_back(shop, hidden, shown, reason):
    before = {path: shop.ids(path) for path in EVERYWHERE}
    assert all("MILK" in ids for ids in before.values())
    shop.say("MILK", **hidden)
    for path in EVERYWHERE:
        answer = shop.client.get(path).json
        assert "MILK" not in [item["product_id"] for item in answer["items"]], path
        assert answer["suppressed"][reason] == 1
    session = {"placement": "home", "cart": ["COFFEE"]}
    assert "MILK" not in [
        one["product_id"] for one in shop.client.post("/v1/recommendations", json=session).json["items"]
    ]
    assert "MILK" not in shop.client.post("/v1/batch", json={"requests": [{"path": EVERYWHERE[0]}]}).text
    shop.say("MILK", **shown)
    assert {path: shop.ids(path) for path in EVERYWHERE} == before


def test_a_kept_answer_and_its_etag_go_when_something_was_said(shop):
    path = EVERYWHERE[0]
    first = shop.client.get(path)
    assert shop.client.get(path, headers={"If-None-Match": first.headers["ETag"]}).status_code == 304
    shop.say("MILK", in_stock=False)
    second = shop.client.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert (second.status_code, second.json["items"]) == (200, [])
    shop.say("MILK", "delete")
    assert shop.client.get(path, headers={"If-None-Match": first.headers["ETag"]}).status_code == 304


def test_what_is_said_shows_in_the_answers(shop):
    said = {
        "title": "Milk",
        "price": "1.50",
        "currency": "CHF",
        "url": "/new",
        "image_url": "/new.jpg",
        "category": "Drinks",
    }
    shop.say("MILK", **said)
    for path in EVERYWHERE[:2]:
        assert shop.item(path, "MILK")["product"] == said
    assert "MILK" not in shop.ids("/v1/popular?category=Dairy")


def test_it_wins_over_a_later_version_until_it_is_taken_back(shop, store):
    shop.say("MILK", price="9.99")
    store.publish(small_shop.publication("20261121T020000Z-3f2a"), keep=3)
    shop.follow()
    assert shop.item("/v1/popular", "MILK")["product"]["price"] == "9.99"
    shop.say("MILK", "delete")
    assert shop.item("/v1/popular", "MILK")["product"]["price"] == "1.20"


def test_put_says_all_patch_some_and_delete_nothing(shop):
    assert shop.say("MILK", title="Milk", price="1").json == {
        "product_id": "MILK",
        **NOTHING,
        "title": "Milk",
        "price": "1",
    }
    answer = shop.say("MILK", "patch", in_stock=False, title=None)
    assert answer.json == {"product_id": "MILK", **NOTHING, "in_stock": False, "price": "1"}
    assert shop.say("MILK", blocked=True).json == {"product_id": "MILK", **NOTHING, "blocked": True}
    for _ in range(2):
        answer = shop.say("MILK", "delete")
        assert (answer.status_code, answer.json) == (200, {"product_id": "MILK", **NOTHING})


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"colour": "red"}, "colour"),
        ({"in_stock": "no"}, "in_stock"),
        ({"in_stock": 0}, "in_stock"),
        ({"price": 5}, "price"),
        ({"price": "-1"}, "price"),
        ({"price": "1,20"}, "price"),
        ({"currency": "eur"}, "currency"),
        ({"currency": "ZZZ"}, "currency"),
        ({"currency": ""}, "currency"),
        ({"currency": 978}, "currency"),
        ({"title": ""}, "title"),
        ({"category": ""}, "category"),
        ({"valid_from": 5}, "valid_from"),
        ({"valid_from": "2026-11-20T12:00:00"}, "valid_from"),
        ({"valid_until": "tomorrow"}, "valid_until"),
        ({"url": "x" * 2_049}, "url"),
        ({"url": "javascript:alert(1)"}, "url"),
        ({"url": "//evil.example/p"}, "url"),
        ({"url": "https://shop.example@evil.example/"}, "url"),
        ({"image_url": "data:image/svg+xml,<svg/>"}, "image_url"),
        ({"image_url": "milk.jpg"}, "image_url"),
        ([], "body"),
    ],
)
@pytest.mark.parametrize("method", ["put", "patch"])
def test_what_cannot_be_is_refused_by_name(shop, method, body, field):
    answer = shop.client.open("/v1/products/MILK", method=method.upper(), json=body)
    assert (answer.status_code, answer.json["errors"][0]["field"]) == (400, field)
    shop.follow()
    assert "MILK" in shop.ids("/v1/popular")


def test_an_address_is_of_an_allowed_host(store):
    settings = Settings(link_hosts=("shop.example",))
    client = create_app(settings, MemoryShopStorage({"default": store}), lambda: small_shop.NOW).test_client()
    assert client.put("/v1/products/MILK", json={"url": "https://img.shop.example/milk"}).status_code == 200
    answer = client.patch("/v1/products/MILK", json={"url": "https://evil.example/milk"})
    assert (answer.status_code, answer.json["errors"][0]["field"]) == (400, "url")
    assert "shop.example" in answer.json["errors"][0]["message"]


class TestBulk:
    def test_each_is_looked_at_alone(self, shop):
        products = [
            {"product_id": "MILK", "in_stock": False},
            {"product_id": "BREAD", "price": 5},
            {"in_stock": True},
            {"product_id": "COFFEE", "price": "9.99"},
            {"product_id": "", "price": "1"},
            {"product_id": "BUTTER", "url": "javascript:alert(1)"},
        ]
        answer = shop.client.post("/v1/products", json={"products": products})
        assert (answer.status_code, answer.json["accepted"]) == (200, 2)
        assert [(one["index"], one["code"]) for one in answer.json["rejected"]] == [
            (1, "invalid_product"),
            (2, "invalid_product"),
            (4, "invalid_product"),
            (5, "invalid_product"),
        ]
        assert "price" in answer.json["rejected"][0]["message"]
        assert answer.json["rejected"][3]["message"].startswith("url: must be an http or https address")
        shop.follow()
        assert shop.ids("/v1/popular") == ["COFFEE", "BREAD"]
        assert shop.item("/v1/popular", "COFFEE")["product"]["price"] == "9.99"

    @pytest.mark.parametrize("wrong", [None, 7, "x", [], True])
    def test_what_is_no_product_at_all_is_named_and_stops_no_other(self, shop, wrong):
        products = [wrong, {"product_id": "MILK", "in_stock": False}]
        answer = shop.client.post("/v1/products", json={"products": products})
        assert (answer.status_code, answer.json["accepted"]) == (200, 1)
        assert answer.json["rejected"] == [{"index": 0, "code": "invalid_product", "message": "should be an object"}]

    def test_where_none_can_be_said_it_is_a_400_that_names_all_that_is_wrong(self, shop):
        wrong = [{"price": 5, "colour": "red", "url": "//x"}, {"product_id": "MILK", "url": "//x", "image_url": "//y"}]
        answer = shop.client.post("/v1/products", json={"products": wrong})
        assert (answer.status_code, answer.json["code"]) == (400, "nothing_accepted")
        first, second = answer.json["errors"]
        assert (first["field"], first["code"], second["field"]) == ("products.0", "invalid_product", "products.1")
        assert [part.partition(":")[0] for part in first["message"].split("; ")] == ["price", "product_id", "colour"]
        assert [part.partition(":")[0] for part in second["message"].split("; ")] == ["url", "image_url"]

    def test_a_whole_number_is_an_id(self, shop):
        shop.client.post("/v1/products", json={"products": [{"product_id": 42, "title": "x", "category": 7}]})
        shop.follow()
        assert shop.ids("/v1/popular?category=7") == ["42"]

    def test_what_is_left_out_stays_and_null_takes_back(self, shop):
        shop.say("MILK", title="Milk", price="1")
        shop.client.post("/v1/products", json={"products": [{"product_id": "MILK", "price": None, "blocked": False}]})
        assert shop.say("MILK", "patch").json == {"product_id": "MILK", **NOTHING, "title": "Milk", "blocked": False}

    @pytest.mark.parametrize("n", [0, 1_001])
    def test_one_to_a_thousand(self, shop, n):
        products = [{"product_id": f"p{i}", "in_stock": True} for i in range(n)]
        assert shop.client.post("/v1/products", json={"products": products}).status_code == 400

    def test_a_thousand_at_once(self, shop):
        products = [{"product_id": f"p{i}", "title": "x" * 100, "category": "Dairy"} for i in range(1_000)]
        assert shop.client.post("/v1/products", json={"products": products}).json == {"accepted": 1_000, "rejected": []}
        shop.follow()
        assert shop.ids("/v1/popular?category=Dairy&limit=20")[:4] == ["BUTTER", "MILK", "p999", "p998"]


class TestNewProducts:
    def test_one_appears_before_it_was_ever_trained_on(self, shop):
        assert shop.client.get("/v1/products/NEW/similar").status_code == 404
        shop.say("NEW", title="Oat milk", category="Dairy")
        assert shop.ids("/v1/popular?category=Dairy") == ["BUTTER", "MILK", "NEW"]
        item = shop.item("/v1/popular", "NEW")
        assert (item["rank"], item["probability"], item["kind"]) == (4, None, "popular")
        assert item["reason"] == {"code": "NEW", "text": "New in the shop", "evidence": {}}
        assert item["product"]["title"] == "Oat milk"
        assert shop.ids("/v1/customers/nobody/recommendations")[-1] == "NEW"

    @pytest.mark.parametrize("route", ["similar", "bought-together"])
    def test_its_neighbours_are_those_of_its_category(self, shop, route):
        shop.say("NEW", title="Oat milk", category="Dairy")
        answer = shop.client.get(f"/v1/products/NEW/{route}")
        assert answer.status_code == 200
        assert [item["product_id"] for item in answer.json["items"]] == ["MILK", "BUTTER"]
        assert answer.json["fallback"] == {"reason": "cold_product", "used": "category"}
        assert answer.headers["Reprise-Fallback"] == "cold_product"

    def test_without_a_category_they_are_those_of_the_shop(self, shop):
        shop.say("NEW", price="1.00")
        answer = shop.client.get("/v1/products/NEW/similar").json
        assert [item["product_id"] for item in answer["items"]] == ["MILK", "BREAD", "COFFEE"]
        assert answer["fallback"] == {"reason": "cold_product", "used": "popular"}
        assert "NEW" not in shop.ids("/v1/popular")

    def test_taken_back_it_is_unknown_again(self, shop):
        shop.say("NEW", title="Oat milk", category="Dairy")
        shop.say("NEW", "delete")
        assert shop.client.get("/v1/products/NEW/similar").status_code == 404
        assert "NEW" not in shop.ids("/v1/popular")

    def test_sold_out_it_is_not_shown(self, shop):
        shop.say("NEW", title="Oat milk", category="Dairy", in_stock=False)
        assert "NEW" not in shop.ids("/v1/popular")
        assert shop.client.get("/v1/products/NEW/similar").status_code == 200

    @pytest.mark.parametrize("product_id", ["a/b", "köse 🧀", "{}", "a b", "..", "%2F", "?x=1", "'", "similar", "x/y/"])
    def test_an_id_is_any_text(self, shop, product_id):
        assert shop.say(product_id, title="x", category="Tea").json["product_id"] == product_id
        assert shop.ids("/v1/popular?category=Tea") == [product_id]
        assert shop.client.get(f"/v1/products/{quote(product_id)}/similar").status_code == 200

    def test_an_id_that_ends_like_a_list_is_told_in_bulk(self, shop):
        assert shop.say("x/similar", title="x").status_code == 405
        shop.client.post("/v1/products", json={"products": [{"product_id": "x/similar", "category": "Tea"}]})
        shop.follow()
        assert shop.ids("/v1/popular?category=Tea") == ["x/similar"]


class TestRules:
    """Boosts and blocks of a placement, set while the service runs."""

    def test_blocks_and_boosts_hold_from_a_moment_on(self, shop):
        rules = {
            "boosts": [{"product_id": "BREAD", "factor": 5, "from": "2026-11-21T00:00:00Z"}],
            "blocks": [{"category": "Dairy", "until": "2026-11-21T00:00:00Z"}],
        }
        answer = shop.client.put("/v1/placements/home", json={"cap": 20, "default_limit": 12, **rules})
        assert answer.status_code == 200
        assert answer.json["boosts"][0]["from"] == "2026-11-21T00:00:00Z"
        shop.follow()
        assert shop.client.get("/v1/placements/home").json == answer.json
        session = {"placement": "home"}
        ids = [one["product_id"] for one in shop.client.post("/v1/recommendations", json=session).json["items"]]
        assert ids == ["COFFEE", "BREAD"]
        shop.now += timedelta(days=1)
        ids = [one["product_id"] for one in shop.client.post("/v1/recommendations", json=session).json["items"]]
        assert ids == ["COFFEE", "BREAD", "MILK"]

    @pytest.mark.parametrize(
        "rules",
        [
            {"pins": [{"product_id": "MILK"}]},
            {"pins": [{"product_id": "MILK", "position": 51}]},
            {"boosts": [{"factor": 2}]},
            {"blocks": [{"category": "Dairy", "until": "2026-11-21"}]},
            {"blocks": {}},
        ],
    )
    def test_what_cannot_be_is_refused(self, shop, rules):
        answer = shop.client.put("/v1/placements/home", json={"cap": 20, "default_limit": 12, **rules})
        assert answer.status_code == 400
        assert answer.json["errors"][0]["field"].split(".")[0] == next(iter(rules))


class TestPins:
    """They are looked up where no list has them."""

    @pytest.fixture
    def pin(self, shop):
        def pin(*pins):
            body = {"cap": 20, "default_limit": 12, "pins": list(pins)}
            assert shop.client.put("/v1/placements/home", json=body).status_code == 200
            shop.follow()

        return pin

    def test_a_pinned_product_is_shown_at_its_position(self, shop, pin):
        pin({"product_id": "KETTLE", "position": 2})
        assert shop.ids("/v1/popular") == ["COFFEE", "KETTLE", "MILK", "BREAD"]
        assert shop.item("/v1/popular", "KETTLE")["reason"]["code"] == "PINNED"
        assert shop.ids("/v1/popular?limit=2") == ["COFFEE", "KETTLE"]
        assert "KETTLE" not in shop.ids("/v1/customers/ANNA/buy-again")
        assert "KETTLE" not in shop.ids("/v1/customers/ANNA/recommendations?mix=buy_again")

    def test_stock_wins_and_a_new_product_may_be_pinned(self, shop, pin):
        pin({"product_id": "KETTLE", "position": 1}, {"product_id": "NEW", "position": 1})
        shop.say("KETTLE", in_stock=False)
        shop.say("NEW", price="1.00")
        assert shop.ids("/v1/popular")[0] == "NEW"
        shop.say("KETTLE", price="2.00")
        assert shop.ids("/v1/popular")[:2] == ["KETTLE", "NEW"]
        assert shop.item("/v1/popular", "KETTLE")["product"]["price"] == "2.00"


class TestKeptAnswers:
    """One that a date changes is made anew in time."""

    def test_a_pin_begins_and_ends(self, shop):
        pins = [{"product_id": "BREAD", "position": 1, "from": "2026-11-20T13:00:00Z", "until": "2026-11-20T14:00:00Z"}]
        shop.client.put("/v1/placements/home", json={"cap": 20, "default_limit": 12, "pins": pins})
        shop.follow()
        seen = []
        for _ in range(3):
            seen.append({shop.ids("/v1/popular")[0] for _ in range(3)})
            shop.now += timedelta(hours=1)
        assert seen == [{"COFFEE"}, {"BREAD"}, {"COFFEE"}]

    def test_a_product_becomes_valid_and_ends_to_be(self, shop):
        shop.say("MILK", valid_from="2026-11-20T13:00:00Z", valid_until="2026-11-20T14:00:00Z")
        seen = []
        for _ in range(3):
            seen.append({"MILK" in shop.ids("/v1/popular") for _ in range(3)})
            shop.now += timedelta(hours=1)
        assert seen == [{False}, {True}, {False}]
