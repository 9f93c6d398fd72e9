"""What the widget shows of an answer, and what stays where there is none."""

from contextlib import ExitStack
from urllib.request import urlopen

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route

from api.widget.script import script
from tests.browser.widget_shop import (
    WidgetShop,
    answer_of,
    fulfil,
    item_of,
    pass_frames,
    set_attributes,
    texts,
    wait_for_events,
)
from tests.support.keyed_shop import add_publishable_key
from tests.support.redis_servers import WAIT_S, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.browser]
MS = WAIT_S * 1000
OWN = '<p id="own">Own words</p>'
ROW = f'<reprise-products list="similar" product="P0" limit="3" heading="Instead">{OWN}</reprise-products>'
THREE_ROWS = """
<reprise-products list="similar" product="P0" limit="3" heading="Instead of this"></reprise-products>
<reprise-products list="buy-again" limit="2"></reprise-products>
<reprise-products list="cart" cart="P0 P1"></reprise-products>
"""


def test_w10_all_rows_of_a_page_ask_in_one_request(shop: WidgetShop, page: Page) -> None:
    page.goto(shop.put(THREE_ROWS, head=shop.script(token=shop.token())))
    wait_for_events(page, "load", 3)
    assert texts(page, "title", "[list=similar]") == ["Product 10", "Product 11", "Product 12"]
    assert texts(page, "price", "[list=similar]") == ["€10.50", "€11.50", "€12.50"]
    assert texts(page, "title", "[list=buy-again]") == ["Product 1", "Product 2"]
    assert texts(page, "reason", "[list=buy-again]") == ["You usually reorder every 7 days"] * 2
    assert shop.paths() == ["/v1/batch"]


def test_no_product_stands_in_two_rows(shop: WidgetShop, page: Page) -> None:
    row = '<reprise-products list="popular" limit="3"></reprise-products>'
    page.goto(shop.put(row * 2))
    wait_for_events(page, "load", 2)
    shown = texts(page, "title")
    assert len(shown) == len(set(shown)) == 6


@pytest.mark.parametrize(
    ("attributes", "with_token", "shown"),
    [
        ('list="bought-together" product="P0"', False, ["Product 20", "Product 21"]),
        ('list="for-you" mix="buy_again"', True, ["Product 1", "Product 2"]),
        ('list="for-you" mix="discover"', False, ["Product 50", "Product 51"]),
        ('list="popular" exclude="P50 P52"', False, ["Product 51", "Product 53"]),
        ("list='popular' exclude='[\"P50\", \"a b\"]'", False, ["Product 51", "Product 52"]),
        ('list="buy-again" due-within="1d"', True, ["Product 1", "Product 2"]),
        ('list="cart" cart="P0"', True, ["Product 20", "Product 21"]),
    ],
)
def test_each_list_with_what_it_takes(
    shop: WidgetShop, page: Page, attributes: str, with_token: bool, shown: list[str]
) -> None:
    said = {"token": shop.token()} if with_token else {}
    page.goto(shop.put(f'<reprise-products limit="2" {attributes}></reprise-products>', head=shop.script(**said)))
    wait_for_events(page, "load")
    assert texts(page, "title") == shown


def test_w13_reason_and_price_are_in_the_language_of_the_page(shop: WidgetShop, page: Page) -> None:
    row = '<reprise-products list="buy-again" limit="1" add-to-cart></reprise-products>'
    page.goto(shop.put(row, head=shop.script(token=shop.token()), html='lang="de-AT"'))
    wait_for_events(page, "load")
    assert texts(page, "reason") == ["Das bestellen Sie meist alle 7 Tage"]
    assert [text.replace("\xa0", " ") for text in texts(page, "price")] == ["€ 1,50"]
    assert texts(page, "add") == ["In den Warenkorb"]


@pytest.mark.parametrize(
    ("language", "next_", "add"),
    [
        ("en", "Next", "Add to cart"),
        ("fr", "Suivant", "Ajouter au panier"),
        ("ru", "Вперёд", "В корзину"),
        ("ar", "التالي", "أضف إلى السلة"),
        ("fa", "بعدی", "افزودن به سبد"),
        ("pl", "Next", "Add to cart"),
    ],
)
def test_its_own_words_are_those_of_the_answer(
    shop: WidgetShop, page: Page, language: str, next_: str, add: str
) -> None:
    row = '<reprise-products list="similar" product="P0" add-to-cart></reprise-products>'
    page.goto(shop.put(row, html=f'lang="{language}"'))
    wait_for_events(page, "load")
    assert texts(page, "add")[0] == add
    assert page.get_by_role("button", name=next_, exact=True).count() == 1


# what stands inside stays


def test_w2_without_scripts_the_page_is_the_shops(shop: WidgetShop, playwright_browser: Browser) -> None:
    with playwright_browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(shop.put(ROW))
        assert page.locator("#own").is_visible()
    assert shop.paths() == []


@pytest.mark.parametrize("blocked", ["**/widget.js", "**/v1/**"])
def test_w2_where_a_path_is_blocked(shop: WidgetShop, page: Page, blocked: str) -> None:
    page.route(blocked, lambda route: route.abort())
    page.goto(shop.put(ROW))
    if "v1" in blocked:
        wait_for_events(page, "error")
    assert page.locator("#own").is_visible()
    assert texts(page, "heading") == []


@pytest.mark.parametrize(
    ("status", "body"),
    [(500, "{}"), (500, "<h1>no</h1>"), (503, ""), (200, "no json"), (200, "{}"), (200, '{"responses": []}')],
)
def test_w2_where_the_service_fails(shop: WidgetShop, page: Page, status: int, body: str) -> None:
    headers = {"Access-Control-Allow-Origin": "*"}
    page.route("**/v1/batch*", lambda route: route.fulfill(status=status, headers=headers, body=body))
    page.goto(shop.put(ROW))
    wait_for_events(page, "error")
    assert page.locator("#own").is_visible()


def test_w2_while_there_is_no_answer_and_when_it_takes_too_long(shop: WidgetShop, page: Page) -> None:
    held: list[Route] = []
    page.route("**/v1/batch*", lambda route: held.append(route))  # noqa: PLW0108 - playwright keeps a note on it
    page.add_init_script("const wait = AbortSignal.timeout; AbortSignal.timeout = (ms) => wait(ms / 10);")
    page.goto(shop.put(ROW))
    page.wait_for_function("() => document.querySelector('reprise-products').due === false", timeout=MS)
    assert page.locator("#own").is_visible()
    wait_for_events(page, "error")
    assert len(held) == 1
    assert page.locator("#own").is_visible()


def test_w2_with_a_key_that_was_revoked_or_none(shop: WidgetShop, page: Page) -> None:
    shop.revoke_key()
    for said in ({}, {"key": ""}):
        page.goto(shop.put(ROW, head=shop.script(**said)))
        wait_for_events(page, "error")
        assert page.locator("#own").is_visible()


def test_an_answer_takes_the_place_of_what_stood_inside(shop: WidgetShop, page: Page) -> None:
    page.goto(shop.put(ROW))
    wait_for_events(page, "load")
    assert not page.locator("#own").is_visible()
    assert texts(page, "heading") == ["Instead"]


def test_an_empty_answer_leaves_it(shop: WidgetShop, page: Page) -> None:
    page.goto(shop.put(f'<reprise-products list="similar" product="P2" fallback="none">{OWN}</reprise-products>'))
    wait_for_events(page, "empty")
    assert page.locator("#own").is_visible()


def test_who_is_not_logged_in_has_nothing_to_buy_again(shop: WidgetShop, page: Page) -> None:
    page.goto(shop.put(f'<reprise-products list="buy-again">{OWN}</reprise-products>'))
    wait_for_events(page, "empty")
    assert page.locator("#own").is_visible()
    assert shop.paths() == []


# where it works


def test_w3_a_strict_policy_needs_no_more_than_its_addresses(shop: WidgetShop, page: Page) -> None:
    policy = (
        f"default-src 'none'; script-src {shop.api} 'unsafe-hashes'; connect-src {shop.api}; img-src 'self'; "
        "require-trusted-types-for 'script'"
    )
    violations: list[str] = []
    page.on("console", lambda message: violations.append(message.text) if "Policy" in message.text else None)
    page.goto(shop.put(ROW, listens=False, headers={"Content-Security-Policy": policy}))
    page.locator("[part~=card] a").first.wait_for(timeout=MS)
    box = page.locator("[part~=card]").first.bounding_box()
    assert box
    assert 150 < box["width"] < 250
    assert violations == []
    assert page.evaluate("document.querySelectorAll('[style]').length") == 0
    assert (
        page.evaluate("document.querySelector('reprise-products').shadowRoot.querySelectorAll('[style], style').length")
        == 0
    )


def test_w4_properties_and_parts_of_the_page_dress_the_cards(shop: WidgetShop, page: Page) -> None:
    theme = """<style>
      reprise-products { --reprise-card-width: 220px; --reprise-ratio: 4/5; --reprise-accent: #064; }
      reprise-products::part(title) { color: rgb(0, 100, 0); }
    </style>"""
    page.goto(shop.put(ROW.replace("limit", "add-to-cart limit"), head=theme + shop.script()))
    wait_for_events(page, "load")
    style = "(selector, name) => getComputedStyle(row.shadowRoot.querySelector(selector))[name]"
    page.evaluate(f"row = document.querySelector('reprise-products'); style = {style}; 0")
    card = page.locator("[part~=card]").first.bounding_box()
    assert card
    assert card["width"] == 220
    assert page.evaluate("style('[part=title]', 'color')") == "rgb(0, 100, 0)"
    assert page.evaluate("style('[part~=add]', 'backgroundColor')") == "rgb(0, 102, 68)"
    box = page.locator("[part~=picture]").first.bounding_box()
    assert box
    assert round(box["height"] / box["width"], 2) == 1.25


def test_w4_a_template_of_the_page_takes_the_place_of_the_card(shop: WidgetShop, page: Page) -> None:
    template = """<template><article><a data-field="link"><b data-field="title">…</b></a><img data-field="image" alt="">
      <i data-field="price"></i><button data-field="button"></button></article></template>"""
    page.goto(shop.put(ROW.replace(OWN, template)))
    wait_for_events(page, "load")
    cards = page.locator("article:visible")
    assert [cards.nth(n).locator("b").inner_text() for n in range(3)] == ["Product 10", "Product 11", "Product 12"]
    assert cards.first.locator("a").get_attribute("href") == f"{shop.site.address}/p/P10"
    assert cards.first.locator("img").get_attribute("src") == "/i/P10.svg"
    assert cards.first.locator("button").count() == 0


def test_w11_nothing_is_asked_before_a_row_is_nearly_seen(shop: WidgetShop, page: Page) -> None:
    page.goto(shop.put(f'<div id="far" style="height: 3000px"></div>{ROW}{ROW}'))
    state = "[...document.querySelectorAll('reprise-products')].map((row) => [row.due, row.near])"
    for already in (0, 1400):
        page.evaluate(f"scrollTo(0, {already})")
        pass_frames(page)
        assert page.evaluate(state) == [[True, False]] * 2
        assert shop.paths() == []
    page.evaluate("scrollTo(0, 1900)")  # 3000 - 900 - 400, and what stands above
    wait_for_events(page, "load", 2)
    assert shop.paths() == ["/v1/batch"]


def test_w11_an_older_answer_does_not_come_over_a_newer_one(shop: WidgetShop, page: Page) -> None:
    held: list[Route] = []
    page.route("**/v1/batch*", lambda route: held.append(route) if not held else route.continue_())
    page.goto(shop.put(ROW))
    page.wait_for_function("() => document.querySelector('reprise-products').due === false", timeout=MS)
    set_attributes(page, product="P1")
    wait_for_events(page, "load")
    assert texts(page, "title") == ["Product 30", "Product 31", "Product 32"]
    with page.expect_response("**/v1/batch*", timeout=MS):
        held[0].continue_()
    pass_frames(page)
    assert texts(page, "title") == ["Product 30", "Product 31", "Product 32"]
    assert len(wait_for_events(page, "load")) == 1


def test_w11_an_attribute_that_changes_asks_anew(shop: WidgetShop, page: Page) -> None:
    page.goto(shop.put(ROW))
    wait_for_events(page, "load")
    set_attributes(page, product="P1", limit="2", heading="Now")
    wait_for_events(page, "load", 2)
    assert texts(page, "title") == ["Product 30", "Product 31"]
    assert texts(page, "heading") == ["Now"]
    assert shop.paths() == ["/v1/batch"] * 2


def test_a_row_that_is_added_later_asks_for_itself(shop: WidgetShop, page: Page) -> None:
    page.goto(shop.put(ROW))
    wait_for_events(page, "load")
    page.evaluate(
        """row = Object.assign(document.createElement("reprise-products"), {id: "new"});
        row.setAttribute("list", "popular"); document.body.append(row);"""
    )
    wait_for_events(page, "load", 2)
    assert texts(page, "title", "#new")[:2] == ["Product 50", "Product 51"]
    page.evaluate("document.body.prepend(row)")  # moved, not asked anew
    pass_frames(page)
    assert page.evaluate("row.due") is False
    assert shop.paths() == ["/v1/batch"] * 2


def test_more_rows_than_a_batch_takes(shop: WidgetShop, page: Page) -> None:
    fulfil(page, *[answer_of([item_of("A")])] * 20)
    page.goto(shop.put('<reprise-products list="popular"></reprise-products>' * 25))
    wait_for_events(page, "load", 20)
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    wait_for_events(page, "load", 25)


def test_the_page_of_documentation_shows_live_rows(shop: WidgetShop, page: Page) -> None:
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.goto(f"{shop.api}/docs/widget?key={add_publishable_key(shop.storage, shop.api)}")
    page.locator("#similar [part~=add]").first.wait_for(timeout=MS)
    assert texts(page, "title", "#popular")[0] == "Product 50"
    assert texts(page, "title", "#similar") != []
    assert page.locator("#own b:visible").count() > 0
    page.locator("#heard", has_text="reprise:").wait_for(timeout=MS)
    assert [text for text in problems if "404" not in text] == []  # its product pages and pictures are the shop's
    found = Axe().run(page)
    assert [one["id"] for one in found.response["violations"]] == []


def test_so_it_does_without_a_key_on_a_machine_that_has_none(page: Page) -> None:
    with ExitStack() as until_the_end:
        shop = WidgetShop(until_the_end, keyless=True)
        page.goto(f"{shop.api}/docs/widget")
        page.locator("#popular a").first.wait_for(timeout=MS)
        page.evaluate("reprise.tell('view', 'P1')")
        page.goto("about:blank")
        wait_until(lambda: any(one.event_type == "view" for one in shop.events()), "what the page tells is kept")


@pytest.mark.parametrize("name", [script().name, "widget-0123456789ab.js"], ids=["its own name", "an older name"])
def test_the_script_under_a_name_of_its_content(shop: WidgetShop, page: Page, name: str) -> None:
    page.goto(shop.put(ROW, head=shop.script(f"/{name}")))
    wait_for_events(page, "load")
    assert texts(page, "title")[0] == "Product 10"


@pytest.mark.parametrize("fits", [True, False])
def test_a_script_that_is_not_the_one_of_its_hash_does_not_run(shop: WidgetShop, page: Page, fits: bool) -> None:
    said = script().integrity if fits else "sha384-" + "A" * 64
    element = shop.script(f"/{script().name}").replace(" src=", f' integrity="{said}" crossorigin src=')
    page.goto(shop.put(ROW, head=element))
    page.wait_for_load_state("networkidle")
    assert page.evaluate("Boolean(window.reprise)") is fits
    assert page.locator("#own").is_visible() is not fits


def test_w15_ready_html_stands_inside_where_there_is_no_script(shop: WidgetShop, playwright_browser: Browser) -> None:
    """The shop's server puts it there; where there is a script, the answer takes its place."""
    path = f"{shop.api}/v1/html/products/P0/similar?limit=3&heading=Instead&key={shop.key}"
    with urlopen(path) as answer:
        html = answer.read().decode()
    address = shop.put(f'<reprise-products list="similar" product="P0" limit="3">{html}</reprise-products>')
    with playwright_browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(address)
        assert page.locator("section.reprise h2").inner_text() == "Instead"
        shown = page.locator("section.reprise li a")
        assert [text.strip() for text in shown.all_inner_texts()] == ["Product 10", "Product 11", "Product 12"]
        shown.first.click()
        assert page.url.startswith(f"{shop.site.address}/p/P10?reprise=rec_")
        assert page.url.endswith("~1~product-page~P10")
    with playwright_browser.new_context() as context:
        page = context.new_page()
        page.goto(address)
        wait_for_events(page, "load")
        assert not page.locator("section.reprise h2").is_visible()
        assert texts(page, "title") == ["Product 10", "Product 11", "Product 12"]
