"""The console in a real browser: its work without scripts, for everybody, and on paper."""

import csv
import io
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from recommender.settings import MailSettings, Settings
from tests.support.console import PAGES, TRIED, World, fill, open_world, publication
from tests.support.redis_servers import WAIT_S
from tests.support.small_shop import PRODUCTS
from tests.support.wsgi_server import listen

pytestmark = [pytest.mark.slow, pytest.mark.browser]
MS = WAIT_S * 1000


@dataclass
class Site:
    """The console at an address."""

    world: World
    address: str


@pytest.fixture
def site() -> Iterator[Site]:
    with ExitStack() as until_the_end:
        world = open_world(settings=Settings(experiments=(TRIED,), log_level="error"))
        world.keys = {"read": world.add_key("read"), "admin": world.add_key("read", "admin")}
        fill(world)
        server = listen(world.app, until_the_end, "127.0.0.1")
        yield Site(world, f"http://127.0.0.1:{server.server_port}")


def open_page(browser: Browser, site: Site, until_the_end: ExitStack, key: str = "admin", **options) -> Page:
    """A page of a browser that is signed in, and asks for nothing but the console."""
    options = {"locale": "en-GB", **options}
    context = until_the_end.enter_context(browser.new_context(base_url=site.address, **options))
    context.set_default_timeout(MS)
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: asked.append(f"console: {message.text}"))
    until_the_end.callback(lambda: _assert_own(asked, site))
    page.goto("/console")
    page.locator("input[name=key]").fill(site.world.keys[key])
    page.locator("main button").click()
    page.wait_for_url("**/console/overview")
    asked[:] = [one for one in asked if not one.startswith("console:")]
    return page


def _assert_own(asked: list[str], site: Site) -> None:
    allowed = (f"{site.address}/console", "console: Failed to load resource: the server responded with a status of 404")
    assert [one for one in asked if not one.startswith(allowed)] == []


@pytest.mark.parametrize("scripts", [True, False])
def test_an_owner_looks_a_customer_up_pins_a_product_and_takes_it_back(
    playwright_browser: Browser, site: Site, scripts: bool
) -> None:
    with ExitStack() as until_the_end:
        page = open_page(playwright_browser, site, until_the_end, java_script_enabled=scripts)
        page.get_by_role("link", name="A customer").click()
        page.get_by_label("Customer id").fill("ANNA")
        page.get_by_role("button", name="Show").click()
        assert "not due until 26 Nov 2026" in page.get_by_role("row", name="BREAD").inner_text()
        page.get_by_role("link", name="Merchandising").click()
        form = page.locator("form", has_text="Pin a product")
        form.get_by_label("Product id").fill("KETTLE")
        form.get_by_role("button", name="Preview").click()
        assert "Nothing is changed yet" in page.locator("main").inner_text()
        page.get_by_label("For customer").fill("ANNA")
        page.get_by_role("button", name="Preview for this one").click()
        assert "new" in page.get_by_role("row", name="Kettle").first.inner_text()
        page.get_by_role("button", name="Apply").click()
        assert "Done." in page.get_by_role("status").inner_text()
        site.world.follow()
        page.goto("/console/customers?customer=ANNA")
        assert "Picked by the shop" in page.get_by_role("row", name="KETTLE").first.inner_text()
        page.get_by_role("link", name="Log").click()
        page.get_by_role("button", name="Undo").first.click()  # the latest action's
        assert "as it was before" in page.get_by_role("status").inner_text()
        placement = site.world.storage.store("default").placement("home")
        assert placement is not None
        assert placement.pins == ()
        page.get_by_role("button", name="Sign out").click()
        page.goto("/console/overview")
        assert "/console/sign-in" in page.url


TEMPLATE = """\
{% extends "mail.html.jinja" %}
{% block closing %}<p id="ran">as sent</p><img src="https://img.example/pixel.gif">
<script>document.getElementById("ran").textContent = "ran"</script>
<form action="https://elsewhere.example/"><button>Send</button></form>{% endblock %}
"""


@pytest.mark.parametrize("scripts", [True, False])
def test_the_mail_of_a_customer_is_seen_in_a_frame_that_runs_and_loads_nothing(
    playwright_browser: Browser, tmp_path: Path, scripts: bool
) -> None:
    (tmp_path / "mine.jinja").write_text(TEMPLATE)
    mail = MailSettings(template=tmp_path / "mine.jinja")
    products = [replace(one, url="https://shop.example/p", image_url="https://img.example/p.jpg") for one in PRODUCTS]
    world = open_world(replace(publication(), products=products), settings=Settings(mail=mail, log_level="error"))
    with ExitStack() as until_the_end:
        address = f"http://127.0.0.1:{listen(world.app, until_the_end, '127.0.0.1').server_port}"
        context = until_the_end.enter_context(
            playwright_browser.new_context(base_url=address, java_script_enabled=scripts)
        )
        context.set_default_timeout(MS)
        page, sent, refused = context.new_page(), list[str](), list[str]()
        page.on("requestfailed", lambda request: refused.append(f"{request.failure} {request.url}"))
        context.route(lambda url: not url.startswith(address), lambda route: sent.append(route.request.url))
        page.goto("/console/campaigns")
        page.get_by_role("link", name="Look at the mail that a customer would get").click()
        page.get_by_label("Campaign").fill("w48")
        page.get_by_label("Audience").select_option(label="everyone")
        page.get_by_label("Customer id").fill("x/y")
        page.get_by_label("Greeted as").fill("Ylva")
        page.get_by_role("button", name="Preview").click()
        frame = page.frame_locator("iframe.mail")
        assert "Ylva" in frame.locator("body").inner_text()
        assert frame.locator("#ran").inner_text() == "as sent"
        frame.get_by_role("button", name="Send").click()
        frame.get_by_role("link").first.click()
        page.get_by_text("As text, for readers without HTML").click()
        assert "Ylva" in page.locator("pre").first.inner_text()
        assert "/console/mails" in page.url, "nothing in the mail leads the page away"
        assert "csp https://img.example/pixel.gif" in refused
        assert sent == [], "no request left the browser for another host"
    assert world.storage.contacts("default").campaigns() == []


def test_the_due_board_is_downloaded_for_a_german_spreadsheet(playwright_browser: Browser, site: Site) -> None:
    with ExitStack() as until_the_end:
        page = open_page(playwright_browser, site, until_the_end)
        page.goto("/console/due?within=30")
        with page.expect_download() as download:
            page.get_by_role("link", name="CSV for a German spreadsheet · Who").click()
        text = download.value.path().read_text("utf-8-sig")
        assert download.value.suggested_filename == "due-due_list.csv"
        rows = list(csv.reader(io.StringIO(text), delimiter=";"))
        assert rows[1][:2] == ['="ANNA"', '="MILK"']
        assert rows[1][5] == "0,8"


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("language", ["en-GB", "fa-IR"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_and_no_page_is_wider_than_the_screen(
    playwright_browser: Browser, site: Site, width: int, language: str, scheme
) -> None:
    with ExitStack() as until_the_end:
        viewport = {"width": width, "height": 900}
        page = open_page(
            playwright_browser, site, until_the_end, viewport=viewport, color_scheme=scheme, locale=language
        )
        for path in PAGES:
            page.goto(f"/console/{path}")
            for menu in page.locator("details").all():
                menu.evaluate("one => { one.open = true }")
            found = Axe().run(page)
            assert found.violations_count == 0, f"{path}\n{found.generate_report()}"
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def test_on_a_phone_words_in_a_table_are_not_broken_into_letters(playwright_browser: Browser, site: Site) -> None:
    with ExitStack() as until_the_end:
        page = open_page(playwright_browser, site, until_the_end, viewport={"width": 360, "height": 800})
        page.goto("/console/customers?customer=ANNA")
        cells = page.locator("tbody td:not(.n, .short)")
        widths = cells.evaluate_all("cells => cells.map((cell) => cell.getBoundingClientRect().width)")
        assert min(widths) >= 8 * 16


def test_a_page_is_small_and_on_paper_shows_what_matters(playwright_browser: Browser, site: Site) -> None:
    with ExitStack() as until_the_end:
        page = open_page(playwright_browser, site, until_the_end)
        page.goto("/console/retention")
        page.emulate_media(media="print")
        assert not page.locator("nav").is_visible()
        assert not page.locator(".export").first.is_visible()
        assert page.locator("table").first.is_visible()


def test_the_keyboard_reaches_the_content_and_the_forms(playwright_browser: Browser, site: Site) -> None:
    with ExitStack() as until_the_end:
        page = open_page(playwright_browser, site, until_the_end)
        page.goto("/console/customers")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.keyboard.press("Enter")
        assert page.url.endswith("#content")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.name") == "customer"
        page.keyboard.type("ANNA")
        page.keyboard.press("Enter")
        page.wait_for_url("**customer=ANNA**")
