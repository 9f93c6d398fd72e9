"""What the widget tells the service and the page, and what it takes over to the next page."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page

from recommender.events.event import Event
from tests.browser.widget_shop import WidgetShop, pass_frames, set_attributes, texts, wait_for_events
from tests.support.redis_servers import WAIT_S, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.browser]
MS = WAIT_S * 1000
ROW = '<reprise-products list="similar" product="P0" limit="6" impression-ms="50"></reprise-products>'
FORBIDDEN = """for (const name of ["localStorage", "sessionStorage"]) Object.defineProperty(window, name,
  {get() { throw new DOMException("storage is forbidden", "SecurityError"); }});"""


def told(shop: WidgetShop, n: int) -> list[Event]:
    """The events that the service kept, once there are `n` of them."""
    found: list[Event] = []
    wait_until(lambda: found.extend(shop.events()) or len(found) >= n, f"{n} events are told")
    return found


def of_type(events: list[Event], event_type: str) -> list[Event]:
    return [one for one in events if one.event_type == event_type]


def test_w7_what_was_half_in_sight_is_told_once(shop: WidgetShop, page: Page) -> None:
    page.goto(shop.put(ROW + "<div style='height: 3000px'></div>"))
    (answer,) = wait_for_events(page, "load")
    wait_for_events(page, "impression", 5)
    for y in (2000, 0):
        page.evaluate(f"scrollTo(0, {y})")
        pass_frames(page)
    page.locator("[part~=next]").click()
    events = told(shop, 6)
    assert {one.event_type for one in events} == {"impression"}
    assert sorted((one.product_id or "", one.rank) for one in events) == [(f"P{n}", n - 9) for n in range(10, 16)]
    assert {(one.recommendation_id, one.placement) for one in events} == {(answer["recommendation_id"], "product-page")}
    assert len({one.session_id for one in events}) == 1
    assert [one["product_id"] for one in wait_for_events(page, "impression", 6)] == [f"P{n}" for n in range(10, 16)]


def test_w7_what_is_less_than_half_in_sight_is_not(shop: WidgetShop, page: Page) -> None:
    page.set_viewport_size({"width": 270, "height": 900})
    page.goto(shop.put(ROW))
    wait_for_events(page, "impression")
    assert [one.product_id for one in told(shop, 1)] == ["P10"]  # of the next one 70 of 176 pixels are in sight


def test_w7_it_is_told_when_the_page_goes_away_too(shop: WidgetShop, page: Page) -> None:
    page.goto(shop.put(ROW))
    wait_for_events(page, "impression", 5)
    page.goto("about:blank")
    assert len(told(shop, 5)) == 5


def test_w7_a_tab_that_nobody_looks_at_tells_nothing(shop: WidgetShop, page: Page) -> None:
    page.add_init_script("Object.defineProperty(document, 'hidden', {get: () => !window.looks});")
    page.goto(shop.put(ROW))
    wait_for_events(page, "load")
    pass_frames(page)
    page.evaluate("new Promise((done) => setTimeout(done, 60))")  # the time of an impression
    assert page.evaluate("heard.impression") is None
    page.evaluate("looks = true")
    wait_for_events(page, "impression", 5)


def test_w7_events_are_of_the_customer_whose_token_the_page_has(shop: WidgetShop, page: Page) -> None:
    page.goto(shop.put(ROW, head=shop.script(token=shop.token("Zoë/1"))))
    assert {(one.customer_id, one.session_id) for one in told(shop, 5)} == {("Zoë/1", None)}


def test_w7_what_cannot_be_kept_is_told_again(shop: WidgetShop, page: Page) -> None:
    page.route("**/v1/events*", lambda route: route.fulfill(status=503), times=1)
    page.goto(shop.put(ROW))
    with page.expect_request("**/v1/events*", timeout=MS):
        pass
    page.evaluate("reprise.tell('view', 'P0')")
    assert len(told(shop, 6)) == 6


@pytest.mark.parametrize("button", ["left", "middle"])
@pytest.mark.parametrize("forbidden", [False, True], ids=["kept", "storage forbidden"])
def test_w8_a_click_leads_from_one_page_to_the_next(shop: WidgetShop, page: Page, button: Any, forbidden: bool) -> None:
    """With the left button in this tab, with the middle one in another."""
    if forbidden:
        page.context.add_init_script(FORBIDDEN)
    shop.put("<p>A product</p>", "/p/P11")
    page.goto(shop.put(ROW))
    (answer,) = wait_for_events(page, "load")
    link = page.locator("a", has_text="Product 11")
    if button == "middle":
        with page.context.expect_page() as opened:
            link.click(button="middle")
        page = opened.value
    else:
        link.click()
    page.wait_for_url(f"{shop.site.address}/p/P11", timeout=MS)  # without the parameter
    page.wait_for_function("() => window.reprise", timeout=MS)
    shown = {"recommendation_id": answer["recommendation_id"], "rank": 2, "placement": "product-page"}
    if not forbidden:  # a link carries less
        shown |= {"kind": "similar", "reason": "SIMILAR"}
    assert page.evaluate("reprise.attribution('P11')") == {"product_id": "P11", **shown}
    assert page.evaluate("[reprise.attribution('P12') ?? null, reprise.attribution().length]") == [None, 1]
    page.evaluate("reprise.tell('add_to_cart', 'P11'); reprise.tell('view', 'P12')")
    page.goto("about:blank")
    events: list[Event] = []
    wait_until(lambda: events.extend(shop.events()) or len(of_type(events, "view")) == 1, "all is told")
    for event_type in ("click", "add_to_cart"):
        (one,) = of_type(events, event_type)
        assert (one.product_id, one.recommendation_id, one.rank) == ("P11", answer["recommendation_id"], 2)
    assert of_type(events, "view")[0].recommendation_id is None
    if not forbidden:
        assert len({one.session_id for one in events}) == 1


def test_w8_a_new_tab_from_the_menu_is_remembered_and_is_no_click_yet(shop: WidgetShop, page: Page) -> None:
    page.goto(shop.put(ROW))
    wait_for_events(page, "load")
    page.locator("a", has_text="Product 11").click(button="right")
    assert page.evaluate("reprise.attribution('P11').rank") == 2
    assert page.evaluate("heard.click") is None


def test_w8_the_address_of_a_product_that_somebody_shares_names_no_recommendation(shop: WidgetShop, page: Page) -> None:
    page.goto(shop.put("<p>A product</p>", "/p/P11") + "?size=2&reprise=rec_A~3~home~a%7Eb#top")
    page.wait_for_function("() => window.reprise", timeout=MS)
    assert page.url == f"{shop.site.address}/p/P11?size=2#top"
    shown = {"product_id": "a~b", "recommendation_id": "rec_A", "rank": 3, "placement": "home"}
    assert page.evaluate("reprise.attribution()") == [shown]


def test_where_the_shop_wants_nothing_kept_nothing_is(shop: WidgetShop, page: Page) -> None:
    page.goto(shop.put(ROW, head=shop.script(storage="none")))
    wait_for_events(page, "load")
    assert "?reprise=rec_" in (page.locator("a", has_text="Product 11").get_attribute("href") or "")
    page.locator("a", has_text="Product 11").click(button="right")
    assert page.evaluate("[localStorage.length, sessionStorage.length, document.cookie]") == [0, 0, ""]
    assert page.evaluate("reprise.attribution('P11').rank") == 2


@pytest.mark.parametrize("nonsense", ["null", "5", "{", "[]", '{"at": 9e15, "clicks": 5}', '{"clicks": [null, 7]}'])
def test_nonsense_in_the_storage_breaks_nothing(shop: WidgetShop, page: Page, nonsense: str) -> None:
    address = shop.put(ROW)
    page.goto(address)
    page.evaluate("(text) => { localStorage.reprise = text; }", nonsense)
    page.goto(address)
    wait_for_events(page, "load")
    page.locator("a", has_text="Product 11").click(button="right")
    assert page.evaluate("reprise.attribution().length") == 1
    assert told(shop, 5)[-1].session_id


def test_w9_add_to_cart_is_the_shops_to_do_and_to_prevent(shop: WidgetShop, page: Page) -> None:
    page.goto(shop.put(ROW.replace("limit", "add-to-cart limit")))
    wait_for_events(page, "load")
    buttons = page.locator("[part~=add]")
    page.evaluate("addEventListener('reprise:add-to-cart', (e) => e.detail.product_id === 'P10' && e.preventDefault())")
    buttons.nth(0).click()
    buttons.nth(1).click()
    details = wait_for_events(page, "add-to-cart", 2)
    assert [(one["product_id"], one["rank"], one["item"]["product"]["title"]) for one in details] == [
        ("P10", 1, "Product 10"),
        ("P11", 2, "Product 11"),
    ]
    events = told(shop, 2)
    assert [one.product_id for one in of_type(events, "add_to_cart")] == ["P11"]
    assert [one.product_id for one in of_type(events, "click")] == ["P11"]
    assert page.evaluate("reprise.attribution().map((one) => one.product_id)") == ["P11"]


def test_w9_events_pass_through_the_shadows_that_the_page_has(shop: WidgetShop, page: Page) -> None:
    page.goto(shop.put("<div id=host></div>"))
    page.wait_for_function("() => window.reprise", timeout=MS)
    page.evaluate("(row) => { document.querySelector('#host').attachShadow({mode: 'open'}).innerHTML = row; }", ROW)
    for name in ("load", "impression"):
        wait_for_events(page, name)
    page.on("framenavigated", lambda _: None)
    page.locator("a", has_text="Product 10").click(modifiers=["Control"])
    assert [one["product_id"] for one in wait_for_events(page, "click")] == ["P10"]


def test_w12_before_consent_nothing_is_asked_told_or_kept(shop: WidgetShop, page: Page) -> None:
    page.goto(shop.put(ROW + "<p id=own>x</p>", head=shop.script(consent="required")))
    page.wait_for_function("() => window.reprise", timeout=MS)
    page.evaluate("reprise.tell('view', 'P0')")
    page.evaluate("reprise.refresh()")
    pass_frames(page)
    assert (shop.paths(), page.evaluate("localStorage.length")) == ([], 0)
    page.evaluate("reprise.consent(true)")
    wait_for_events(page, "load")
    assert {one.event_type for one in told(shop, 5)} == {"impression"}
    page.evaluate("reprise.consent(false)")
    assert "session" not in page.evaluate("localStorage.reprise ?? ''")
    shop.paths()
    page.evaluate("reprise.tell('view', 'P0')")
    set_attributes(page, product="P1")
    page.goto("about:blank")
    assert shop.paths() == []
    assert "view" not in {one.event_type for one in shop.events()}


def test_a_visitors_clock_that_is_a_day_off_changes_no_date(shop: WidgetShop, page: Page) -> None:
    page.add_init_script("const now = Date.now; Date.now = () => now() - 864e5;")
    before = datetime.now(UTC) - timedelta(seconds=2)  # headers have whole seconds
    page.goto(shop.put(ROW))
    assert all(before < one.occurred_at <= datetime.now(UTC) for one in told(shop, 5))


TWO_ROWS = '<reprise-products list="buy-again"><p id=own>Own</p></reprise-products><reprise-products list="for-you">'


def test_an_expired_token_is_asked_for_once(shop: WidgetShop, page: Page) -> None:
    page.goto(shop.put(TWO_ROWS, head=shop.script(token=shop.token(age=timedelta(days=2)))))
    errors = wait_for_events(page, "error", 2)
    assert [one["status"] for one in errors] == [401, 401]
    assert len(wait_for_events(page, "token-expired")) == 1
    assert page.locator("#own").is_visible()
    page.evaluate("(token) => reprise.token(token)", shop.token(age=timedelta(days=3)))  # no better
    wait_for_events(page, "error", 4)
    assert len(wait_for_events(page, "token-expired")) == 1
    page.evaluate("(token) => reprise.token(token)", shop.token())
    wait_for_events(page, "load", 2)
    assert texts(page, "title", "[list=buy-again]")[0] == "Product 1"


def test_what_was_told_with_an_expired_token_is_told_with_the_new_one(shop: WidgetShop, page: Page) -> None:
    page.goto(shop.put("", head=shop.script(token=shop.token(age=timedelta(days=2)))))
    page.wait_for_function("() => window.reprise", timeout=MS)
    page.evaluate("reprise.tell('view', 'P0')")
    wait_for_events(page, "token-expired")
    page.evaluate("(token) => reprise.token(token)", shop.token())
    assert [(one.event_type, one.customer_id) for one in told(shop, 1)] == [("view", "ANNA")]


def test_a_key_that_is_revoked_while_the_page_is_open_leaves_it_whole(shop: WidgetShop, page: Page) -> None:
    page.goto(shop.put(ROW))
    wait_for_events(page, "load")
    shop.revoke_key()
    page.evaluate("reprise.refresh()")
    assert len(wait_for_events(page, "error")) == 1
    assert texts(page, "title")[0] == "Product 10"
    assert page.evaluate("heard['token-expired']") is None
