"""A busy shop's days counted anew: `python -m tests.benchmarks.results [--events 1000000] [--days 8] [--json]`.

Writes an archive with so many events a day, of every type that is counted, runs `reprise results --rebuild` on it in a
process of its own with a fresh Redis, and prints its processor seconds and the largest memory that it took.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from tests.support.redis_servers import redis_server
from training.events.archive import EVENTS

TYPES = {"impression": 0.86, "click": 0.07, "add_to_cart": 0.03, "purchase": 0.03, "mail_sent": 0.01}
SLOTS, PRODUCTS, CUSTOMERS, FILES = 8, 20_000, 200_000, 50
"""Products in an answer, of the shop, its customers, and the files of a day."""


def make_day(day: date, n: int, random: np.random.Generator) -> pl.DataFrame:
    """So many events of one day, schema EVENTS; an answer has SLOTS products, and its purchases name it."""
    answer = random.integers(0, max(1, n // SLOTS), n)
    slot = random.integers(1, SLOTS + 1, n)
    at = np.datetime64(day, "us") + np.sort(random.integers(0, 86_400_000_000, n)).astype("timedelta64[us]")
    kinds = random.choice(list(TYPES), n, p=list(TYPES.values()))
    frame = pl.DataFrame({
        "event_id": pl.Series([f"{day}-{i}" for i in range(n)]),
        "event_type": kinds,
        "customer_id": pl.Series((answer * 7919) % CUSTOMERS).cast(pl.String),
        "product_id": pl.Series((answer * 31 + slot * 977) % PRODUCTS).cast(pl.String),
        "occurred_at": pl.Series(at).dt.replace_time_zone("UTC"),
        "quantity": 1.0,
        "unit_price": 9.9,
        "currency": "EUR",
        "order_id": pl.Series(answer).cast(pl.String),
        "placement": pl.Series(np.array(["home", "cart", "product", "email"])[answer % 4]),
        "recommendation_id": pl.Series([f"rec-{day}-{one}" for one in answer]),
        "rank": pl.Series(slot).cast(pl.Int32),
        "kind": pl.Series(np.array(["buy_again", "discover", "popular"])[slot % 3]),
        "reason": pl.Series(np.array(["DUE_SOON", "CHOSEN_FOR_YOU", "BEST_SELLER"])[slot % 3]),
    }).with_columns(
        campaign_id=pl.when(pl.col("event_type") == "mail_sent").then(pl.lit(f"mails-of-{day}")),
        accepted_at=pl.col("occurred_at").dt.cast_time_unit("ms"),
    )  # fmt: skip
    missing = [pl.lit(None, kind).alias(name) for name, kind in EVENTS.items() if name not in frame.columns]
    return frame.with_columns(missing).select(list(EVENTS)).cast(dict(EVENTS))


def write_archive(folder: Path, n: int, days: int) -> None:
    """The archive of the days until yesterday, in FILES files each, as workers leave it."""
    random, today = np.random.default_rng(0), datetime.now(UTC).date()
    for ago in range(days, 0, -1):
        day = today - timedelta(days=ago)
        made, into = make_day(day, n, random), folder / "shop=default" / f"day={day}"
        into.mkdir(parents=True)
        for number, part in enumerate(made.iter_slices(-(-n // FILES))):
            part.write_parquet(into / f"{number:03}-0_{number:03}-1_{number:016x}.parquet")


def main() -> None:
    """Make, count, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--days", type=int, default=8)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, redis_server(Path(folder) / "redis") as redis:
        write_archive(Path(folder) / "home/ledger", asked.events, asked.days)
        environment = {**os.environ, "REPRISE_HOME": f"{folder}/home", "REPRISE_REDIS_URL": redis.url}
        command = [sys.executable, "-m", "recommender.cli", "results", "--rebuild", "--json"]
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    told = {
        **json.loads(done.stdout),
        "events_a_day": asked.events,
        "cpu_s": round(used.ru_utime + used.ru_stime, 1),
        "peak_mib": used.ru_maxrss // 1024,
    }
    print(json.dumps(told) if asked.json else "  ".join(f"{name} {value}" for name, value in told.items()))


if __name__ == "__main__":
    main()
