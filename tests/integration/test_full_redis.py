"""With a full Redis events are refused, and still everybody can unsubscribe and be erased."""

import csv
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from flask.testing import FlaskClient
from pydantic import SecretStr

from api import create_app
from api.serving.service import service
from recommender.campaigns.links import MailLink, sign
from recommender.redis.shops import RedisShopStorage
from recommender.settings import MailSettings, Settings
from tests.support.campaigns import Customer, make_version
from tests.support.commands import call_reprise
from tests.support.keyed_shop import ORIGIN, add_key, add_publishable_key, bearer
from tests.support.mail_samples import SECRET
from tests.support.needs import find_program
from tests.support.redis_servers import RedisServer, redis_server

CUSTOMERS = {name: Customer(discover={"A": 0.5, "B": 0.4, "C": 0.3}) for name in ("ANN", "BEN", "CAT", "DAN")}
NOW = datetime.now(UTC)


@pytest.fixture(params=["embedded", pytest.param("redis-server", marks=pytest.mark.redis_server)])
def server(request: pytest.FixtureRequest, tmp_path) -> Iterator[RedisServer]:
    program = None if request.param == "embedded" else find_program("redis_server")
    with redis_server(tmp_path / "redis", program=program, maxmemory="8mb") as server:
        yield server


@pytest.fixture
def client(server: RedisServer) -> Iterator[FlaskClient]:
    with closing(RedisShopStorage(server.url, timeout_ms=5_000)) as storage:
        storage.store("default").publish(make_version(CUSTOMERS, list("ABC")), keep=3)
        yield create_app(Settings(mail=MailSettings(secret=SecretStr(SECRET))), storage).test_client()


def event(number: int, event_type: str = "view", customer_id: str | None = None) -> dict[str, object]:
    person = {"session_id": f"s{number}"} if customer_id is None else {"customer_id": customer_id}
    product = {"product_id": "A"} if event_type in ("view", "purchase") else {}
    moment = (NOW - timedelta(minutes=1)).isoformat()
    return {"event_id": f"{event_type}{number}", "event_type": event_type, "occurred_at": moment, **person, **product}


def fill(client: FlaskClient, **headers: str) -> int:
    """Send events until they are refused; the events that were accepted."""
    for first in range(0, 100_000, 100):
        answer = client.post("/v1/events", json={"events": [event(first + i) for i in range(100)]}, headers=headers)
        if answer.status_code == 503:
            assert answer.json is not None
            assert answer.json["code"] == "store_full"
            return first
        assert answer.status_code == 202
    raise AssertionError("8 MB were never full")


def test_what_strangers_make_up_leaves_room_for_what_the_shop_tells(client: FlaskClient):
    own = service(client.application)
    secret, public = add_key(own.shops.storage, "events"), add_publishable_key(own.shops.storage, rate_per_s=1e6)
    own.shops.follow()
    seconds = count()
    own.event_limits._clock = lambda: float(next(seconds))
    assert fill(client, **bearer(public, origin=ORIGIN)) > 0
    bought = [event(number, "purchase", "ANN") for number in range(100)]
    answer = client.post("/v1/events", json={"events": bought}, headers=bearer(secret))
    assert (answer.status_code, answer.json["accepted"]) == (202, 100)


def unsubscribe(client: FlaskClient, customer_id: str) -> int:
    link = sign(MailLink("default", "c", customer_id, ("A",), 0), SECRET)
    return client.post(f"/v1/m/{link}/unsubscribe").status_code


def tell(client: FlaskClient, *events: dict[str, object]) -> int:
    return client.post("/v1/events", json={"events": list(events)}).status_code


def picked(tmp_path, server: RedisServer) -> list[str]:
    arguments = ("picks", "c", "--audience", "everyone", "--workers", "1")
    done = call_reprise(tmp_path / "home", *arguments, environment={"REPRISE_REDIS_URL": server.url})
    assert done.returncode == 0, done.stderr
    with (tmp_path / "c.csv").open() as file:
        return sorted(row["customer_id"] for row in csv.DictReader(file))


def test_events_are_refused_while_there_is_head_room(client, server):
    assert fill(client) > 1_000
    assert server.call("SET", "head-room", "is left")


@pytest.mark.parametrize("how_full", ["events are refused", "to the last byte"])
def test_who_unsubscribes_or_is_erased_is_heard(client, server, tmp_path, how_full):
    assert tell(client, event(1, "purchase", "CAT")) == 202
    fill(client)
    if how_full == "to the last byte":
        server.call("CONFIG", "SET", "maxmemory", 1_000_000)
    assert unsubscribe(client, "ANN") == 200
    assert client.delete("/v1/customers/CAT").json == {"events": 1, "lists": 2}
    assert client.delete("/v1/customers/NEW").json == {"events": 0, "lists": 0}
    assert tell(client, event(1, "unsubscribe", "DAN")) == 202
    assert tell(client, event(1, "purchase", "BEN")) == 503
    server.call("CONFIG", "SET", "maxmemory", 0)
    assert picked(tmp_path, server) == ["BEN"]


def test_events_are_taken_again_when_there_is_room(client, server):
    fill(client)
    server.call("CONFIG", "SET", "maxmemory", "16mb")
    assert tell(client, event(1, "purchase", "BEN")) == 202
