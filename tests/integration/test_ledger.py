"""The loop closes: what happened since is trained on with the files, each purchase once, and odd input is refused."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from recommender.data_dir import DataDirectory, training_lock
from recommender.events.event import Event
from recommender.person import digest_of_person
from recommender.redis.event_log import RedisEventLog
from tests.support.commands import Reprise
from training.artifacts import load
from training.demo.shop import ShopFiles
from training.events.archive import Archive, Archived


@pytest.fixture(scope="module")
def purchases(shop_files: ShopFiles) -> pl.DataFrame:
    """The made-up shop's purchases; read as text."""
    return pl.read_csv(shop_files.purchases, infer_schema=False)


def to_events(purchases: pl.DataFrame, **fields) -> list[Event]:
    return [
        Event(
            event_id=f"{row['order_id']}/{number}",
            event_type="purchase",
            customer_id=row["customer_id"],
            product_id=row["product_id"],
            order_id=row["order_id"],
            occurred_at=datetime.fromisoformat(row["ordered_at"]).replace(tzinfo=UTC),
            quantity=float(row["quantity"]),
            **fields,
        )
        for number, row in enumerate(purchases.iter_rows(named=True))
        if row["status"] == "completed"
    ]


def keep(home: Path, events: list[Event]) -> Path:
    batch = [Archived(f"{number + 1}-0", one.occurred_at, one) for number, one in enumerate(events)]
    Archive(home / "ledger", "default").write(batch)
    return home / "ledger"


def manifest_of(done) -> dict:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.slow
def test_files_and_archive_together_give_what_the_whole_file_gives(reprise: Reprise, home, tmp_path, purchases):
    good = purchases.filter(pl.col("status") == "completed")
    whole, early = tmp_path / "whole.csv", tmp_path / "early.csv"
    good.write_csv(whole)
    good.filter(pl.col("ordered_at") < "2026-11-01").write_csv(early)
    late = good.filter(pl.col("ordered_at") >= "2026-10-25")  # the last days of the file stand in the archive, too
    ledger = keep(home, to_events(late))
    arguments = ("--no-publish", "--json")
    expected = manifest_of(reprise("train", whole, *arguments))
    found = manifest_of(reprise("train", early, "--ledger", ledger, *arguments))
    assert found["counts"] == expected["counts"]
    assert found["as_of"] == expected["as_of"]
    assert found["sources"][-1] == str(ledger)
    assert found["metrics"]["input"]["purchases_per_day"] > 0


@pytest.mark.slow
def test_the_archive_alone_is_enough(reprise: Reprise, home, purchases):
    events = to_events(purchases.head(1_500), currency="EUR")
    found = manifest_of(reprise("train", "--ledger", keep(home, events), "--no-publish", "--json"))
    assert found["counts"]["purchases"] > 1_000
    assert found["metrics"]["input"]["currencies"] == ["EUR"]


def test_neither_file_nor_ledger_is_a_question_of_usage(reprise: Reprise):
    done = reprise("train")
    assert done.returncode == 2
    assert "--ledger" in done.stderr


def test_a_ledger_that_is_not_there_is_bad_data(reprise: Reprise):
    done = reprise("train", "--ledger", "nowhere")
    assert done.returncode == 3
    assert "nowhere does not exist" in done.stderr


def test_a_second_training_does_not_start(reprise: Reprise, home, shop_files):
    with training_lock(DataDirectory(home)):
        done = reprise("train", shop_files.purchases, "--no-publish")
    assert done.returncode == 1
    assert "a training is at work" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_the_erased_are_not_trained_on(reprise: Reprise, home, purchases, tmp_path, redis_shop):
    file = tmp_path / "purchases.csv"
    purchases.head(1_500).write_csv(file)
    (gone,) = purchases.head(1_500)["customer_id"].value_counts(sort=True).head(1)["customer_id"]
    RedisEventLog(redis_shop.shop, redis_shop.client).erase(gone, datetime.now(UTC))
    environment = {"REPRISE_REDIS_URL": redis_shop.url, "REPRISE_SHOP": redis_shop.shop}
    found = manifest_of(reprise("train", file, "--no-publish", "--json", **environment))
    owners = load(found["version"], DataDirectory(home)).tables["buy_again"].owner_ids
    assert len(owners) > 100
    assert not {digest_of_person(owner, None) for owner in owners} & {digest_of_person(gone, None)}


@pytest.mark.slow
def test_odd_input_is_refused_unless_it_is_forced(reprise: Reprise, home, purchases, tmp_path):
    usual, odd = tmp_path / "usual.csv", tmp_path / "odd.csv"
    purchases.filter(pl.col("ordered_at") < "2026-10-20").write_csv(usual)
    fewer = pl.col("ordered_at").str.slice(0, 10).is_in(["2026-11-10", "2026-11-12"])
    broken_off = (pl.col("ordered_at") >= "2026-11-01") & ~fewer
    purchases.filter(~broken_off | (pl.col("ordered_at") > "2026-11-19")).write_csv(odd)
    first = manifest_of(reprise("train", usual, "--json"))["version"]
    done = reprise("train", odd)
    assert done.returncode == 4
    assert "purchases a day in the last 14 days" in done.stderr
    assert "no purchase on 2026-11-11" in done.stderr
    assert json.loads(reprise("models", "--json").stdout)["current"] == first
    forced = manifest_of(reprise("train", odd, "--force", "--json"))
    assert forced["gate"]["verdict"] == "forced"
    assert json.loads(reprise("models", "--json").stdout)["current"] == forced["version"]


@pytest.mark.slow
def test_events_from_the_api_to_the_next_training(reprise: Reprise, home, redis_shop, purchases):
    log = RedisEventLog(redis_shop.shop, redis_shop.client)
    now = datetime.now(UTC)
    events = to_events(purchases.head(1_200))
    for first in range(0, len(events), 500):
        log.accept(events[first : first + 500], now, 10_000)
    log.accept([events[0]], now, 10_000)
    log.accept([Event(**{**dict(events[1]), "event_id": "r", "event_type": "refund"})], now + timedelta(0), 10_000)
    environment = {"REPRISE_REDIS_URL": redis_shop.url, "REPRISE_SHOP": redis_shop.shop}
    assert reprise("worker", "--once", **environment).returncode == 0
    found = manifest_of(reprise("train", "--ledger", home / "ledger", "--no-publish", "--json", **environment))
    pairs = {(one.customer_id, one.product_id, one.order_id) for one in events} - {
        (events[1].customer_id, events[1].product_id, events[1].order_id)
    }
    assert found["counts"]["purchases"] == len(pairs)
