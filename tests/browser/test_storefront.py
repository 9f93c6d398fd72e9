"""The demo's shop in a real browser: its story, without scripts, and for everybody."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.support.redis_servers import WAIT_S
from tests.support.storefront import Storefront, open_storefront

pytestmark = [pytest.mark.slow, pytest.mark.browser]
MS = WAIT_S * 1000
expect.set_options(timeout=MS)
PAGES = [
    "/",
    "/c/Dairy",
    "/p/milk",
    "/search?q=butter",
    "/search?q=nothing",
    "/cart",
    "/checkout",
    "/account",
    "/thanks",
]
WIDTHS = [360, 1280]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Storefront]:
    with ExitStack() as until_the_end:
        yield open_storefront(tmp_path, until_the_end)


def open_page(browser: Browser, shop: Storefront, until_the_end: ExitStack, **options) -> Page:
    """A page of a browser that asks for nothing but the shop and the service."""
    context = until_the_end.enter_context(browser.new_context(base_url=shop.address, locale="en-GB", **options))
    context.set_default_timeout(MS)
    page = context.new_page()
    known = (shop.address, f"http://127.0.0.1:{shop.shop.service_port}/")
    page.on("request", lambda request: until_the_end.callback(_assert_known, request.url, known))
    return page


def _assert_known(url: str, known: tuple[str, ...]) -> None:
    assert url.startswith(known), url


def expect_due(page: Page, *product_ids: str) -> None:
    """Wait until the row to buy again has these products, and no others."""
    cards = page.locator("[data-row=buy_again] li")
    expect(cards).to_have_count(len(product_ids))
    for one in product_ids:
        expect(page.locator(f"[data-row=buy_again] li[data-product={one}]")).to_have_count(1)


@pytest.mark.parametrize("scripts", [True, False])
def test_what_is_due_is_bought_goes_and_comes_back_in_two_weeks(
    playwright_browser: Browser, shop: Storefront, scripts: bool
) -> None:
    with ExitStack() as until_the_end:
        page = open_page(playwright_browser, shop, until_the_end, java_script_enabled=scripts)
        page.goto("/")
        expect_due(page, "MILK")
        page.locator("[data-product=MILK] summary").click()
        assert "Due around 21 November" in page.locator("[data-product=MILK] dl").inner_text()
        page.locator("[data-product=MILK] button.add").click()
        page.get_by_role("link", name="To the checkout").click()
        page.get_by_role("button", name="Place the order").click()
        page.get_by_role("link", name="See the start page without it").click()
        expect(page.get_by_role("button", name="+2 weeks")).to_be_visible()
        expect_due(page)
        page.get_by_role("button", name="+2 weeks").click()
        expect(page.get_by_role("status").first).to_have_text("It is now Friday, 4 December 2026.")
        expect(page.locator("[data-row=buy_again] li[data-product=MILK]")).to_have_count(1)
        page.get_by_role("button", name="Back to today").click()
        expect_due(page, "MILK")


def test_the_widget_shows_the_rows_of_a_product_with_their_reasons(
    playwright_browser: Browser, shop: Storefront
) -> None:
    with ExitStack() as until_the_end:
        page = open_page(playwright_browser, shop, until_the_end)
        page.goto("/p/milk")
        card = page.locator("reprise-products[list=similar] [part~=card]", has_text="Butter")
        card.locator("summary").click()
        assert "Similar to what you looked at" in card.locator("dl").inner_text()
        card.get_by_role("button").click()
        page.wait_for_url("**/cart")
        assert "Butter is in your cart" in page.get_by_role("status").first.inner_text()
        page.goto("/p/milk")
        page.locator("reprise-products[list=similar] [part~=card] a", has_text="Käse").click()
        page.locator("article button.add").click()
        page.get_by_role("link", name="To the checkout").click()
        page.get_by_role("button", name="Place the order").click()
        page.wait_for_url("**/thanks")
        bought = {
            one["product_id"]: one["recommendation_id"] for one in shop.events() if one["event_type"] == "purchase"
        }
        assert set(bought) == {"BUTTER", "käse 🧀"}
        assert all(str(led).startswith("rec_") for led in bought.values())


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("language", ["en", "fa"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_and_no_page_is_wider_than_the_screen(
    playwright_browser: Browser, shop: Storefront, width: int, language: str, scheme
) -> None:
    with ExitStack() as until_the_end:
        viewport = {"width": width, "height": 900}
        page = open_page(playwright_browser, shop, until_the_end, viewport=viewport, color_scheme=scheme)
        page.request.post("/demo/language", form={"language": language})
        page.request.post("/cart", form={"product": "bread"})
        for path in PAGES:
            page.goto(path)
            page.wait_for_load_state("networkidle")
            for menu in page.locator("details").all():
                menu.evaluate("one => { one.open = true }")
            found = Axe().run(page)
            assert found.violations_count == 0, f"{path}\n{found.generate_report()}"
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path
