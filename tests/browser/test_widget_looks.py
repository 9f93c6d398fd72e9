"""How the widget looks: nothing shifts, everybody can use it."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from api.widget.docs_page import RESERVE
from tests.browser.widget_shop import (
    WidgetShop,
    answer_of,
    fulfil,
    item_of,
    pass_frames,
    set_attributes,
    wait_for_events,
)
from tests.support.redis_servers import WAIT_S

pytestmark = [pytest.mark.slow, pytest.mark.browser]
MS = WAIT_S * 1000
RESERVED = f"<style>{RESERVE}</style>"
SHIFTS = """<script>
var shifts = [];
new PerformanceObserver((list) => shifts.push(...list.getEntries().map((one) => one.value)))
  .observe({type: "layout-shift", buffered: true});
</script>"""
ROW = '<reprise-products list="popular" limit="6" heading="Popular"></reprise-products>'
WITH_OWN = ROW.replace("></", "><p>A link to <a href=/popular>what sells</a></p></")
BELOW = "<p id=below>What stands below the row</p>"
ANSWERS: dict[str, list[dict[str, Any]]] = {
    "full": [answer_of([item_of(f"A{n}", n) for n in range(1, 7)])],
    "long": [answer_of([item_of(f"A{n}", n, title="Wordy " * 50) for n in range(1, 51)])],
    "short": [answer_of([item_of("A")])],
    "empty": [answer_of([])],
    "failed": [{"status": 404, "body": {"status": 404}}],
}


def reading(page: Page) -> tuple[float, Any]:
    """The layout shift so far, and where the text below the row stands."""
    pass_frames(page)
    box = page.locator("#below").bounding_box()
    return page.evaluate("shifts.reduce((sum, one) => sum + one, 0)"), box and round(box["y"])


@pytest.mark.parametrize("kind", ANSWERS)
@pytest.mark.parametrize("row", [ROW, WITH_OWN], ids=["bare", "with own words"])
def test_w5_nothing_shifts(shop: WidgetShop, page: Page, kind: str, row: str) -> None:
    fulfil(page, *ANSWERS[kind])
    page.goto(shop.put(row + BELOW, head=SHIFTS + RESERVED + shop.script()))
    name = {"empty": "empty", "failed": "error"}.get(kind, "load")
    wait_for_events(page, name)
    shift, below = reading(page)
    assert (shift, below > 300) == (0, True)


def test_w5_nothing_shifts_where_script_and_answer_are_late(shop: WidgetShop, page: Page) -> None:
    """Both come when the test lets them, after what stands below was painted."""
    held = []
    for path in ("**/widget.js", "**/v1/batch*"):
        page.route(path, lambda route: held.append(route))  # noqa: PLW0108 - playwright keeps a note on it
    address = shop.put(ROW + BELOW, head=SHIFTS + RESERVED + shop.script())
    page.goto(address, wait_until="commit")
    page.locator("#below").wait_for(timeout=MS)
    _, before = reading(page)
    held[0].continue_()
    page.wait_for_function("() => document.querySelector('reprise-products').due === false", timeout=MS)
    _, waiting = reading(page)
    held[1].continue_()
    wait_for_events(page, "load")
    assert reading(page) == (0, before)
    assert waiting == before


def test_w5_what_is_reserved_in_vain_is_given_back_where_nobody_sees_it(shop: WidgetShop, page: Page) -> None:
    fulfil(page, answer_of([]))
    page.goto(shop.put(f"<div style='height: 1200px'></div>{ROW}{BELOW}", head=SHIFTS + shop.script()))
    wait_for_events(page, "empty")
    pass_frames(page)
    height = "document.querySelector('reprise-products').offsetHeight"
    assert page.evaluate(height) == 0
    page.evaluate("scrollTo(0, 1000)")
    assert reading(page)[0] == 0


def test_w5_the_height_that_the_page_reserves_is_that_of_a_row(shop: WidgetShop, page: Page) -> None:
    address = shop.put(ROW + BELOW, head=RESERVED + shop.script())
    page.goto(address)
    wait_for_events(page, "load")
    box = page.locator("reprise-products").bounding_box()
    assert box
    assert round(box["height"], 1) == round(21.9 * 16, 1)


# everybody can use it

ROWS = """<reprise-products list="similar" product="P0" heading="Instead of this" add-to-cart></reprise-products>
<reprise-products list="popular" heading="Popular"></reprise-products>"""
COLOURS = "<style>:root { color-scheme: light dark; } body { color: CanvasText; background: Canvas; }</style>"


@pytest.mark.parametrize("width", [360, 720, 1440])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("html", ['lang="en"', 'lang="fa" dir="rtl"'], ids=["ltr", "rtl"])
def test_w6_axe_finds_nothing(
    shop: WidgetShop, playwright_browser: Browser, width: int, scheme: Any, html: str
) -> None:
    """A page of 720 pixels is one of 1440 at 200 % zoom."""
    viewport: Any = {"width": width, "height": 900}
    with playwright_browser.new_context(viewport=viewport, color_scheme=scheme, reduced_motion="reduce") as context:
        page = context.new_page()
        page.goto(
            shop.put(
                ROWS, head=f'<meta name="viewport" content="width=device-width">{COLOURS}{shop.script()}', html=html
            )
        )
        wait_for_events(page, "load", 2)
        pass_frames(page)
        found = Axe().run(page)
        assert [one["id"] for one in found.response["violations"]] == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_w6_texts_of_twice_the_size_stay_in_their_cards(shop: WidgetShop, page: Page) -> None:
    page.goto(shop.put(ROWS, head=f"<style>html {{ font-size: 200%; }}</style>{shop.script()}"))
    wait_for_events(page, "load", 2)
    outside = """[...document.querySelector("reprise-products").list.children].filter((card) => {
      const bottom = card.getBoundingClientRect().bottom;
      return [...card.querySelectorAll("*")].some((part) => part.getBoundingClientRect().bottom > bottom); })"""
    assert page.evaluate(f"{outside}.length") == 0
    assert Axe().run(page).violations_count == 0


def focused(page: Page) -> str:
    """The name of what has the focus, within the row."""
    return page.evaluate(
        """(() => { const row = document.activeElement, one = row.shadowRoot?.activeElement;
        return one ? one.ariaLabel ?? one.textContent : row.localName; })()"""
    )


def test_w6_with_the_keyboard_alone(shop: WidgetShop, page: Page) -> None:
    page.goto(shop.put(ROWS.split("\n", maxsplit=1)[0]))
    wait_for_events(page, "load")
    walk = []
    for _ in range(6):
        page.keyboard.press("Tab")
        walk.append(focused(page))
    assert walk == ["Previous", "Next", "Product 10", "Add to cart", "Product 11", "Add to cart"]
    page.keyboard.press("Shift+Tab")
    with page.expect_navigation(url="**/p/P11*"):
        page.keyboard.press("Enter")


def test_w6_buttons_turn_the_list_and_say_where_it_ends(shop: WidgetShop, page: Page) -> None:
    for html, sign in (('lang="en"', 1), ('lang="fa" dir="rtl"', -1)):
        page.goto(shop.put(ROWS.split("\n", maxsplit=1)[0], html=html))
        wait_for_events(page, "load")
        pass_frames(page)
        state = """(() => { const {list, buttons} = document.querySelector("reprise-products");
          return [Math.sign(list.scrollLeft), ...buttons.map((one) => one.ariaDisabled)]; })()"""
        assert page.evaluate(state) == [0, "true", "false"]
        page.locator("[part~=next]").press("Enter")
        page.wait_for_function(f"{state}[2] === 'true'", timeout=MS)
        assert page.evaluate(state) == [sign, "false", "true"]
        page.locator("[part~=previous]").press("Enter")
        page.wait_for_function(f"{state}[1] === 'true'", timeout=MS)


@pytest.mark.parametrize(("motion", "behavior"), [("reduce", "auto"), ("no-preference", "smooth")])
def test_w6_it_moves_only_when_asked_and_not_for_those_who_want_no_motion(
    shop: WidgetShop, playwright_browser: Browser, motion: Any, behavior: str
) -> None:
    with playwright_browser.new_context(reduced_motion=motion) as context:
        page = context.new_page()
        page.goto(shop.put(ROW))
        wait_for_events(page, "load")
        style = "getComputedStyle(document.querySelector('reprise-products').list)"
        assert page.evaluate(f"[{style}.scrollBehavior, {style}.animationName]") == [behavior, "none"]
        assert page.evaluate("document.querySelector('reprise-products').list.scrollLeft") == 0


def test_where_all_fits_there_are_no_buttons(shop: WidgetShop, page: Page) -> None:
    page.goto(shop.put(ROW))
    set_attributes(page, limit="2")
    wait_for_events(page, "load")
    pass_frames(page)
    assert page.locator("[part=turns] button:visible").count() == 0


def test_w4_two_themes_in_light_and_dark_differ_in_colours_alone(shop: WidgetShop, page: Page) -> None:
    theme = "<style>reprise-products::part(card) { background: light-dark(#fff, #222); border-color: #08a; }</style>"
    boxes, colours = [], []
    for own in ("", theme):
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            page.goto(shop.put(ROW, head=COLOURS + own + shop.script()))
            wait_for_events(page, "load")
            card = page.locator("[part~=card]").first
            boxes.append(card.bounding_box())
            colours.append(
                card.evaluate("(one) => getComputedStyle(one).color + getComputedStyle(one).backgroundColor")
            )
    assert boxes == [boxes[0]] * 4
    assert len(set(colours)) == 4
