"""Who buys for the first time has new products to discover, through real processes."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from recommender.publication.factors import ProductFactors
from tests.support.redis_servers import redis_server, wait_until
from tests.support.served import Served, serve, store_of, version

TASTES = ProductFactors(np.repeat(np.eye(2, dtype=np.float32), 5, axis=0), 0.1, 2.0)
"""Ten products: p0 to p4 belong together, and so do p5 to p9."""


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with redis_server(tmp_path / "redis") as redis:
        store_of(redis.url).publish(replace(version(1), factors=TASTES), keep=3)
        with serve(tmp_path, REPRISE_REDIS_URL=redis.url) as served:
            served.wait_until_ready()
            environment = {**os.environ, "REPRISE_REDIS_URL": redis.url, "REPRISE_HOME": str(tmp_path / "home")}
            command = [sys.executable, "-m", "recommender.cli", "worker"]
            with subprocess.Popen(command, env=environment, cwd=tmp_path, stdout=subprocess.DEVNULL) as worker:
                yield served
                worker.terminate()


def discovered(served: Served) -> set[str]:
    items = served.ask("/v1/customers/newcomer/recommendations?mix=discover&limit=4").json["items"]
    return {item["product_id"] for item in items if item["kind"] == "discover"}


def test_a_first_basket_leads_to_products_of_its_taste(served):
    assert discovered(served) == set()
    event = {
        "event_id": "1",
        "event_type": "purchase",
        "customer_id": "newcomer",
        "product_id": "p6",
        "occurred_at": datetime.now(UTC).isoformat(),
    }
    answer = served.ask("/v1/events", "POST", {"events": [event]})
    assert (answer.status, answer.json["accepted"]) == (202, 1)
    wait_until(
        lambda: discovered(served) == {"p5", "p8", "p9"}, "the newcomer has a list"
    )  # p7 leads as what goes with p6
