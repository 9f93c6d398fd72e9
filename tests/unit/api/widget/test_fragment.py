"""Rows as ready HTML: the same answers as JSON, escaped, with the same caching."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from api import create_app
from recommender.settings import Settings
from tests.fakes.shops import MemoryShopStorage
from tests.fakes.versions import MemoryVersionStore
from tests.support import small_shop
from tests.support.keyed_shop import ORIGIN, add_key, add_publishable_key, bearer, customer_token


def test_it_shows_the_products_of_the_list(client):
    answer = client.get("/v1/html/products/MILK/similar?heading=Instead+of+this&limit=2")
    document = client.get("/v1/products/MILK/similar?limit=2").json
    assert (answer.status_code, answer.content_type) == (200, "text/html; charset=utf-8")
    assert '<h2 dir="auto">Instead of this</h2>' in answer.text
    assert re.findall(r'data-product-id="([^"]*)"', answer.text) == [one["product_id"] for one in document["items"]]
    assert f'data-recommendation-id="{document["recommendation_id"]}"' in answer.text
    assert [header in answer.headers for header in ("ETag", "Content-Language")] == [True, True]
    assert answer.headers["Cache-Control"] == "public, max-age=60"


def test_it_is_kept_by_who_has_it(client):
    first = client.get("/v1/html/popular")
    again = client.get("/v1/html/popular", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
    other = client.get("/v1/html/popular?heading=Popular")
    assert other.headers["ETag"] != first.headers["ETag"]
    assert client.get("/v1/popular").is_json, "the list itself stays JSON"


def test_the_cap_holds(client):
    assert client.get("/v1/html/popular?limit=1000").text.count("<li") == len(client.get("/v1/popular").json["items"])


def test_links_name_the_recommendation(client):
    answer = client.get("/v1/html/customers/ANNA/buy-again?limit=1")
    (link,) = re.findall(r'href="([^"]*)"', answer.text)
    assert re.fullmatch(r"/p/milk\?reprise=rec_\w{26}~1~home~MILK", link)
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert re.search(
        r'href="/x/MILK\?a=1&amp;reprise=rec_\w{26}~1~home~MILK#b"',
        client.get("/v1/html/customers/ANNA/buy-again?limit=1&product_url=/x/{id}%3Fa=1%23b").text,
    )


def test_nothing_to_show_is_nothing(client):
    answer = client.get("/v1/html/customers/nobody/buy-again?heading=Again")
    assert (answer.status_code, answer.text) == (200, "")


@pytest.mark.parametrize(
    ("path", "status"), [("products/NOPE/similar", 404), ("models", 404), ("popular?limit=0", 400)]
)
def test_what_is_wrong_is_a_problem(client, path, status):
    answer = client.get(f"/v1/html/{path}")
    assert (answer.status_code, answer.content_type) == (status, "application/problem+json")


def test_prices_and_words_are_of_the_language():
    html = _client(replace(small_shop.PRODUCTS[0], currency="EUR")).get("/v1/html/popular?locale=fa").text
    assert "€\xa0۱٫۲۰" in html
    assert 'lang="fa"' in html


class _Tags(HTMLParser):
    """The names of all elements, and the values of all attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.values: list[str | None] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.names.add(tag)
        self.values += [value for _, value in attrs]


HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(1)> {0} %s'


def test_nothing_that_a_catalogue_holds_becomes_markup():
    milk = replace(small_shop.PRODUCTS[0], title=HOSTILE, currency="EUR")
    client = _client(milk)
    answer = client.get("/v1/html/popular", query_string={"heading": HOSTILE, "product_url": '/p/{id}?"><script>'})
    tags = _Tags(answer.text)
    assert tags.names == {"section", "h2", "ul", "li", "a", "img", "span", "small"}
    assert answer.text.count("&lt;script&gt;alert(1)") == 2
    assert "javascript" not in _Tags(client.get("/v1/html/popular?product_url=javascript:alert(1)").text).values


def _client(milk):
    store = MemoryVersionStore()
    store.publish(small_shop.publication(products=[milk, *small_shop.PRODUCTS[1:]]), keep=1)
    return create_app(Settings(), MemoryShopStorage({"default": store}), lambda: small_shop.NOW).test_client()


def test_whose_lists_they_are():
    store = MemoryVersionStore()
    store.publish(small_shop.publication(), keep=1)
    storage = MemoryShopStorage({"default": store})
    secret, public = add_key(storage, "read"), add_publishable_key(storage)
    client = create_app(Settings(), storage, lambda: small_shop.NOW).test_client()
    path = "/v1/html/customers/ANNA/buy-again"
    token = customer_token(secret, "ANNA")
    other = customer_token(secret, "BOB")
    asked = [bearer(secret), bearer(public), bearer(public, token, ORIGIN), bearer(public, other, ORIGIN), {}]
    assert [client.get(path, headers=one).status_code for one in asked] == [200, 401, 200, 403, 401]
