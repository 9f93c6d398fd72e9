"""The loop closes without any hand-made file: answers, the worker's archive, purchases as events, and the report."""

import json
import signal
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from api import create_app
from recommender.experiments.experiment import HOLDOUT, Experiment, assign
from recommender.redis.open import open_storage
from recommender.settings import Settings
from tests.support.commands import Reprise
from tests.support.redis_servers import redis_server, wait_until
from tests.support.served import WORKERS, Served, serve, store_of, version
from tests.support.small_shop import publication

CUSTOMERS = [f"C{number:03}" for number in range(400)]
START = datetime.now(UTC).replace(microsecond=0) - timedelta(days=20)
TRIED = Experiment(
    name="cap-1", variants={"control": 1, "one": 1}, holdout=0.2, treatments={"one": {"cap": 1}}, placements=["home"]
)
TOML = """
[[experiments]]
name = "cap-1"
variants = {control = 1, one = 1}
holdout = 0.2
treatments = {one = {cap = 1}}
placements = ["home"]
"""


def buys(customer_id: str) -> bool:
    """Half of the control, everybody who was shown one product, nobody else."""
    variant, number = assign(TRIED, customer_id), int(customer_id[1:])
    return variant == "one" or (variant == "control" and number % 2 == 0)


@pytest.mark.slow
def test_what_the_service_answered_is_reported(tmp_path: Path, home: Path, reprise: Reprise) -> None:
    (tmp_path / "reprise.toml").write_text(TOML)
    now = START
    with redis_server(tmp_path / "redis") as server:
        settings = Settings(redis_url=server.url, experiments=(TRIED,), log_impressions=True)
        with open_storage(settings) as storage:
            storage.store("default").publish(publication(), keep=3)
            app = create_app(settings, storage, lambda: now)
            client, own = app.test_client(), app.extensions["reprise"]
            answers = [client.get(f"/v1/customers/{one}/recommendations").json for one in CUSTOMERS]
            client.get(f"/v1/customers/{CUSTOMERS[0]}/recommendations")
            own.exposures.flush()
            own.impressions.flush()
            now = START + timedelta(days=10)
            events = [purchase(one, START + timedelta(days=3)) for one in CUSTOMERS if buys(one)]
            events.append(purchase("LATER", START + timedelta(days=9)))
            assert client.post("/v1/events", json={"events": events}).json["accepted"] == len(events)
        environment = {"REPRISE_REDIS_URL": server.url}
        worked = reprise("worker", "--once", "--json", **environment)
        assert worked.returncode == 0, worked.stderr
        done = reprise("experiment", "cap-1", "--ledger", home / "ledger", "--json", **environment)
        assert done.returncode == 0, done.stderr
        with open_storage(settings) as storage:
            (look,) = storage.looks("default")
    assert (look.experiment, look.control, [one.variant for one in look.variants[1:]]) == (
        "cap-1",
        HOLDOUT,
        ["control", "one"],
    )
    report = json.loads(done.stdout)

    assigned = {one: assign(TRIED, one) for one in CUSTOMERS}
    assert [answer["experiments"][0]["variant"] for answer in answers] == list(assigned.values())
    observed = {name: list(assigned.values()).count(name) for name in (HOLDOUT, "control", "one")}
    assert report["sample_ratio"]["observed"] == observed
    assert report["sample_ratio"]["expected"] == {HOLDOUT: 80.0, "control": 160.0, "one": 160.0}
    assert not report["sample_ratio"]["mismatch"]
    assert not any(report["left_out"].values())
    assert report["start"] == START.isoformat()
    orders = report["figures"]["orders_per_customer"]
    assert orders["plain"]["one"]["difference"] == 1.0
    assert report["attribution"]["variants"][HOLDOUT]["recommended"] == 0
    assert report["attribution"]["variants"]["one"]["recommended"] == observed["one"]
    assert report["attribution"]["variants"]["control"]["recommended"] > observed["control"]

    done = reprise("restraint", "--ledger", home / "ledger", "--within-days", "7", "--json")
    assert done.returncode == 0, done.stderr
    (learned,) = json.loads(done.stdout)["placements"]
    (trial,) = learned["trials"]
    arms = {arm["variant"]: (arm["length"], arm["customers"], arm["purchases"]) for arm in trial["arms"]}
    assert arms[HOLDOUT] == (0, observed[HOLDOUT], 0.0)
    assert arms["one"] == (1, observed["one"], 1.0)
    assert (learned["placement"], learned["cap"], learned["causal"]) == ("home", 1, True)

    unknown = reprise("experiment", "cap-2", "--ledger", home / "ledger")
    assert unknown.returncode == 3
    assert "nobody was exposed to experiment 'cap-2'; exposures are of: cap-1" in unknown.stderr


@pytest.mark.slow
def test_sighup_begins_an_experiment_and_its_exposures_come_once(tmp_path: Path) -> None:
    with redis_server(tmp_path / "redis") as server:
        store_of(server.url).publish(version(1), keep=3)
        with serve(tmp_path, REPRISE_REDIS_URL=server.url) as served:
            served.wait_until_ready()
            paths = [f"/v1/customers/{one}/recommendations" for one in CUSTOMERS[:50]]
            assert all(served.ask(path).json["experiments"] == [] for path in paths)
            before = set(served.workers())
            (served.folder / "reprise.toml").write_text(TOML)
            served.process.send_signal(signal.SIGHUP)
            wait_until(lambda: are_new(served, before), "all workers are new")
            variants = [served.ask(path).json["experiments"][0]["variant"] for path in paths for _ in range(4)]
            assert variants == [assign(TRIED, one) for one in CUSTOMERS[:50] for _ in range(4)]
            with open_storage(Settings(redis_url=server.url)) as storage:
                queue = storage.event_log("default").queue
                wait_until(lambda: queue.backlog().waiting >= 50, "the exposures are kept")
                served.process.send_signal(signal.SIGTERM)
                assert served.process.wait() == 0  # what the workers still had is written by then
                assert queue.backlog().waiting == 50


def are_new(served: Served, before: set[int]) -> bool:
    with suppress(FileNotFoundError):  # a process ended while it was looked at
        return before.isdisjoint(served.workers()) and len(served.workers()) == WORKERS
    return False


def purchase(customer_id: str, at: datetime) -> dict[str, object]:
    known = {"event_type": "purchase", "product_id": "MILK", "unit_price": 1.2}
    return {"event_id": f"order-{customer_id}", "customer_id": customer_id, "occurred_at": at.isoformat(), **known}
