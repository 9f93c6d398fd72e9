"""What waits takes no thread of another kind: every route beside forty stuck calls of every other kind."""

import asyncio
import json
import threading
from io import StringIO

import pytest
from flask import Flask
from pydantic import SecretStr

from api import create_app
from api.security.permissions import access_of, accessible
from api.server import lanes
from api.server.asgi import AsgiApp
from api.server.lanes import LONGEST_REST_S, Lane, Lanes
from api.serving.service import service
from recommender.errors import StoreUnavailableError
from recommender.settings import MailSettings, Settings
from tests.fakes.shops import MemoryShopStorage
from tests.support.keyed_shop import add_key
from tests.support.redis_servers import WAIT_S
from tests.support.route_table import ROUTES, SECRET, Row
from tests.support.served import version
from tests.unit.api.server.test_asgi import Answer, ask, parts, scope

N = 40
WAITING = [(method, rule) for (method, rule), row in ROUTES.items() if row.kind != "probes"]


@pytest.fixture
def storage() -> MemoryShopStorage:
    storage = MemoryShopStorage()
    storage.store("default").publish(version(1), keep=3)
    return storage


@pytest.fixture
def app(storage: MemoryShopStorage) -> Flask:
    app = create_app(Settings(mail=MailSettings(secret=SecretStr(SECRET))), storage, log=StringIO())
    service(app).shops.cache("default")
    return app


async def send(asgi: AsgiApp, method: str, row: Row) -> Answer:
    body = b"" if row.body is None else json.dumps(row.body).encode()
    headers = {"content-type": "application/json", "content-length": str(len(body))} if body else {}
    return await ask(asgi, scope(row.path.encode(), method, **headers), parts(body))


def block(app: Flask, method: str, rule: str) -> tuple[threading.Event, list[str]]:
    """Make a route wait for the event; the list grows with each thread that does."""
    (endpoint,) = (one.endpoint for one in app.url_map.iter_rules() if one.rule == rule and method in one.methods)
    released, blocked = threading.Event(), []
    access = access_of(app.view_functions[endpoint])

    @accessible(access)
    def wait(**_ids: str) -> str:
        blocked.append(rule)
        assert released.wait(WAIT_S)
        return "done"

    app.view_functions[endpoint] = wait
    return released, blocked


def test_every_route_has_a_row_and_its_lane(app: Flask):
    rules = list(app.url_map.iter_rules())
    assert ROUTES.keys() == {(method, one.rule) for one in rules for method in one.methods - {"HEAD", "OPTIONS"}}
    lanes = Lanes(app, service(app).shops)
    for (method, _), row in ROUTES.items():
        lane = lanes.find({"REQUEST_METHOD": method, "PATH_INFO": row.path})
        assert row.kind == ("probes" if lane is None else lane.name), row


def test_what_is_no_route_is_answered_as_a_page(app: Flask):
    lane = Lanes(app, service(app).shops).find({"REQUEST_METHOD": "GET", "PATH_INFO": "/nope"})
    assert lane is not None
    assert lane.name == "pages"


@pytest.mark.parametrize(("method", "rule"), WAITING)
def test_stuck_calls_hold_up_no_call_of_another_kind(app: Flask, method: str, rule: str):
    stuck = ROUTES[method, rule]
    others = [(how, row) for (how, _), row in ROUTES.items() if row.kind != stuck.kind]
    released, blocked = block(app, method, rule)
    app.wsgi_app._lists._shapes.clear()  # the loop leaves all lists to threads  # type: ignore[attr-defined]

    async def run() -> tuple[list[Answer], list[Answer]]:
        asgi = AsgiApp(app)
        calls = [asyncio.create_task(send(asgi, method, stuck)) for _ in range(N)]
        while not blocked:
            await asyncio.sleep(0.001)
        answers = [await asyncio.wait_for(send(asgi, how, row), WAIT_S) for how, row in others]
        refused = [call.result() for call in calls if call.done()]
        released.set()
        return answers, [*refused, *(await asyncio.gather(*calls))[: N - len(refused)]]

    answers, of_stuck = asyncio.run(run())
    assert all(answer.status < 500 for answer in answers)
    assert {answer.status for answer in of_stuck} <= {200, 503}
    assert all(answer.headers["retry-after"] for answer in of_stuck if answer.status == 503)


def test_a_line_is_bounded_and_what_comes_then_is_told_to_come_again(app: Flask):
    method, rule = "GET", "/v1/models"
    released, blocked = block(app, method, rule)

    async def run() -> list[Answer]:
        asgi = AsgiApp(app)
        calls = [asyncio.create_task(send(asgi, method, ROUTES[method, rule])) for _ in range(N)]
        while not blocked:
            await asyncio.sleep(0.001)
        late = await send(asgi, method, ROUTES[method, rule])
        released.set()
        return [late, *await asyncio.gather(*calls)]

    late, *calls = asyncio.run(run())
    assert (late.status, late.json["code"], late.headers["retry-after"]) == (503, "overloaded", "1")
    assert sum(call.status == 200 for call in calls) == 33


def test_while_redis_is_known_to_be_down_nothing_that_writes_waits(app: Flask, storage, monkeypatch):
    def fail():
        raise StoreUnavailableError("Redis does not answer")

    monkeypatch.setattr(storage, "api_keys", fail)
    service(app).shops.follow()

    async def run() -> list[Answer]:
        asgi = AsgiApp(app)
        kinds = ("events", "administration")
        return [await send(asgi, how, row) for (how, _), row in ROUTES.items() if row.kind in kinds]

    answers = asyncio.run(run())
    assert {(one.status, one.json["code"], one.headers["retry-after"]) for one in answers} == {
        (503, "store_unavailable", "1")
    }
    assert not storage.event_log("default").queue.entries


def test_a_shop_that_is_opened_holds_up_no_other(app: Flask, storage: MemoryShopStorage, monkeypatch):
    keys = [add_key(storage, "read", shop=shop) for shop in ("other", "default")]
    service(app).shops.follow()
    released, following = threading.Event(), []
    follow = storage.store("other").follow

    def follow_slowly():
        following.append(threading.current_thread().name)
        assert released.wait(WAIT_S)
        return follow()

    monkeypatch.setattr(storage.store("other"), "follow", follow_slowly)

    async def run() -> list[Answer]:
        asgi = AsgiApp(app)
        of_other, of_own = (scope(b"/v1/popular", authorization=f"Bearer {key}") for key in keys)
        first = asyncio.create_task(ask(asgi, of_other))
        while not following:
            await asyncio.sleep(0.001)
        own, second = await ask(asgi, of_own), await ask(asgi, of_other)
        assert not first.done()
        released.set()
        return [own, second, await first]

    own, second, first = asyncio.run(run())
    assert own.json["items"]
    assert second.json["fallback"]["reason"] == "store_unavailable"  # it waited a moment
    assert first.json["fallback"]["reason"] == "model_not_ready"
    assert len(following) == 1


class Time:
    """A clock of which each request takes `computes` seconds; how long threads slept before they answered."""

    def __init__(self, computes: float) -> None:
        self.computes, self.now, self.slept = computes, 100.0, list[float]()

    def monotonic(self) -> float:
        return self.now

    def thread_time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def compute(self) -> str:
        self.now += self.computes
        return "page"


@pytest.mark.parametrize(("name", "computes", "rest"), [("console", 0.01, 0.09), ("console", 5.0, LONGEST_REST_S),
                                                        ("pages", 5.0, 0.0)])  # fmt: skip
def test_the_console_gets_a_tenth_of_a_process_and_holds_up_no_page_for_itself(
    monkeypatch: pytest.MonkeyPatch, name: str, computes: float, rest: float
):
    clock = Time(computes)
    monkeypatch.setattr(lanes, "time", clock)

    async def three() -> None:
        lane = Lane(name, 1, 10)
        assert await asyncio.gather(*(lane.run(clock.compute) for _ in range(2))) == ["page", "page"]
        clock.now += 60  # somebody reads
        assert await lane.run(clock.compute) == "page"

    asyncio.run(three())
    assert clock.slept == pytest.approx([0.0, rest, 0.0])
