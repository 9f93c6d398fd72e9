"""The pages of the demo's shop, over a service that answers."""

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from recommender.words.language import LANGUAGES
from tests.support.storefront import Storefront, open_storefront
from training.demo.storefront.orders import Orders
from training.demo.storefront.worker import take_back_earlier_orders

PAGES = ["/", "/c/Dairy", "/p/milk", "/search?q=milk", "/search?q=nothing", "/cart", "/account", "/thanks", "/nowhere"]
CHECKOUT = "/checkout"


@pytest.fixture
def storefront(tmp_path: Path) -> Iterator[Storefront]:
    with ExitStack() as until_the_end:
        yield open_storefront(tmp_path, until_the_end)


@pytest.fixture
def browser(storefront: Storefront) -> FlaskClient:
    return storefront.app.test_client()


def row(browser: FlaskClient, name: str, page: str = "/") -> list[str] | None:
    """The products of one row of a page; None where the page has no such row."""
    text = browser.get(page).get_data(as_text=True)
    found = re.search(rf'<section class="row" data-row="{name}".*?</section>', text, re.DOTALL)
    return None if found is None else re.findall(r'data-product="([^"]+)"', found[0])


def buy(browser: FlaskClient, slug: str) -> None:
    assert browser.post("/cart", data={"product": slug}).status_code == 302
    assert browser.post(CHECKOUT).location == "/thanks"


def test_what_is_bought_disappears_and_comes_back_when_it_is_due(storefront: Storefront, browser: FlaskClient) -> None:
    assert row(browser, "buy_again") == ["MILK"]
    buy(browser, "milk")
    assert row(browser, "buy_again") == []
    moved = browser.post("/demo/clock", data={"step": "two_weeks"}, follow_redirects=True)
    assert "Friday, 4 December 2026" in moved.get_data(as_text=True)
    assert row(browser, "buy_again") == ["BREAD", "MILK"]


def test_an_order_is_told_under_the_keys_of_every_site(storefront: Storefront, browser: FlaskClient) -> None:
    buy(browser, "milk")
    (told,) = storefront.events("purchase")
    milk = storefront.shop.sites["en"].catalogue.find("MILK")
    assert milk is not None
    assert (told["customer_id"], told["product_id"], told["currency"]) == ("ANNA", "MILK", milk.currency)
    assert told["unit_price"] == float(milk.price)
    queue = storefront.storage.event_log("default-fa").queue
    assert {json.loads(entry.wire)["currency"] for entry in queue.take("test")} == {"IRR"}
    browser.post("/demo/language", data={"language": "fa"})
    assert row(browser, "buy_again") == []


def test_the_way_back_gives_everything_back(storefront: Storefront, browser: FlaskClient) -> None:
    browser.post("/demo/clock", data={"step": "week"})
    buy(browser, "milk")
    assert row(browser, "buy_again") == ["BREAD"]
    browser.post("/demo/clock", data={"step": "back"})
    assert row(browser, "buy_again") == ["MILK"]
    assert (storefront.shop.clock.days_ahead, storefront.shop.orders.of("ANNA")) == (0, [])


def test_an_order_names_the_recommendations_that_led_to_it(storefront: Storefront, browser: FlaskClient) -> None:
    text = browser.get("/").get_data(as_text=True)
    led = re.search(r'data-product="MILK".*?name="recommendation_id" value="(rec_\w+)"', text, re.DOTALL)
    assert led is not None
    browser.post("/cart", data={"product": "milk", "recommendation_id": led[1]})
    browser.post("/cart", data={"product": "milk"})
    browser.post("/cart", data={"product": "coffee"})
    browser.post(CHECKOUT)
    told = {one["product_id"]: (one["quantity"], one.get("recommendation_id")) for one in storefront.events("purchase")}
    assert told == {"MILK": (2.0, led[1]), "COFFEE": (1.0, None)}


def test_what_a_page_shows_without_the_widget_is_told(storefront: Storefront, browser: FlaskClient) -> None:
    page = browser.get("/").get_data(as_text=True)
    shown = set(re.findall(r'data-product="([^"]+)"', page))
    told = storefront.events("impression")
    assert {one["product_id"] for one in told} <= shown
    (milk,) = (one for one in told if one["product_id"] == "MILK")
    assert (milk["placement"], milk["rank"], milk["kind"], milk["customer_id"]) == ("home", 1, "buy_again", "ANNA")
    assert f'value="{milk["recommendation_id"]}"' in page


def test_every_card_says_why_and_which_rules_left_others_out(browser: FlaskClient) -> None:
    text = browser.get("/").get_data(as_text=True)
    card = re.search(r'data-product="MILK".*?</details>', text, re.DOTALL)
    assert card is not None
    for said in ("You usually reorder every 7 days", "14 November", "Orders with it", "20", "Due around 21 November"):
        assert said in card[0]
    assert "1 × bought too short a time ago" in card[0]
    assert text.count('class="why"') == text.count("data-product=")


def test_a_place_that_is_asked_for_more_than_its_cap_says_so(browser: FlaskClient) -> None:
    assert "You asked for 50. This place shows 20 products at most" in browser.get("/?limit=50").get_data(as_text=True)
    assert "may show 20 products at most; 12 were asked for" in browser.get("/?limit=1000").get_data(as_text=True)


def test_what_a_visitor_looks_at_counts_at_once(storefront: Storefront, browser: FlaskClient) -> None:
    browser.post("/demo/who", data={"role": "visitor"})
    assert row(browser, "viewed") is None
    browser.get("/p/milk")
    assert row(browser, "viewed") == ["BUTTER", "käse 🧀"]
    [view] = storefront.events("view")
    assert (view["event_type"], view["product_id"], "customer_id" in view) == ("view", "MILK", False)


def test_a_visitor_who_orders_has_an_account(browser: FlaskClient) -> None:
    browser.post("/demo/who", data={"role": "visitor"})
    buy(browser, "coffee")
    account = browser.get("/account").get_data(as_text=True)
    assert "A new customer" in account
    assert "Coffee beans" in account


def test_what_goes_with_the_cart_is_never_in_it(browser: FlaskClient) -> None:
    browser.post("/cart", data={"product": "bread"})
    assert row(browser, "cart", "/cart") == ["BUTTER", "MILK", "COFFEE"]
    browser.post("/cart", data={"product": "milk"})
    assert row(browser, "cart", "/cart") == ["BUTTER", "COFFEE"]
    assert row(browser, "due", "/cart") is None


@pytest.mark.parametrize(("product", "quantity", "kept"), [("milk", "3", 3), ("milk", "0", 0), ("milk", "1000", 99)])
def test_a_quantity_is_kept_within_bounds(browser: FlaskClient, product: str, quantity: str, kept: int) -> None:
    browser.post("/cart", data={"product": product, "quantity": quantity})
    with browser.session_transaction() as session:
        assert session["cart"].get(product, 0) == kept


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/cart", {"product": "unknown"}),
        ("/cart", {"product": "old"}),
        ("/cart", {}),
        ("/demo/who", {"role": "admin"}),
        ("/demo/clock", {"step": "400"}),
        ("/demo/language", {"language": "xx"}),
    ],
)
def test_what_is_not_there_is_a_404(browser: FlaskClient, path: str, form: dict[str, str]) -> None:
    assert browser.post(path, data=form).status_code == 404


def test_the_category_that_is_shown_is_marked(browser: FlaskClient) -> None:
    assert re.findall(r'href="([^"]*)" aria-current="page"', browser.get("/c/Dairy").get_data(as_text=True)) == [
        "/c/Dairy"
    ]


@pytest.mark.parametrize("referer", ["http://[", "", "https://elsewhere.example/cart"])
def test_a_page_that_is_none_leads_home(browser: FlaskClient, referer: str) -> None:
    answer = browser.post("/demo/language", data={"language": "de"}, headers={"Referer": referer})
    assert (answer.status_code, answer.location) == (302, "/")


@pytest.mark.parametrize("path", ["/demo/clock", "/demo/who", "/cart", CHECKOUT])
def test_a_form_of_another_site_changes_nothing(storefront: Storefront, browser: FlaskClient, path: str) -> None:
    """The clock is everybody's: it needs no cookie to be moved."""
    form = {"step": "week", "role": "monthly", "product": "milk"}
    for origin in ("https://elsewhere.example", "null"):
        assert browser.post(path, data=form, headers={"Origin": origin}).status_code == 403
    assert storefront.shop.clock.days_ahead == 0
    assert browser.post(path, data=form, headers={"Origin": "http://localhost"}).status_code == 302


def test_what_led_to_a_product_goes_with_it(browser: FlaskClient) -> None:
    """Else the cookie outgrows what browsers keep, and the cart stays as it is."""
    browser.post("/cart", data={"product": "milk", "recommendation_id": "rec_1"})
    browser.post("/cart", data={"product": "bread", "recommendation_id": "rec_2"})
    browser.post("/cart", data={"product": "milk", "quantity": "0", "recommendation_id": "rec_1"})
    with browser.session_transaction() as session:
        assert session["led"] == {"bread": "rec_2"}


@pytest.mark.parametrize("quantity", ["many", "", "1.5"])
def test_a_quantity_that_is_no_number_changes_nothing(browser: FlaskClient, quantity: str) -> None:
    browser.post("/cart", data={"product": "milk", "quantity": "3"})
    browser.post("/cart", data={"product": "milk", "quantity": quantity})
    with browser.session_transaction() as session:
        assert session["cart"] == {"milk": 3}


def test_nothing_is_ordered_with_an_empty_cart(browser: FlaskClient) -> None:
    assert browser.post(CHECKOUT).location == browser.get(CHECKOUT).location == "/cart"


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_page_loads_anything_from_elsewhere(storefront: Storefront, browser: FlaskClient, language: str) -> None:
    """From the shop itself, and the widget from the service."""
    widget = f"http://localhost:{storefront.shop.service_port}/widget.js"
    browser.post("/demo/language", data={"language": language})
    browser.post("/cart", data={"product": "milk"})
    for page in [*PAGES, CHECKOUT]:
        answer = browser.get(page)
        text = answer.get_data(as_text=True)
        addresses = re.findall(r'(?:src|href|action|srcset|poster|data)="([^"]*)"', text)
        assert addresses
        assert {one for one in addresses if not one.startswith(("/", "#"))} == {widget}, page
        assert "style=" not in text
        assert f'<html lang="{language}" dir="{"rtl" if language in ("ar", "fa") else "ltr"}">' in text
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'self'; ")


def test_titles_and_searches_are_escaped(browser: FlaskClient) -> None:
    text = browser.get("/search?q=<script>alert(1)</script>").get_data(as_text=True)
    assert "<script>alert" not in text
    assert "&lt;script&gt;" in text


def test_a_picture_is_the_same_each_time(browser: FlaskClient) -> None:
    first, second = browser.get("/i/milk.svg"), browser.get("/i/milk.svg")
    assert first.data == second.data
    assert first.mimetype == "image/svg+xml"
    assert browser.get("/i/unknown.svg").status_code == 404


def test_without_the_service_the_shop_sells_on(storefront: Storefront, browser: FlaskClient) -> None:
    storefront.service.shutdown()
    storefront.service.server_close()
    page = browser.get("/")
    assert page.status_code == 200
    assert "Suggestions are not available at the moment" in page.get_data(as_text=True)
    browser.post("/cart", data={"product": "milk"})
    assert browser.post(CHECKOUT).location == CHECKOUT
    assert "could not be taken" in browser.get(CHECKOUT).get_data(as_text=True)


def test_the_widget_asks_for_what_the_page_asked_for(storefront: Storefront, browser: FlaskClient) -> None:
    text = browser.get("/p/milk").get_data(as_text=True)
    assert 'list="similar" product="MILK" limit="6" fallback="none">' in text
    keys = storefront.shop.sites["en"].backend.keys
    assert f'data-key="{keys.publishable}"' in text
    assert keys.secret not in text
    token = browser.get("/token").get_data(as_text=True)
    assert token.split(".")[0] == keys.secret.split("_")[1]
    browser.post("/demo/who", data={"role": "visitor"})
    assert browser.get("/token").get_data() == b""
    assert "data-token" not in browser.get("/").get_data(as_text=True)


def test_a_shop_in_which_nobody_plays_a_role_is_open_to_visitors(storefront: Storefront) -> None:
    storefront.app.extensions["storefront"] = replace(storefront.shop, people={})
    browser = storefront.app.test_client()
    assert "A visitor" in browser.get("/").get_data(as_text=True)
    assert "You are not signed in" in browser.get("/account").get_data(as_text=True)


def test_orders_that_an_earlier_demo_left_are_given_back(
    storefront: Storefront, browser: FlaskClient, tmp_path: Path
) -> None:
    browser.post("/demo/clock", data={"step": "two_weeks"})
    buy(browser, "milk")
    storefront.shop.clock.move(-14)  # as a demo that is started anew
    again = replace(storefront.shop, orders=Orders(tmp_path / "orders.json", storefront.shop.orders.sites))
    storefront.app.extensions["storefront"] = again
    assert row(browser, "buy_again") == []
    take_back_earlier_orders(again)
    assert row(browser, "buy_again") == ["MILK"]
    assert (again.clock.days_ahead, again.orders.last_at) == (0, None)


@pytest.mark.parametrize("text", ["", "{", "[{}]", "7"])
def test_orders_that_cannot_be_read_are_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "orders.json").write_text(text)
    assert Orders(tmp_path / "orders.json", []).last_at is None
