"""Products, pages, keys and visitors that are not as they should be: the page stays whole."""

import html
import re
from typing import Any

import pytest
from playwright.sync_api import Page, Route

from tests.browser.widget_shop import (
    PICTURE,
    WidgetShop,
    answer_of,
    fulfil,
    item_of,
    pass_frames,
    set_attributes,
    texts,
    wait_for_events,
)
from tests.support.redis_servers import WAIT_S, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.browser]
MS = WAIT_S * 1000
ROW = '<reprise-products list="popular" add-to-cart></reprise-products>'
MARKUP = '<img src=x onerror="hurt = 1"><script>hurt = 1</script>&lt;b&gt;'
RIGHT_TO_LEFT = "قهوهٔ تازه \u202e12 گرم"
CARD = {"width": 176, "height": 338.4}


def boxes(page: Page, part: str) -> list[dict[str, float]]:
    return [
        {name: round(box[name], 1) for name in ("width", "height")}
        for one in page.locator(f"[part~={part}]").all()
        if (box := one.bounding_box())
    ]


@pytest.mark.parametrize(
    "product",
    [
        {"title": MARKUP},
        {"title": "word " * 60},
        {"title": "x" * 300},
        {"title": RIGHT_TO_LEFT},
        {"title": None},
        {"title": ""},
        {"price": None},
        {"price": "0"},
        {"price": "1234567890.5", "currency": "JPY"},
        {"price": "1.5", "currency": None},
        {"price": "1.5", "currency": "nonsense"},
        {"price": "many"},
        {"url": None},
        {"url": "javascript:hurt = 1"},
        {"url": "http://["},
        {"image_url": "/broken.jpg"},
        {"image_url": "javascript:hurt = 1"},
        {"image_url": None},
    ],
    ids=str,
)
def test_a_card_has_its_size_whatever_the_product_is(shop: WidgetShop, page: Page, product: dict[str, Any]) -> None:
    page.route("**/broken.jpg", lambda route: route.fulfill(status=404, body="no"))
    fulfil(page, answer_of([item_of("A", 1, **product), item_of("B", 2)]))
    page.goto(shop.put(ROW))
    wait_for_events(page, "load")
    page.wait_for_load_state("networkidle")
    assert boxes(page, "card") == [CARD, CARD]
    assert texts(page, "title")[0] == (" ".join((product.get("title", "A") or "A").split()))
    assert page.evaluate("window.hurt") is None
    pictures = "[...document.querySelector('reprise-products').list.querySelectorAll('img')]"
    assert page.evaluate(f"{pictures}.filter((one) => one.src && !one.naturalWidth).length") == 0
    link = page.locator("[part=title]").first.evaluate("(one) => one.href ?? null")
    assert (link is None) == (product.get("url", "/") in (None, "javascript:hurt = 1", "http://["))


def test_a_picture_of_5_mb_holds_nothing_up(shop: WidgetShop, page: Page) -> None:
    """The row is there, with its size, while the picture is not."""
    held: list[Route] = []
    page.route("**/huge.svg", lambda route: held.append(route))  # noqa: PLW0108 - playwright keeps a note on it
    fulfil(page, answer_of([item_of("A", 1, image_url="/huge.svg")]))
    page.goto(shop.put(ROW))
    wait_for_events(page, "impression")
    assert boxes(page, "card") == [CARD]
    body = PICTURE.replace("</svg>", f"<!-- {'x' * 5_000_000} --></svg>")
    held[0].fulfill(content_type="image/svg+xml", body=body)
    page.wait_for_function(
        "() => document.querySelector('reprise-products').list.querySelector('img').complete", timeout=MS
    )
    assert boxes(page, "card") == [CARD]


@pytest.mark.parametrize(("n", "shown"), [(0, 0), (1, 1), (50, 50)])
def test_any_number_of_products(shop: WidgetShop, page: Page, n: int, shown: int) -> None:
    fulfil(page, answer_of([item_of(f"A{number}", number) for number in range(1, n + 1)]))
    page.goto(shop.put(ROW))
    wait_for_events(page, "load" if n else "empty")
    assert len(texts(page, "title")) == shown


@pytest.mark.parametrize("limit", ["0", "-1", "x", "1e9", "", " "])
def test_a_limit_that_is_none_breaks_nothing(shop: WidgetShop, page: Page, limit: str) -> None:
    page.goto(shop.put(f'<reprise-products list="popular" limit="{limit}"><p id=own>x</p></reprise-products>'))
    page.wait_for_function("() => heard.load || heard.error", timeout=MS)
    assert page.evaluate("Boolean(heard.load)") != page.locator("#own").is_visible()


@pytest.mark.parametrize(
    "attributes",
    [
        "",
        "list='nonsense'",
        "list='similar'",
        "list='similar' product='no such'",
        "list='cart' cart='[broken'",
        "list='popular' placement='no'",
    ],
)
def test_a_row_that_asks_for_nonsense_harms_no_other(shop: WidgetShop, page: Page, attributes: str) -> None:
    page.goto(shop.put(f"<reprise-products {attributes}></reprise-products>{ROW}"))
    wait_for_events(page, "load")
    page.wait_for_function("() => heard.error || heard.empty", timeout=MS)
    assert texts(page, "title")[0] == "Product 50"


def test_ids_with_any_letters(shop: WidgetShop, page: Page) -> None:
    asked: list[str] = []
    page.route("**/v1/batch*", lambda route: asked.append(route.request.post_data or "") or route.continue_())
    page.goto(shop.put('<reprise-products list="similar" product="a/b c?d=1&amp;é%2F"></reprise-products>'))
    wait_for_events(page, "error")
    assert "/v1/products/a%2Fb%20c%3Fd%3D1%26%C3%A9%252F/similar?" in asked[0]


def test_the_script_twice_on_a_page_is_once(shop: WidgetShop, page: Page) -> None:
    page.goto(shop.put(ROW, head=shop.script() + shop.script("/widget.js?again") + shop.script()))
    wait_for_events(page, "impression", 5)
    page.goto("about:blank")
    told: list[str | None] = []
    wait_until(lambda: told.extend(one.product_id for one in shop.events()) or len(told) >= 5, "all is told")
    assert sorted(map(str, told)) == [f"P{n}" for n in range(50, 55)]
    assert shop.paths() == ["/v1/batch"]


def test_an_old_version_and_a_new_one(shop: WidgetShop, page: Page) -> None:
    """The first one that is there counts, and the other one is quiet."""
    old = (
        "customElements.define('reprise-products', class extends HTMLElement {}); window.reprise = {version: '0.0.1'};"
    )
    shop.put(old, "/old.js", headers={"Content-Type": "text/javascript"})
    shop.site.pages["/old.js"] = (old, {"Content-Type": "text/javascript"})
    page.goto(shop.put(ROW, head=f'<script type="module" src="/old.js"></script>{shop.script()}'))
    page.wait_for_load_state("networkidle")
    assert page.evaluate("reprise.version") == "0.0.1"
    page.goto("about:blank")
    assert shop.paths() == []


def test_attributes_that_change_fifty_times_a_second(shop: WidgetShop, page: Page) -> None:
    page.goto(shop.put('<reprise-products list="similar" product="P5"></reprise-products>'))
    page.evaluate(
        """() => new Promise((done) => { let n = 0; const row = document.querySelector("reprise-products");
        const each = setInterval(() => { row.setAttribute("product", n % 2 ? "P0" : "P1");
          if (n++ === 50) { clearInterval(each); done(); } }, 20); })"""
    )
    set_attributes(page, product="P0")
    wait_for_events(page, "load")
    page.wait_for_function("() => heard.load.at(-1).items[0].product_id === 'P10'", timeout=MS)
    assert texts(page, "title")[0] == "Product 10"
    assert shop.paths().count("/v1/batch") <= 10  # of 51 changes; a busy machine pauses between them


def test_a_page_without_script_element_attributes_or_language(shop: WidgetShop, page: Page) -> None:
    head = f'<script type="module">import "{shop.api}/widget.js";</script>'
    page.goto(shop.put(f"<p id=own>x</p>{ROW}", head=head, html=""))
    wait_for_events(page, "error")
    assert page.locator("#own").is_visible()


def test_a_service_that_hangs_holds_no_script_of_the_page_up(shop: WidgetShop, page: Page) -> None:
    """The element of the script as the documentation has it."""
    manual = page.request.get(f"{shop.api}/docs/widget").text()
    documented = re.search(r"<pre[^>]*><code>(&lt;script .*?/script&gt;)", manual)
    assert documented is not None
    head = html.unescape(documented[1]).replace("pk_…", shop.key)
    assert f"{shop.api}/widget.js" in head
    page.route("**/widget.js", lambda route: None)
    own = '<script type="module">document.body.dataset.ran = "yes"</script>'
    page.goto(shop.put("<p>x</p>", head=head + own), wait_until="commit")
    page.wait_for_selector("body[data-ran=yes]", timeout=MS)


@pytest.mark.parametrize("token", ["x", "a.b.c.d", ".", "%%%.%%%", "é.é.é.é"])
def test_a_token_that_is_none(shop: WidgetShop, page: Page, token: str) -> None:
    page.goto(shop.put(f'{ROW}<reprise-products list="buy-again"></reprise-products>', head=shop.script(token=token)))
    wait_for_events(page, "load")
    page.wait_for_function("() => heard.error || heard.empty", timeout=MS)


def test_a_row_that_was_away_while_its_answer_came_asks_again(shop: WidgetShop, page: Page) -> None:
    held: list[Route] = []
    page.route("**/v1/batch*", lambda route: held.append(route), times=1)  # noqa: PLW0108 - as above
    with page.expect_request("**/v1/batch*"):
        page.goto(shop.put(f"{ROW}<reprise-products list='similar' product='P0'></reprise-products>"))
    page.evaluate("(row = document.querySelector('reprise-products')).remove()")
    held[0].continue_()
    wait_for_events(page, "load")
    pass_frames(page)
    page.evaluate("document.querySelector('main').append(row)")
    wait_for_events(page, "load", 2)
    assert page.evaluate("row.products") > 0


def test_a_row_that_is_moved_right_after_its_attribute_changed(shop: WidgetShop, page: Page) -> None:
    page.goto(shop.put('<reprise-products list="similar" product="P0"></reprise-products><div id=there></div>'))
    wait_for_events(page, "load")
    set_attributes(page, product="P1")
    page.evaluate("document.querySelector('#there').append(document.querySelector('reprise-products'))")
    wait_for_events(page, "load", 2)
    assert texts(page, "title")[0] == "Product 30"


def test_a_template_with_a_list_and_a_product_without_a_page(shop: WidgetShop, page: Page) -> None:
    """A click is told from anywhere in the card, and a link that leads nowhere keeps what it holds."""
    inside = '<ul><li><a data-field="link"><b data-field="title"></b></a></li></ul>'
    fulfil(page, answer_of([item_of("A", 1, url="#a"), item_of("B", 2, url=None)]))
    page.goto(shop.put(f"<reprise-products list='popular'><template>{inside}</template></reprise-products>"))
    wait_for_events(page, "load")
    assert page.locator("reprise-products b").all_inner_texts() == ["A", "B"]
    page.locator("reprise-products b").first.click()
    assert wait_for_events(page, "click")[0]["product_id"] == "A"


def test_a_page_in_a_language_with_an_underscore_needs_no_preflight(shop: WidgetShop, page: Page) -> None:
    page.goto(shop.put(ROW, html='lang="de_AT"'))
    wait_for_events(page, "load")
    pass_frames(page)
    assert texts(page, "add")[0] == "In den Warenkorb"
    assert {method for method, _ in iter(lambda: shop.asked.get_nowait() if shop.asked.qsize() else None, None)} == {
        "POST"
    }
