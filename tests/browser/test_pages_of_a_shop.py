"""A page of a shop in a real browser, with a service under another host name: what it asks and tells, and how."""

import json
import queue
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from api import create_app
from recommender.events.event import Event
from recommender.redis.shops import RedisShopStorage
from recommender.settings import Settings
from tests.browser.chromium import Chromium, start_chromium
from tests.browser.shop_page import PAGE, ROWS, start_site
from tests.fakes.shops import MemoryShopStorage
from tests.fakes.versions import MemoryVersionStore
from tests.support import small_shop
from tests.support.keyed_shop import add_publishable_key
from tests.support.needs import find_program
from tests.support.redis_servers import WAIT_S, RedisServer, redis_server, wait_until
from tests.support.served import HURRIED_MS, WORKERS, Served, serve, store_of, version
from tests.support.wsgi_server import listen

pytestmark = [
    pytest.mark.slow,
    pytest.mark.browser,
]
EVENT = """\
const event = (event_type, session_id) => ({event_id: crypto.randomUUID(), event_type, session_id, product_id: "MILK",
  occurred_at: new Date().toISOString()});
const body = (...events) => JSON.stringify({events});
const told = api + "/v1/events?key=" + key;
"""


class Shop:
    """A shop's web site, and the service that its pages ask; `methods` are those of the requests that came to it."""

    def __init__(self, folder: Path, until_the_end: ExitStack) -> None:
        self.address = start_site(folder, until_the_end)
        (folder / "page.html").write_text("<!doctype html><title>A shop</title>")
        store = MemoryVersionStore()
        store.publish(small_shop.publication(), keep=1)
        self._storage = MemoryShopStorage({"default": store})
        self.key = add_publishable_key(self._storage, self.address)
        self._app = create_app(Settings(log_level="error"), self._storage)
        self.answered: queue.Queue[str] = queue.Queue()
        self.api = f"http://localhost:{listen(self._answer, until_the_end).server_port}"

    def _answer(self, environ, start_response):
        method = environ["REQUEST_METHOD"]
        try:
            return self._app(environ, start_response)
        finally:
            self.answered.put(method)

    def script(self, text: str) -> str:
        """A script that knows where the service is; its value is what it returns."""
        known = f"const api = {json.dumps(self.api)}, key = {json.dumps(self.key)};"
        return f"(async () => {{ {known}\n{EVENT}\n{text} }})()"

    def events(self) -> list[Event]:
        """What was told and not yet asked for here."""
        own = self._storage.event_log("default").queue
        entries = own.take("test")
        own.settle([entry.entry_id for entry in entries])
        return [Event.from_json(entry.wire) for entry in entries]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    with start_chromium(find_program("browser") or "", tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with ExitStack() as until_the_end:
        yield Shop(tmp_path, until_the_end)


def test_a_list_needs_no_preflight(browser, shop):
    browser.open(f"{shop.address}/page.html", 800)
    asked = "const answer = await fetch(`${api}/v1/products/MILK/similar?limit=2&key=${key}`);"
    told = "return [answer.status, (await answer.json()).items.length, answer.headers.get('RateLimit-Limit') > 0];"
    assert browser.evaluate(shop.script(asked + told)) == [200, 2, True]
    assert [shop.answered.get(timeout=WAIT_S), shop.answered.empty()] == ["GET", True]


def test_a_header_takes_one(browser, shop):
    """The others would see a preflight if there were one."""
    browser.open(f"{shop.address}/page.html", 800)
    headers = "{Authorization: `Bearer ${key}`, traceparent: 'x', tracestate: 'x', baggage: 'x', 'sentry-trace': 'x'}"
    asked = f"return (await fetch(`${{api}}/v1/popular`, {{headers: {headers}}})).status;"
    assert browser.evaluate(shop.script(asked)) == 200
    assert [shop.answered.get(timeout=WAIT_S) for _ in range(2)] == ["OPTIONS", "GET"]


def test_all_rows_of_a_page_are_one_request_without_a_preflight(browser, shop):
    browser.open(f"{shop.address}/page.html", 800)
    asked = """
        const requests = ["/v1/products/MILK/similar", "/v1/popular?limit=2", "/v1/popular"].map((path) => ({path}));
        const text = JSON.stringify({requests, distinct: true});
        const answer = await fetch(`${api}/v1/batch?key=${key}`, {method: "POST", body: text});
        const rows = (await answer.json()).responses.map((row) => row.body.items.map((item) => item.product_id));
        return [answer.status, rows];
    """
    rows = [["BUTTER", "käse 🧀"], ["COFFEE", "MILK"], ["BREAD"]]
    assert browser.evaluate(shop.script(asked)) == [200, rows]
    assert [shop.answered.get(timeout=WAIT_S), shop.answered.empty()] == ["POST", True]


def test_events_are_told_by_fetch_without_a_preflight(browser, shop):
    browser.open(f"{shop.address}/page.html", 800)
    sent = (
        "await fetch(told, {method: 'POST', keepalive: true, body: body(event('view', 's1'), event('refund', 's1'))})"
    )
    value = browser.evaluate(shop.script(f"const answer = {sent}; return [answer.status, await answer.json()];"))
    assert (value[0], value[1]["accepted"], len(value[1]["rejected"])) == (202, 1, 1)
    assert [shop.answered.get(timeout=WAIT_S), shop.answered.empty()] == ["POST", True]
    assert [(one.event_type, one.session_id) for one in shop.events()] == [("view", "s1")]


def test_a_page_that_is_left_tells_by_a_beacon_without_a_preflight(browser, shop):
    browser.open(f"{shop.address}/page.html", 800)
    browser.evaluate(
        shop.script("addEventListener('pagehide', () => navigator.sendBeacon(told, body(event('click', 's2'))));")
    )
    browser.open("about:blank", 800)
    assert [shop.answered.get(timeout=WAIT_S), shop.answered.empty()] == ["POST", True]
    assert [(one.event_type, one.session_id) for one in shop.events()] == [("click", "s2")]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/popular?key=pk_unknown_0", 401),
        ("/v1/models?key=${key}", 403),
        ("/v1/nope?key=${key}", 404),
        ("/v1/popular?limit=0&key=${key}", 400),
    ],
)
def test_a_page_can_read_why_it_was_refused(browser, shop, path, status):
    browser.open(f"{shop.address}/page.html", 800)
    asked = f"const answer = await fetch(`${{api}}{path}`); return [answer.status, (await answer.json()).status];"
    assert browser.evaluate(shop.script(asked)) == [status, status]


class OutagePage:
    """A page of a shop in Chromium, `reprise serve` under another origin, and the Redis behind it."""

    def __init__(self, browser: Chromium, folder: Path, until_the_end: ExitStack) -> None:
        self.browser = browser
        self.site = start_site(folder, until_the_end)
        self.redis: RedisServer = until_the_end.enter_context(redis_server(folder / "redis"))
        store_of(self.redis.url).publish(version(1), keep=1)
        storage = RedisShopStorage(self.redis.url, timeout_ms=5_000)
        key = add_publishable_key(storage, self.site)
        self._queue = storage.event_log("default").queue
        self._queue.join()
        environment = {"REPRISE_REDIS_URL": self.redis.url, "REPRISE_REDIS_TIMEOUT_MS": HURRIED_MS}
        self.served: Served = until_the_end.enter_context(serve(folder, **environment, REPRISE_LOG_LEVEL="info"))
        self.served.wait_until_ready()
        for path in [*ROWS.values()] * 8 * WORKERS:  # every worker has answered before
            assert self.served.ask(f"{path}&key={key}").status == 200
        settings = {"api": f"http://localhost:{self.served.address[1]}", "key": key, "rows": ROWS}
        (folder / "page.html").write_text(PAGE.replace("SETTINGS", json.dumps(settings)))

    def open(self) -> dict[str, list[str]]:
        """Load the page anew; what its rows show."""
        self.browser.open(f"{self.site}/page.html", 800)
        self.browser.evaluate("filled.then(() => true)")
        read = "Object.fromEntries([...document.querySelectorAll('ul')].map((ul) => [ul.id, [...ul.children].map("
        return self.browser.evaluate(f"{read}(li) => li.textContent)]))")

    def fallbacks(self) -> set[str | None]:
        """Why the rows are not what was asked for."""
        return set(self.browser.evaluate("Object.values(answers).map((answer) => answer.fallback?.reason ?? null)"))

    def tell(self, *event_types: str) -> tuple[int, bool]:
        """Tell events by fetch; the status, and whether the page can read when to try again."""
        events = ", ".join(f"event('{event_type}', 'p1')" for event_type in event_types)
        status, has_retry_after = self.browser.evaluate(f"tell({events})")
        return status, has_retry_after

    def kept(self) -> list[str]:
        """The types of the events that Redis keeps and that were not yet asked for here."""
        entries = self._queue.take("test")
        self._queue.settle([entry.entry_id for entry in entries])
        return [Event.from_json(entry.wire).event_type for entry in entries]

    def statuses_of_events(self) -> list[int]:
        """What the service answered to those who told events, as it logged it."""
        return [line["status"] for line in self.served.log("request") if line["route"] == "/v1/events"]

    def assert_no_preflight(self) -> None:
        """Fails where the browser asked first; what it asked the service for is in its own log and in the service's."""
        told = [(kind, method) for kind, method, url in self.browser.network_log() if "/v1/" in url]
        assert {("Fetch", "GET"), ("Fetch", "POST"), ("Ping", "POST")} == set(told)
        wait_until(lambda: {line["method"] for line in self.served.log("request")} >= {"GET", "POST"}, "it is logged")
        assert "OPTIONS" not in {line["method"] for line in self.served.log("request")}


@pytest.fixture
def outage(browser: Chromium, tmp_path: Path) -> Iterator[OutagePage]:
    with ExitStack() as until_the_end:
        yield OutagePage(browser, tmp_path, until_the_end)


def test_a_page_outlives_a_redis_that_hangs(outage: OutagePage):
    """Its rows stay filled, and what it could not tell meanwhile it tells afterwards."""
    before = outage.open()
    assert [len(titles) for titles in before.values()] == [4, 1, 4]
    assert outage.fallbacks() == {None}
    assert outage.tell("view") == (202, False)
    assert outage.browser.evaluate("tellInPassing(event('click', 'p1'))")
    told: list[str] = []
    wait_until(lambda: told.extend(outage.kept()) or len(told) == 2, "both events are kept")
    assert sorted(told) == ["click", "view"]
    outage.assert_no_preflight()

    outage.redis.pause()
    outage.served.wait_until_lost()
    assert outage.open() == before
    assert outage.fallbacks() == {"store_unavailable"}
    for event_type in ("view", "add_to_cart"):
        assert outage.tell(event_type) == (503, True)
    assert outage.browser.evaluate("tellInPassing(event('impression', 'p1'))")  # no page hears what became of it
    assert outage.browser.evaluate("waiting.length") == 2
    outage.assert_no_preflight()
    wait_until(lambda: outage.statuses_of_events().count(503) == 3, "the beacon is refused, too")

    outage.redis.resume()
    outage.served.wait_until_ready()
    wait_until(lambda: outage.tell() == (202, False), "events are accepted again")
    assert outage.browser.evaluate("waiting.length") == 0
    assert sorted(outage.kept()) == ["add_to_cart", "view"]
    assert outage.open() == before
    assert outage.fallbacks() == {None}
