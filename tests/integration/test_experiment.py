"""`reprise experiment` and `reprise power` as people and programs call them."""

import json
from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner, Result

from recommender.cli.main import exit_code
from recommender.errors import RepriseError, TooLittleDataError
from tests.support.event_files import archive, event
from tests.support.purchase_files import AS_OF
from training.commands.analytics import experiment, power

START, END = AS_OF - timedelta(days=60), AS_OF
WHEN = ("--start", START.isoformat(), "--end", END.isoformat())


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """2,000 customers with a past; half of them are treated and order half as much again."""
    folder, rng = tmp_path_factory.mktemp("experiment"), np.random.default_rng(0)
    ids = np.array([f"{number:05}" for number in range(2_000)])
    treated = rng.random(2_000) < 0.5
    rates = rng.gamma(2.0, 0.5, 2_000)
    rows = [
        (ids[i], f"P{i % 9}", START + timedelta(days=float(days)))
        for lift, first, last in ((1.0, -90, 0), (1.0 + 0.5 * treated, 0, 60))
        for i in np.repeat(np.arange(2_000), rng.poisson(rates * lift * (last - first) / 60))
        for days in [rng.uniform(first, last)]
    ]
    purchases = pl.DataFrame(rows, ["customer_id", "product_id", "ordered_at"], orient="row")
    purchases.with_columns(unit_price=2.5).write_csv(folder / "purchases.csv")
    variants = np.where(treated, "six", "control")
    pl.DataFrame({"customer_id": ids, "variant": variants}).write_parquet(folder / "assigned.parquet")
    clicks = purchases.filter(pl.col("ordered_at") >= START).head(300).rename({"ordered_at": "occurred_at"})
    clicks = clicks.with_columns(event_type=pl.lit("click"), occurred_at=pl.col("occurred_at") - timedelta(hours=1))
    clicks.write_csv(folder / "events.csv")
    return folder


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REPRISE_HOME", str(tmp_path / "home"))


def run(*arguments: object) -> Result:
    return CliRunner().invoke(experiment.command, [str(argument) for argument in arguments])


def test_a_planted_lift_is_reported(shop: Path) -> None:
    files = ("--assignments", shop / "assigned.parquet", "--events", shop / "events.csv")
    done = run(shop / "purchases.csv", *files, *WHEN, "--json")
    assert done.exit_code == 0, done.exception
    document = json.loads(done.stdout)
    orders = document["figures"]["orders_per_customer"]["cuped"]["six"]
    assert orders["lift_low"] < 0.5 < orders["lift_high"]
    assert orders["always_low"] > 0
    assert not document["sample_ratio"]["mismatch"]
    attributed = document["attribution"]["variants"]["six"]
    assert attributed["recommended"] == attributed["clicked"] >= attributed["bought"] > 50
    assert attributed["caused_revenue_per_customer"]["difference"] > attributed["revenue_per_customer"]


def test_the_same_call_gives_the_same_bytes(shop: Path) -> None:
    call = (shop / "purchases.csv", "--assignments", shop / "assigned.parquet", *WHEN, "--json")
    assert run(*call).stdout == run(*call).stdout


def test_hashed_ids_of_all_three_files_meet(shop: Path) -> None:
    """Assignments and events hold ids as the purchases do; what is reported is the same as without digests."""
    files = ("--assignments", shop / "assigned.parquet", "--events", shop / "events.csv")
    plain, hashed = (
        json.loads(run(shop / "purchases.csv", *files, *WHEN, "--json", *more).stdout)
        for more in ((), ("--hash-customers",))
    )
    orders = [document["figures"]["orders_per_customer"]["values"]["six"] for document in (plain, hashed)]
    assert orders[1] == pytest.approx(orders[0])
    for variant in ("control", "six"):
        counts = [document["attribution"]["variants"][variant] for document in (plain, hashed)]
        assert counts[0]["bought"] > 0
        assert [counts[1][name] == counts[0][name] for name in ("recommended", "clicked", "bought", "orders")] == [
            True
        ] * 4


def test_assigned_by_hash_nothing_was_changed(shop: Path) -> None:
    variants = ("--variant", "six=2", "--variant", "twelve=1", "--holdout", "25%")
    done = run(shop / "purchases.csv", "--experiment", "home", *variants, *WHEN, "--json")
    assert done.exit_code == 0, done.exception
    document = json.loads(done.stdout)
    assert document["control"] == "holdout"
    assert document["sample_ratio"]["expected"]["six"] == 2 * document["sample_ratio"]["expected"]["twelve"]
    assert not document["sample_ratio"]["mismatch"]
    assert document["figures"]["orders_per_customer"]["cuped"]["six"]["p_holm"] > 0.05


def test_tables_for_people(shop: Path) -> None:
    files = ("--assignments", shop / "assigned.parquet", "--events", shop / "events.csv")
    done = run(shop / "purchases.csv", *files, *WHEN, "--variant", "control=9", "--variant", "six=1")
    assert done.exit_code == 0, done.exception
    for words in (
        "WARNING: sample-ratio mismatch",
        "with CUPED",
        "always valid",
        "revenue per order",
        "caused revenue",
    ):
        assert words in done.stdout
    assert "nan" not in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((), 2, "either --assignments FILE or --experiment NAME"),
        (("--ledger", "ledger"), 3, "ledger does not exist"),
        (("--ledger", "ledger", "--assignments", "a.csv", "--experiment", "b"), 2, "either --assignments FILE or"),
        (("--experiment", "home", "--variant", "six"), 2, "nothing to be compared with"),
        (("--experiment", "home"), 2, "variants"),
        (("--experiment", "home", "--variant", "six=many"), 2, "variants.six"),
        (("--experiment", "home", "--variant", "six=1", "--variant", "six=2"), 2, "'six' is named twice"),
        (("--experiment", "home", "--variant", "six", "--holdout", "lots"), 2, "'lots' is not a share such as 5%"),
        (("--experiment", "home", "--variant", "six", "--holdout", "5%", "--lift", "0%"), 2, "is not above 0"),
        (("--experiment", "home", "--variant", "a=1", "--variant", "b=1"), 2, "--control: a, b"),
        (("--assignments", "nowhere.csv"), 3, "nowhere.csv cannot be read"),
    ],
)
def test_what_is_wrong_is_said(shop: Path, arguments: tuple[str, ...], code: int, said: str) -> None:
    done = run(shop / "purchases.csv", *arguments, *WHEN)
    error = done.exception
    assert (exit_code(error) if isinstance(error, RepriseError) else done.exit_code) == code
    assert said in (str(error) if isinstance(error, RepriseError) else done.output)


def test_a_ledger_without_a_name_and_a_ledger_without_exposures(tmp_path: Path) -> None:
    ledger = archive(tmp_path / "ledger", event("one")).folder.parent
    assert "name the experiment" in run("--ledger", ledger).output
    done = run("cap-6", "--ledger", ledger)
    assert isinstance(done.exception, TooLittleDataError)
    assert str(done.exception) == "nobody was exposed to experiment 'cap-6'; exposures are of: none"


def test_exposures_of_the_ledger_with_purchases_of_files(shop: Path, tmp_path: Path) -> None:
    """The settings do not know the experiment: its variants are expected to be alike, from the first exposure on."""
    assigned = pl.read_parquet(shop / "assigned.parquet").sort("customer_id").head(1_000)
    fields = {"event_type": "exposure", "product_id": None, "experiment": "six", "occurred_at": START}
    exposures = [event(f"e{who}", who, variant=variant, **fields) for who, variant in assigned.iter_rows()]
    ledger = archive(tmp_path / "ledger", *exposures).folder.parent
    done = run("six", shop / "purchases.csv", "--ledger", ledger, "--end", END.isoformat(), "--json")
    assert done.exit_code == 0, done.exception
    document = json.loads(done.stdout)
    assert document["start"] == START.isoformat()
    assert sum(document["sample_ratio"]["observed"].values()) == 1_000
    assert set(document["sample_ratio"]["expected"].values()) == {500.0}
    orders = document["figures"]["orders_per_customer"]["cuped"]["six"]
    assert orders["lift_low"] < 0.5 < orders["lift_high"]


def test_power() -> None:
    done = CliRunner().invoke(power.command, ["--baseline", "0.2", "--lift", "25%"])
    assert done.output == "1,091 customers per variant find a lift of 25.0% 80% of the time\n"
    done = CliRunner().invoke(power.command, ["--baseline", "1", "--sd", "1", "--lift", "0.1", "--json"])
    assert json.loads(done.output)["customers_per_variant"] == 1_735
