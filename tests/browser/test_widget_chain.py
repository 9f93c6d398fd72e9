"""From the row to the order: one chain under one recommendation id, with a real service, worker, archive and report."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import BrowserContext, Page

from recommender.experiments.experiment import Experiment, assign
from recommender.redis.shops import RedisShopStorage
from tests.browser.test_widget_events import FORBIDDEN
from tests.browser.widget_shop import publication, start_site, wait_for_events, write_page
from tests.support.commands import run_reprise
from tests.support.keyed_shop import add_key, add_publishable_key, bearer, customer_token
from tests.support.load import ask
from tests.support.redis_servers import WAIT_S, redis_server, wait_until
from tests.support.served import serve
from training.ingest.archived_events import read_ledger

pytestmark = [pytest.mark.slow, pytest.mark.browser]
MS = WAIT_S * 1000
TOML = """
[[experiments]]
name = "row"
variants = {control = 1, three = 1}
treatments = {three = {cap = 3}}
placements = ["home"]
"""
TRIED = Experiment(
    name="row", variants={"control": 1, "three": 1}, treatments={"three": {"cap": 3}}, placements=["home"]
)
OTHER = next(name for n in range(99) if assign(TRIED, name := f"C{n}") != assign(TRIED, "ANNA"))
ROW = '<reprise-products list="for-you" mix="buy_again" impression-ms="50"></reprise-products>'
PRODUCT = """<form action="/cart">
  <input name="product" value="{id}"><input name="recommendation_id"><button>Into the cart</button>
</form>
<script type="module">
  reprise.tell("view", "{id}");
  document.forms[0].onsubmit = (event) => {{
    reprise.tell("add_to_cart", "{id}");
    event.target.elements.recommendation_id.value = reprise.attribution("{id}")?.recommendation_id ?? "";
  }};
</script>"""
WAYS: dict[str, dict[str, Any]] = {"P1": {}, "P2": {"button": "middle"}, "P3": {"modifiers": ["Control"]}}
"""Product → how it is clicked."""


class Chain:
    """A shop with a real service; its back end is this test."""

    def __init__(self, folder: Path, until_the_end: ExitStack) -> None:
        self.folder, self.home = folder, folder / "home"
        self.site = until_the_end.enter_context(start_site())
        (folder / "reprise.toml").write_text(TOML)
        self.redis = until_the_end.enter_context(redis_server(folder / "redis"))
        storage = RedisShopStorage(self.redis.url, timeout_ms=5_000)
        until_the_end.callback(storage.close)
        storage.store("default").publish(publication(), keep=1)
        key = add_publishable_key(storage, self.site.address)
        self.secret = add_key(storage, "read", "events")
        self.queue = storage.event_log("default").queue
        self.served = until_the_end.enter_context(serve(folder, REPRISE_REDIS_URL=self.redis.url))
        wait_until(lambda: {status for status, _ in self.served.readiness()} == {200}, "every worker is ready")
        self._script = f'src="http://localhost:{self.served.address[1]}/widget.js" data-key="{key}"'

    def log_in(self, customer: str) -> None:
        """Show the shop's pages to this customer from now on."""
        token = customer_token(self.secret, customer, datetime.now(UTC))
        script = f'<script type="module" {self._script} data-token="{token}"></script>'
        pages = {"/": ROW, "/cart": "<p>Your cart</p>"} | {f"/p/{id_}": PRODUCT.format(id=id_) for id_ in WAYS}
        self.site.pages = {path: (write_page(body, script), {}) for path, body in pages.items()}

    def check_out(self, customer: str, cart: dict[str, str]) -> None:
        """Send the order as the shop's back end does; `cart` is product → recommendation id."""
        now = datetime.now(UTC).isoformat()
        events = [
            {
                "event_id": f"order-1-{product}",
                "event_type": "purchase",
                "order_id": "order-1",
                "customer_id": customer,
                "product_id": product,
                "recommendation_id": recommendation,
                "unit_price": 2.5,
                "occurred_at": now,
            }
            for product, recommendation in cart.items()
        ]
        answer = ask(self.served.address, "/v1/events", "POST", {"events": events}, bearer(self.secret))
        assert answer.json["accepted"] == len(events)


@pytest.fixture
def chain(tmp_path: Path) -> Iterator[Chain]:
    with ExitStack() as until_the_end:
        yield Chain(tmp_path, until_the_end)


def open_product(context: BrowserContext, page: Page, product: str) -> Page:
    """Click a product of the row its own way; the tab with its page."""
    link = page.locator(f"a[href*='/p/{product}']")
    if not WAYS[product]:
        link.click()
        return page
    with context.expect_page() as opened:
        link.click(**WAYS[product])
    return opened.value


@pytest.mark.parametrize("forbidden", [False, True], ids=["kept", "storage forbidden"])
def test_w8_what_was_seen_clicked_and_bought_is_one_chain(chain: Chain, page: Page, *, forbidden: bool) -> None:
    context, cart, shown = page.context, {}, {}
    if forbidden:
        context.add_init_script(FORBIDDEN)
    chain.log_in("ANNA")
    for product in WAYS:
        page.goto(f"{chain.site.address}/")
        (answer,) = wait_for_events(page, "load")
        shown[product] = answer["recommendation_id"]
        wait_for_events(page, "impression", len(answer["items"]))  # what is in the cart is not among them
        tab = open_product(context, page, product)
        tab.wait_for_url(f"{chain.site.address}/p/{product}", timeout=MS)
        tab.locator("button").click()
        tab.wait_for_url("**/cart*", timeout=MS)
        cart |= {product: parse_qs(urlsplit(tab.url).query)["recommendation_id"][0]}
    assert cart == shown
    chain.check_out("ANNA", cart)
    chain.log_in(OTHER)
    page.goto(f"{chain.site.address}/")
    page.wait_for_function("() => heard.load || heard.empty", timeout=MS)

    wanted = {
        (kind, product, shown[product])
        for product in WAYS
        for kind in ("impression", "click", "add_to_cart", "purchase")
    }
    environment = {"REPRISE_REDIS_URL": chain.redis.url}
    found: set[Any] = set()

    def archived() -> bool:
        worked = run_reprise(chain.home, "worker", "--once", "--json", environment=environment)
        assert worked.returncode == 0, worked.stderr
        events = read_ledger(
            chain.home / "ledger", "default", ("impression", "click", "view", "add_to_cart", "purchase", "exposure")
        )
        found.clear()
        found.update(events.select("event_type", "product_id", "recommendation_id").iter_rows())
        assert set(events["customer_id"]) <= {"ANNA", OTHER}
        people = set(events.filter(event_type="exposure")["customer_id"])
        return wanted <= found and people == {"ANNA", OTHER}

    wait_until(archived, "the chain is in the archive")
    assert {one for one in found if one[0] in ("click", "add_to_cart", "purchase")} == {
        one for one in wanted if one[0] != "impression"
    }
    assert {one[2] for one in found if one[0] == "view"} == set(shown.values())

    done = run_reprise(
        chain.home, "experiment", "row", "--ledger", chain.home / "ledger", "--json", environment=environment
    )
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)["attribution"]["variants"][assign(TRIED, "ANNA")]
    assert (figures["clicked"], figures["bought"], figures["orders"], figures["revenue"]) == (3, 3, 1, 7.5)
