"""`reprise restraint`, and its part of `reprise report`, as people and programs call them."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from recommender.errors import UnreadableFileError
from recommender.events.event import Event
from tests.benchmarks.restraint_simulations import make_logs
from tests.support.event_files import archive
from training.analytics.restraint.restraint import NO_DATA
from training.commands.analytics import restraint

Run = Callable[..., Result]
NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Events and purchases of 6,000 customers in a trial of 3, 5, 8 and 12 products, of which 5 are best."""
    folder = tmp_path_factory.mktemp("restraint")
    shown, purchases = make_logs(1_500, np.random.default_rng([7, 3]))
    shown.write_parquet(folder / "events.parquet")
    shown.write_csv(folder / "events.csv")
    purchases.write_parquet(folder / "purchases.parquet")
    return folder


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REPRISE_HOME", str(tmp_path / "home"))
    return lambda *arguments: CliRunner().invoke(restraint.command, [str(argument) for argument in arguments])


def test_files_as_json(run: Run, logs: Path) -> None:
    call = (logs / "purchases.parquet", "--placement", "home", "--json", "--events")
    done = run(*call, logs / "events.parquet")
    assert done.exit_code == 0, done.exception
    (found,) = json.loads(done.stdout)["placements"]
    assert [arm["length"] for arm in found["trials"][0]["arms"]] == [3, 5, 8, 12]
    assert [(step["first"], step["last"]) for step in found["trials"][0]["steps"]] == [(4, 5), (6, 8), (9, 12)]
    assert [value["position"] for value in found["positions"]] == list(range(1, 13))
    assert found["causal"]
    assert run(*call, logs / "events.csv").stdout == done.stdout


def test_tables_for_people(run: Run, logs: Path) -> None:
    done = run(logs / "purchases.parquet", "--events", logs / "events.parquet")
    assert done.exit_code == 0, done.exception
    for words in ("caused within 14 days, by 'caps'", "not causal, an upper bound", "came back", "home: cap "):
        assert words in done.stdout
    assert "nan" not in done.stdout


def test_a_floor_that_no_position_reaches(run: Run, logs: Path) -> None:
    files = (logs / "purchases.parquet", "--events", logs / "events.parquet")
    done = run(*files, "--minimum", "0.5", "--json")
    assert json.loads(done.stdout)["placements"][0]["cap"] == 3


def test_no_impressions_say_so(run: Run, tmp_path: Path) -> None:
    at = NOW - timedelta(days=3)
    archive(
        tmp_path / "ledger", Event(event_id="p", event_type="purchase", customer_id="A", product_id="P", occurred_at=at)
    )
    done = run("--ledger", tmp_path / "ledger")
    assert done.exit_code == 0, done.exception
    assert done.stdout == f"{NO_DATA}\n"
    assert json.loads(run("--ledger", tmp_path / "ledger", "--json").stdout)["placements"] == []


def test_the_ledger_alone(run: Run, tmp_path: Path) -> None:
    """Of twenty customers, those who saw MILK first bought it within two days, the others bought nothing."""
    archive(tmp_path / "ledger", *small_events())
    done = run("--ledger", tmp_path / "ledger", "--within-days", "2", "--json")
    assert done.exit_code == 0, done.exception
    (found,) = json.loads(done.stdout)["placements"]
    assert [(one["position"], one["pairs"], one["bought"]) for one in found["positions"]] == [(1, 20, 0.5)]
    assert (found["cap"], found["causal"]) == (1, False)


@pytest.mark.parametrize("arguments", [(), ("purchases.csv",)])
def test_without_events_it_says_what_to_name(run: Run, arguments: tuple[str, ...]) -> None:
    done = run(*arguments)
    assert done.exit_code == 2
    assert "--ledger" in done.output


def test_a_ledger_that_is_not_there(run: Run) -> None:
    assert isinstance(run("--ledger", "nowhere").exception, UnreadableFileError)


def small_events() -> list[Event]:
    start, events = NOW - timedelta(days=9), []
    for number in range(20):
        product, who = "MILK" if number % 2 else "TEA", f"C{number:02}"
        known = {"customer_id": who, "product_id": product, "placement": "home", "recommendation_id": who}
        shown = {"event_id": f"{who}:1", "event_type": "impression", "occurred_at": start, "rank": 1}
        events.append(Event(**shown, **known))
        if product == "MILK":
            at = start + timedelta(days=1)
            bought = {"event_id": f"{who}-order", "event_type": "purchase", "occurred_at": at}
            events.append(Event(**bought, customer_id=who, product_id=product))
    late = {"event_id": "late", "event_type": "purchase", "occurred_at": start + timedelta(days=8)}
    return [*events, Event(**late, customer_id="LATER", product_id="SOAP")]
