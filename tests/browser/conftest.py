"""A shop with the widget, and pages of a browser to look at it with."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.widget_shop import WidgetShop, start_browser


@pytest.fixture(scope="module")
def playwright_browser() -> Iterator[Browser]:
    """For one module: while it lives, its event loop is the thread's."""
    with start_browser() as browser:
        yield browser


@pytest.fixture
def shop() -> Iterator[WidgetShop]:
    with ExitStack() as until_the_end:
        yield WidgetShop(until_the_end)


@pytest.fixture
def page(playwright_browser: Browser) -> Iterator[Page]:
    """A tab at 1000 by 900 in a profile of its own; errors of its scripts fail the test."""
    with playwright_browser.new_context(viewport={"width": 1000, "height": 900}, reduced_motion="reduce") as context:
        page = context.new_page()
        errors: list[object] = []
        page.on("pageerror", lambda error: errors.append(error))  # noqa: PLW0108 - playwright keeps a note on it
        yield page
        assert errors == []
