"""A client that a known generator makes from `/openapi.json` works against the running service."""

import importlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from api.schemas.events import example_of
from recommender.events.event import EVENT_TYPES
from recommender.redis.shops import RedisShopStorage
from recommender.storage.api_keys import SCOPES
from tests.support.keyed_shop import add_key
from tests.support.redis_servers import redis_server
from tests.support.served import Served, serve, store_of, version

NAME = "reprise_client_of_test"
Part = Callable[[str], Any]
"""A module of the generated client, by its name there."""


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of its own: on one with an API key, no other test's service is open without one."""
    with redis_server(tmp_path_factory.mktemp("redis")) as redis:
        yield redis.url


@pytest.fixture(scope="module")
def served(redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    store_of(redis_url).publish(version(1), keep=1)
    with serve(tmp_path_factory.mktemp("serve"), REPRISE_REDIS_URL=redis_url, REPRISE_LOG_LEVEL="warning") as served:
        yield served


@pytest.fixture(scope="module")
def part(served: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Part]:
    folder = tmp_path_factory.mktemp("client")
    (folder / "openapi.json").write_bytes(served.ask("/openapi.json").body)
    (folder / "config.yml").write_text("post_hooks: []\n")  # which would only format it
    command = [Path(sys.executable).with_name("openapi-python-client"), "generate", "--fail-on-warning", "--meta=none"]
    files = ["--path=openapi.json", "--config=config.yml", f"--output-path={NAME}"]
    done = subprocess.run([*command, *files], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        yield lambda name: importlib.import_module(f"{NAME}.{name}")


@pytest.fixture(scope="module")
def client(served: Served, part: Part, redis_url: str) -> Iterator[Any]:
    key = add_key(RedisShopStorage(redis_url, timeout_ms=5_000), *SCOPES)
    host, port = served.address
    served.wait_until_ready()
    with part("client").AuthenticatedClient(base_url=f"http://{host}:{port}", token=key) as client:
        yield client


def test_it_reads_a_list(part: Part, client: Any) -> None:
    answer = part("api.products.list_similar_products").sync(client=client, product_id="p1", limit=3)
    assert [item.product_id for item in answer.items] == ["p0", "p2", "p3"]
    assert (answer.limit.applied, answer.items[0].reason.code) == (3, "SIMILAR")
    answer = part("api.customers.list_recommendations").sync(client=client, customer_id="ann", limit=3)
    assert [item.rank for item in answer.items] == [1, 2, 3]
    refused = part("api.products.list_popular_products").sync_detailed(client=client, placement="nope")
    assert (refused.status_code, refused.parsed.code) == (404, "unknown_placement")


def test_it_tells_an_event_of_every_type(part: Part, client: Any) -> None:
    now = datetime.now(UTC).isoformat()
    told = [{**example_of(kind), "event_id": f"generated-{kind}", "occurred_at": now} for kind in EVENT_TYPES]
    body = part("models").EventsBody.from_dict({"events": told})
    assert [type(event).__name__ for event in body.events[:3]] == ["PurchaseEvent", "RefundEvent", "ViewEvent"]
    assert {event.event_type for event in body.events} == set(EVENT_TYPES)
    answer = part("api.events.accept_events").sync(client=client, body=body)
    assert (answer.accepted, answer.rejected) == (len(EVENT_TYPES), [])


def test_it_writes_an_event_by_its_fields(part: Part, client: Any) -> None:
    models = part("models")
    at = datetime.now(UTC)
    event = models.ViewEvent("v1", event_type="view", product_id="p1", occurred_at=at, session_id="s1", rank=2)
    nobody = models.ViewEvent("v2", event_type="view", product_id="p1", occurred_at=at)
    answer = part("api.events.accept_events").sync(client=client, body=models.EventsBody([event, nobody]))
    assert (answer.accepted, [one.index for one in answer.rejected]) == (1, [1])
    refused = part("api.events.accept_events").sync(client=client, body=models.EventsBody([nobody]))
    assert (refused.code, refused.errors[0].code) == ("nothing_accepted", "invalid_event")


def test_it_reads_and_sets_a_placement(part: Part, client: Any) -> None:
    assert part("api.administration.read_placement").sync(client=client, name="home").cap == 20
    body = part("models").NewPlacement(cap=6, default_limit=4)
    answer = part("api.administration.set_placement").sync(client=client, name="generated", body=body)
    assert (answer.name, answer.cap, answer.default_limit) == ("generated", 6, 4)
