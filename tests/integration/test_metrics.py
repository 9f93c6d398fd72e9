"""Metrics of a server with several workers are those of all of them."""

import os
import re
import signal
import subprocess
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from recommender.connection.client import RedisClient
from recommender.redis.keys import Keys
from tests.support.event_workers import start_worker, stop_worker
from tests.support.redis_servers import redis_server, wait_until
from tests.support.served import Served, serve, store_of, version

MONITORING = Path(__file__).parents[2] / "api" / "monitoring"
SIMILAR = "/v1/products/<shop_id:product_id>/similar"
TOGETHER = "/v1/products/<shop_id:product_id>/bought-together"


@pytest.fixture(scope="module")
def redis_url_of_served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with redis_server(tmp_path_factory.mktemp("redis")) as redis:
        yield redis.url


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, redis_url_of_served: str) -> Iterator[Served]:
    store_of(redis_url_of_served).publish(version(1), keep=3)
    with serve(tmp_path_factory.mktemp("serve"), REPRISE_REDIS_URL=redis_url_of_served) as served:
        served.wait_until_ready()
        yield served


def value(served: Served, name: str, **labels: str) -> float:
    families = text_string_to_metric_families(served.ask("/metrics").body.decode())
    samples = [sample for family in families for sample in family.samples]
    return sum(one.value for one in samples if one.name == name and labels.items() <= one.labels.items())


def test_a_server_that_was_just_started_has_a_value_for_every_panel_and_alert_and_sees_a_worker(tmp_path):
    with redis_server(tmp_path / "redis") as redis:
        store_of(redis.url).publish(version(1), keep=3)
        with serve(tmp_path, REPRISE_REDIS_URL=redis.url) as fresh:
            fresh.wait_until_ready()
            wait_until(lambda: not without_value(fresh), "everything that is asked for has a value")
            assert value(fresh, "reprise_workers") == 0
            worker = start_worker(tmp_path / "home", redis.url, stdout=subprocess.DEVNULL)
            wait_until(lambda: value(fresh, "reprise_workers", shop="default") == 1, "the worker is seen")
            assert stop_worker(worker) == 0


def without_value(served: Served) -> list[str]:
    """Selectors of the dashboard and the alerts that no sample fits."""
    text = (MONITORING / "grafana-dashboard.json").read_text().replace('\\"', '"')
    asked = set(re.findall(r"(reprise_\w+)(?:\{(.*?)\})?", text + (MONITORING / "alerts.yml").read_text()))
    assert len(asked) > 10
    families = text_string_to_metric_families(served.ask("/metrics").body.decode())
    samples = [sample for family in families for sample in family.samples]
    return [
        f"{name}{{{matchers}}}"
        for name, matchers in asked
        if not any(sample.name == name and fits(sample.labels, matchers) for sample in samples)
    ]


def fits(labels: Mapping[str, str], matchers: str) -> bool:
    """Whether labels match those of a selector of PromQL, such as `status=~"5..",route="x"`."""
    found = re.findall(r'(\w+)(=~|=)"([^"]*)"', matchers)
    return all(
        re.fullmatch(value if kind == "=~" else re.escape(value), labels.get(one, "")) for one, kind, value in found
    )


def test_requests_to_all_workers_add_up_whoever_is_asked(served):
    answers = value(served, "reprise_answers_total")
    for _ in range(40):
        assert served.ask("/v1/products/p1/similar").status == 200
    wait_until(lambda: value(served, "reprise_requests_total", route=SIMILAR, status="200") == 40, "all are counted")
    counts = {value(served, "reprise_requests_total", route=SIMILAR, status="200") for _ in range(10)}
    assert counts == {40}
    assert value(served, "reprise_answers_total") == answers + 40
    wait_until(lambda: value(served, "reprise_store_answers") == 1, "every worker has said that Redis answers")


def test_what_waits_to_be_archived_and_what_is_dead_is_told(served, redis_url_of_served):
    shop, start = Keys("default"), datetime.now(UTC) - timedelta(hours=1)
    client = RedisClient(redis_url_of_served, connect_timeout_s=5, timeout_s=5)
    wait_until(lambda: value(served, "reprise_dead_events", shop="default") == 0, "nothing is dead")
    client.call("XADD", shop.events, f"{int(start.timestamp() * 1000)}-0", "e", "x")
    client.call("XADD", shop.dead_events, "*", "e", "x")
    wait_until(lambda: value(served, "reprise_dead_events", shop="default") == 1, "the dead letter is told")
    wait_until(lambda: value(served, "reprise_oldest_waiting_event_seconds", shop="default") >= 3_600, "so is the lag")
    client.call("DEL", shop.events, shop.dead_events)
    client.close()
    wait_until(lambda: value(served, "reprise_dead_events", shop="default") == 0, "none is left")
    wait_until(lambda: value(served, "reprise_oldest_waiting_event_seconds", shop="default") == 0, "nothing waits")


def test_what_a_dead_worker_counted_stays_and_its_state_goes(served):
    for _ in range(10):
        served.ask("/v1/products/p1/bought-together")
    before = served.workers()
    os.kill(before[0], signal.SIGKILL)
    wait_until(lambda: len(set(served.workers()) - {before[0]}) == 2, "another worker took its place")
    served.wait_until_ready()
    assert value(served, "reprise_requests_total", route=TOGETHER, status="200") == 10
    wait_until(lambda: value(served, "reprise_store_answers") == 1, "the gauge is that of the workers that live")
