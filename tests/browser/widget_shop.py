"""A shop whose pages hold the widget, in Chromium: its web site, and the service under another host name."""

import json
import math
import queue
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from api import create_app
from recommender.events.event import Event
from recommender.publication.lists import LIST_NAMES, WHOLE_SHOP
from recommender.publication.manifest import Manifest, Publication
from recommender.publication.product import Product
from recommender.settings import Settings
from tests.fakes.shops import MemoryShopStorage
from tests.fakes.versions import MemoryVersionStore
from tests.support.keyed_shop import add_key, add_publishable_key, customer_token, key_id
from tests.support.needs import find_program
from tests.support.redis_servers import WAIT_S, wait_until
from tests.support.small_shop import VERSION, model, table
from tests.support.wsgi_server import listen

PICTURE = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10"><rect width="10" height="10" fill="#497"/></svg>'
LISTENER = """<script>
const heard = {};
for (const name of ["load", "empty", "error", "impression", "click", "add-to-cart", "token-expired"])
  document.addEventListener("reprise:" + name, (event) => (heard[name] ??= []).push(event.detail));
</script>"""
"""Keeps what the widget announces, in `heard`."""
TODAY = int(time.time() / 86_400)
N_PRODUCTS = 60
WEEK = math.log(7)


def product(number: int) -> Product:
    """One of the shop, with all that a card shows."""
    name = f"P{number}"
    return Product(name, f"Product {number}", "Dairy", f"{number}.50", f"/p/{name}", f"/i/{name}.svg", currency="EUR")


def publication() -> Publication:
    """A version: P0 has eight similar ones and goes with five; ANNA buys P1 to P4 weekly, and ten are new to her."""
    score = [1 / (n + 1) for n in range(N_PRODUCTS)]
    own = [(n, 0.8, TODAY - 6 - n, 20, WEEK, 0.2, 0.95) for n in range(1, 5)]
    rows: dict[Any, Any] = {name: {} for name in LIST_NAMES}
    rows["similar"] = {f"P{n}": model() for n in range(N_PRODUCTS)} | {
        "P0": model(*((n, score[n]) for n in range(10, 18))),
        "P50": model((30, 0.5), (31, 0.4)),
        "P1": model(*((n, score[n]) for n in range(30, 34))),
    }
    rows["together"] = {f"P{n}": model() for n in range(N_PRODUCTS)} | {
        "P0": model(*((n, 60.0 - n) for n in range(20, 25)))
    }
    rows["buy_again"] = {"ANNA": model(*own)}
    rows["discover"] = {"ANNA": model(*((n, score[n]) for n in range(40, 50)))}
    rows["popular"] = {WHOLE_SHOP: model(*((n, 60.0 - n) for n in range(50, 60)))}
    tables = {name: table(name, rows[name]) for name in LIST_NAMES}
    manifest = Manifest(
        version=VERSION,
        as_of="2026-11-20T02:00:00Z",
        created_at="2026-11-20T02:05:00Z",
        counts={"customers": 1, "products": N_PRODUCTS},
        lists={name: len(tables[name]) for name in LIST_NAMES},
    )
    return Publication(manifest, [product(n) for n in range(N_PRODUCTS)], tables)


@dataclass
class Site:
    """The shop's own web site: `pages` by path, each with the headers that it is sent with."""

    address: str
    pages: dict[str, tuple[str, Mapping[str, str]]] = field(default_factory=dict)


@contextmanager
def start_site() -> Iterator[Site]:
    """A web site until the end of the block; what is no page of it is a picture."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            text, headers = site.pages.get(self.path.partition("?")[0], (PICTURE, {"Content-Type": "image/svg+xml"}))
            self.send_response(200)
            for name, value in {"Content-Type": "text/html; charset=utf-8", **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    site = Site(f"http://127.0.0.1:{server.server_port}")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()


def write_page(body: str, head: str, html: str = 'lang="en"', *, listens: bool = True) -> str:
    """A page of the shop, with LISTENER where it `listens`."""
    start = f"<!doctype html><html {html}><head><meta charset=utf-8><title>A shop</title>{LISTENER if listens else ''}"
    return f"{start}{head}</head><body><main><h1>A shop</h1>{body}</main></body></html>"


class WidgetShop:
    """A shop's web site and the service that its pages ask, whose stores are in memory.

    Attributes:
        site: the web site.
        api: the address of the service.
        key: a publishable key for the site.
        asked: path and body of each request that came to `/v1`, in their order.
    """

    def __init__(self, until_the_end: ExitStack, *, keyless: bool = False) -> None:
        self.site = until_the_end.enter_context(start_site())
        store = MemoryVersionStore()
        store.publish(publication(), keep=1)
        self.storage = MemoryShopStorage({"default": store})
        self.key = "" if keyless else add_publishable_key(self.storage, self.site.address)
        self.secret = "" if keyless else add_key(self.storage, "read")
        self._app = create_app(Settings(log_level="error"), self.storage)
        self.asked: queue.Queue[tuple[str, str]] = queue.Queue()
        self.api = f"http://localhost:{listen(self._answer, until_the_end).server_port}"

    def _answer(self, environ: Any, start_response: Any) -> Any:
        path = environ["PATH_INFO"]
        assert "HTTP_COOKIE" not in environ, "no cookie is ever sent"
        try:
            return self._app(environ, start_response)
        finally:
            if path.startswith("/v1"):
                self.asked.put((environ["REQUEST_METHOD"], path))

    def token(self, customer: str = "ANNA", age: timedelta = timedelta()) -> str:
        """What the shop's back end signed so long ago for a customer who was logged in."""
        return customer_token(self.secret, customer, datetime.now(UTC) - age)

    def revoke_key(self) -> None:
        """Revoke the publishable key; the service has heard of it when this returns."""
        self.storage.add_api_key(self.storage.api_keys()[key_id(self.key)].revoke(datetime.now(UTC)))
        client = self._app.test_client()
        wait_until(lambda: client.get(f"/v1/popular?key={self.key}").status_code == 401, "the key opens nothing")

    def script(self, src: str = "/widget.js", **attributes: str) -> str:
        """The script's element; `token` is the attribute `data-token`, and so on."""
        said = {"key": self.key, **attributes}
        written = " ".join(f'data-{name.replace("_", "-")}="{value}"' for name, value in said.items())
        return f'<script type="module" src="{self.api}{src}" {written}></script>'

    def put(
        self,
        body: str,
        path: str = "/",
        head: str | None = None,
        html: str = 'lang="en"',
        headers: Mapping[str, str] = MappingProxyType({}),
        *,
        listens: bool = True,
    ) -> str:
        """Make a page of the site, which `listens` to the widget; its address."""
        head = self.script() if head is None else head
        self.site.pages[path] = (write_page(body, head, html, listens=listens), headers)
        return self.site.address + path

    def events(self) -> list[Event]:
        """What was told and not yet asked for here."""
        own = self.storage.event_log("default").queue
        entries = own.take("test")
        own.settle([entry.entry_id for entry in entries])
        return [Event.from_json(entry.wire) for entry in entries]

    def paths(self) -> list[str]:
        """Paths of the requests that came and were not yet asked for here, but for those of the script and of events.

        Events come when a page has been looked at for a while, which on a busy machine is any time.
        """
        found = []
        while not self.asked.empty():
            found.append(self.asked.get()[1])
        return [path for path in found if path != "/v1/events"]


@contextmanager
def start_browser() -> Iterator[Browser]:
    """A browser until the end of the block: that of the system, none is fetched."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_program("browser"), args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


def texts(page: Page, part: str, row: str = "reprise-products") -> list[str]:
    """What the elements of this part show, within the row that a selector names."""
    return [text.strip() for text in page.locator(f"{row} [part~={part}]:visible").all_inner_texts()]


def wait_for_events(page: Page, name: str, n: int = 1) -> list[Any]:
    """The details of the events `reprise:…` of this name, once there are `n`, as LISTENER heard them."""
    page.wait_for_function("([name, n]) => (heard[name] ?? []).length >= n", arg=[name, n], timeout=WAIT_S * 1000)
    return page.evaluate("(name) => heard[name]", name)


def set_attributes(page: Page, **attributes: str) -> None:
    """Set attributes of the first row of the page."""
    page.evaluate(
        """(all) => { const row = document.querySelector("reprise-products");
          for (const [name, value] of Object.entries(all)) row.setAttribute(name.replace("_", "-"), value); }""",
        attributes,
    )


def pass_frames(page: Page) -> None:
    """Let the browser lay out, paint and tell its observers, twice."""
    for _ in range(2):
        page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")


def answer_of(items: Sequence[Mapping[str, Any]], **fields: Any) -> dict[str, Any]:
    """A row of a batch with made-up items, for `fulfil`."""
    body = {"recommendation_id": "rec_X", "placement": "home", "fallback": None, "items": items, **fields}
    return {"status": 200, "body": body}


def item_of(product_id: str, rank: int = 1, **product: Any) -> dict[str, Any]:
    """One item of an answer with a made-up product."""
    known = {"title": product_id, "price": "1.00", "currency": "EUR", "url": f"/p/{product_id}", "image_url": None}
    reason = {"code": "SIMILAR", "text": "Similar to what you looked at", "evidence": {}}
    return {"product_id": product_id, "rank": rank, "reason": reason, "product": {**known, **product}}


def fulfil(page: Page, *rows: Mapping[str, Any], status: int = 200) -> None:
    """Have the page's batches answered with these rows, not by the service."""
    headers = {"Access-Control-Allow-Origin": "*", "Content-Language": "en"}
    answer = json.dumps({"responses": rows})
    page.route("**/v1/batch*", lambda route: route.fulfill(status=status, headers=headers, body=answer))
