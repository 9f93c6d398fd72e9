"""A page that lives long: rows that come and go with client-side navigation leave nothing behind."""

import pytest
from playwright.sync_api import Page

from tests.browser.widget_shop import WidgetShop, answer_of, fulfil, item_of, wait_for_events

pytestmark = [pytest.mark.slow, pytest.mark.browser]
FIRST, ALL = 100, 500
"""Client-side navigations after which memory is compared."""
NAVIGATE = """(n) => (async () => {
  for (let i = 0; i < n; i++) {
    const row = document.createElement("reprise-products");
    row.setAttribute("list", "popular");
    const loaded = new Promise((done) => row.addEventListener("reprise:load", done));
    document.querySelector("#view").replaceChildren(row);
    await loaded;
  }
  document.querySelector("#view").replaceChildren();
  heard.load = [];
})()"""


def test_five_hundred_navigations_leave_nothing_behind(shop: WidgetShop, page: Page) -> None:
    page.set_default_timeout(240_000)
    fulfil(page, answer_of([item_of(f"A{n}", n, image_url=f"/i/{n}.svg") for n in range(1, 13)]))
    page.goto(shop.put('<reprise-products list="popular"></reprise-products><div id="view"></div>'))
    wait_for_events(page, "load")
    cdp = page.context.new_cdp_session(page)
    cdp.send("Performance.enable")

    def measure() -> tuple[int, int, int]:
        """Nodes, listeners and bytes that are still reachable."""
        page.evaluate("new Promise((done) => setTimeout(() => requestAnimationFrame(done), 1100))")  # timers of cards
        cdp.send("HeapProfiler.collectGarbage")
        metrics = {one["name"]: int(one["value"]) for one in cdp.send("Performance.getMetrics")["metrics"]}
        return metrics["Nodes"], metrics["JSEventListeners"], metrics["JSHeapUsedSize"]

    page.evaluate(NAVIGATE, FIRST)
    before = measure()
    page.evaluate(NAVIGATE, ALL - FIRST)
    after = measure()
    # a row of six cards is some fifty nodes and twenty kilobytes: not one of four hundred is left
    assert after[0] - before[0] < 50, (before, after)
    assert after[1] - before[1] < 10, (before, after)
    assert after[2] - before[2] < 200_000, (before, after)
