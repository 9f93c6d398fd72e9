"""In which currency a price is: the product's own, else the setting's, else not known."""

from dataclasses import replace

import pytest

from api import create_app
from recommender.settings import Settings
from tests.fakes.shops import MemoryShopStorage
from tests.fakes.versions import MemoryVersionStore
from tests.support import small_shop

LISTS = ["/v1/popular", "/v1/customers/ANNA/recommendations", "/v1/products/KETTLE/similar"]


def client(store, **settings):
    storage = MemoryShopStorage({"default": store})
    return create_app(Settings(**settings), storage, lambda: small_shop.NOW).test_client()


def prices(answer) -> dict[str, tuple[str | None, str | None]]:
    assert answer.status_code == 200, answer.text
    shown = {item["product_id"]: item["product"] for item in answer.json["items"]}
    return {name: (product["price"], product["currency"]) for name, product in shown.items()}


@pytest.fixture
def priced():
    """A version in which COFFEE is priced in dollars, and nothing is said of the others."""
    version = small_shop.publication()
    products = [replace(one, currency="USD") if one.product_id == "COFFEE" else one for one in version.products]
    store = MemoryVersionStore()
    store.publish(replace(version, products=products), keep=3)
    return store


@pytest.mark.parametrize("path", LISTS)
def test_a_version_of_an_earlier_release_has_none(store, path):
    assert {currency for _, currency in prices(client(store).get(path)).values()} == {None}


@pytest.mark.parametrize("path", LISTS)
def test_the_settings_where_the_product_has_none(priced, path):
    found = prices(client(priced, currency="EUR").get(path))
    assert found["COFFEE"] == ("12.90", "USD")
    others = {currency for name, (price, currency) in found.items() if price is not None and name != "COFFEE"}
    assert others <= {"EUR"}


def test_no_price_no_currency(priced):
    assert prices(client(priced, currency="EUR").get("/v1/products/MILK/similar"))["BUTTER"] == (None, None)


def test_what_the_shop_says_of_a_product(priced):
    shop = client(priced, currency="EUR")
    assert shop.put("/v1/products/MILK", json={"price": "9.90", "currency": "CHF"}).status_code == 200
    assert shop.patch("/v1/products/COFFEE", json={"price": "8.00"}).status_code == 200
    shop.put("/v1/products/NEW", json={"title": "New", "category": "Coffee", "price": "5.00"})
    found = prices(client(priced, currency="EUR").get("/v1/popular"))
    assert (found["MILK"], found["COFFEE"]) == (("9.90", "CHF"), ("8.00", "USD"))
    assert prices(client(priced, currency="EUR").get("/v1/products/NEW/similar"))["COFFEE"] == ("8.00", "USD")


def test_a_profile_and_a_batch_name_it_too(priced):
    shop = client(priced, currency="EUR")
    profile = shop.get("/v1/customers/ANNA/profile").json
    assert {one["product"]["currency"] for one in profile["due"]} == {"EUR"}
    (answer,) = shop.post("/v1/batch", json={"requests": [{"path": "/v1/popular"}]}).json["responses"]
    assert {item["product"]["currency"] for item in answer["body"]["items"]} == {"EUR", "USD"}
