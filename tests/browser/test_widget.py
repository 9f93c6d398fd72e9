"""The widget in a shop's pages, in a real browser; the table of `README.md` says which test shows what."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.widget_shop import WidgetShop, start_browser, texts
from tests.support.redis_servers import WAIT_S

pytestmark = [pytest.mark.slow, pytest.mark.browser]
MS = WAIT_S * 1000


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with start_browser() as browser:
        yield browser


@pytest.fixture
def shop() -> Iterator[WidgetShop]:
    with ExitStack() as until_the_end:
        yield WidgetShop(until_the_end)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with browser.new_context() as context:
        yield context.new_page()


THREE_ROWS = """
<reprise-products list="similar" product="P0" limit="3" heading="Instead of this"></reprise-products>
<reprise-products list="buy-again" limit="2"></reprise-products>
<reprise-products list="cart" cart="P0 P1"></reprise-products>
"""


def test_all_rows_of_a_page_ask_in_one_request(shop: WidgetShop, page: Page) -> None:
    page.goto(shop.put(THREE_ROWS, head=shop.script(token=shop.token())))
    page.locator("reprise-products[list=cart] a").first.wait_for(timeout=MS)
    assert texts(page, "title", "[list=similar]") == ["Product 10", "Product 11", "Product 12"]
    assert texts(page, "price", "[list=similar]") == ["€10.50", "€11.50", "€12.50"]
    assert texts(page, "title", "[list=buy-again]") == ["Product 1", "Product 2"]
    assert texts(page, "reason", "[list=buy-again]") == ["You usually reorder every 7 days"] * 2
    assert shop.paths() == ["/v1/batch"]
