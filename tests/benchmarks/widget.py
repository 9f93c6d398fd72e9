"""What the widget costs a page: bytes, main-thread time on a slow processor, time from the answer to the picture.

    python -m tests.benchmarks.widget

A row of 24 cards, on this processor and on one slowed down 6 times; the least and the median of some runs, in
milliseconds of the main thread's own time. The least is what a machine that does nothing else would need. The yardstick
is the same 24 products as a plain list that is put into an empty page, without any style or script of ours.
"""

import gzip
from contextlib import ExitStack
from statistics import median
from typing import Any

from playwright.sync_api import Browser, CDPSession, Page

from api.widget.script import script
from tests.browser.widget_shop import WidgetShop, answer_of, fulfil, item_of, start_browser

CARDS = 24
RATES = (1, 6)
"""How many times slower the processor is made."""
RUNS = 9
PARTS = ("ScriptDuration", "RecalcStyleDuration", "LayoutDuration", "TaskDuration")
ROW = f'<reprise-products list="popular" limit="{CARDS}" heading="Popular"></reprise-products>'
PLAIN_CARD = '<li><img><div style="height:2.8em">Product {n}</div><div>4.50</div><div>Bought often</div></li>'
PLAIN = f"""<!doctype html><p>Some words before 123</p>
<ul style="display:grid;grid-auto-flow:column;grid-auto-columns:11em;overflow:auto"></ul>
<template>{"".join(PLAIN_CARD.format(n=n) for n in range(CARDS))}</template>"""
NEXT_FRAME = "new Promise((done) => requestAnimationFrame(() => setTimeout(done)))"
PAINTED = f"""new Promise((done) => addEventListener("reprise:load", (event) => {{
  const at = performance.now();
  {NEXT_FRAME}.then(() => done(performance.now() - at));
}}))"""


def durations(cdp: CDPSession) -> dict[str, float]:
    """Milliseconds that the main thread worked since the page was opened, by what it did."""
    metrics = {one["name"]: one["value"] for one in cdp.send("Performance.getMetrics")["metrics"]}
    return {part: metrics[part] * 1000 for part in PARTS}


def run_plain(page: Page, rate: int) -> dict[str, float]:
    """What the plain list costs, by what the main thread did."""
    cdp = page.context.new_cdp_session(page)
    cdp.send("Performance.enable", {"timeDomain": "threadTicks"})
    cdp.send("Emulation.setCPUThrottlingRate", {"rate": rate})
    page.set_content(PLAIN)
    page.evaluate(NEXT_FRAME)
    before = durations(cdp)
    page.evaluate(
        f"document.querySelector('ul').innerHTML = document.querySelector('template').innerHTML; {NEXT_FRAME}"
    )
    after = durations(cdp)
    return {part: after[part] - before[part] for part in PARTS}


def run(page: Page, address: str, rate: int) -> tuple[dict[str, float], float]:
    """What the answer costs: by what the main thread did, and from `reprise:load` to the next frame."""
    cdp = page.context.new_cdp_session(page)
    cdp.send("Performance.enable", {"timeDomain": "threadTicks"})
    cdp.send("Emulation.setCPUThrottlingRate", {"rate": rate})
    held: list[Any] = []
    page.route("**/v1/batch*", lambda route: held.append(route))  # noqa: PLW0108 - playwright keeps a note on it
    page.goto(address)
    page.wait_for_function("() => document.querySelector('reprise-products').due === false")
    page.wait_for_timeout(500)
    page.evaluate(f"painted = {PAINTED}; 0")
    page.evaluate(NEXT_FRAME)
    before = durations(cdp)
    held[0].fallback()
    painted_ms = page.evaluate("painted")
    after = durations(cdp)
    return {part: after[part] - before[part] for part in PARTS}, painted_ms


def main() -> None:
    """Print the figures."""
    print(f"{len(gzip.compress(script().code, 9)):,} bytes with gzip, {len(script().code):,} without")
    with ExitStack() as stack:
        shop, browser = WidgetShop(stack), stack.enter_context(start_browser())
        address = shop.put(ROW)
        for rate in RATES:
            print(f"\na processor {rate} times slower")
            _report([_measure(browser, address, rate) for _ in range(RUNS)])
            _print("… of a plain list", [_in_all(_measure_plain(browser, rate)) for _ in range(RUNS)])


def _measure(browser: Browser, address: str, rate: int) -> tuple[dict[str, float], float]:
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        page = context.new_page()
        fulfil(page, answer_of([item_of(f"A{n}", n, image_url=f"/i/{n}.svg") for n in range(1, CARDS + 1)]))
        return run(page, address, rate)


def _measure_plain(browser: Browser, rate: int) -> dict[str, float]:
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        return run_plain(context.new_page(), rate)


def _in_all(ms: dict[str, float]) -> float:
    """Script, style and layout."""
    return sum(ms[part] for part in PARTS[:3])


def _report(found: list[tuple[dict[str, float], float]]) -> None:
    for part in PARTS:
        _print(part, [one[part] for one, _ in found])
    _print("load to next frame", [ms for _, ms in found])
    _print("script, style and layout", [_in_all(one) for one, _ in found])


def _print(name: str, ms: list[float]) -> None:
    print(f"{name:30} {min(ms):6.1f} {median(ms):6.1f}")


if __name__ == "__main__":
    main()
