"""Events through the API into the archive: `python tests/benchmarks/events.py --json`.

For each number of API workers and each way in which Redis syncs its file, client processes send as fast as they are
answered, and then a steady trickle, while one `reprise worker` archives. Told are accepted events per second and how
long after its 202 an event was in the archive, synced and renamed.
"""

import argparse
import http.client
import itertools
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from recommender.redis.shops import RedisShopStorage
from tests.support.redis_servers import free_port, redis_server, wait_until
from training.events.archive import Archive

Sent = list[tuple[str, float]]
"""Batch name and the wall-clock time of its 202."""


def body(batch: str, size: int) -> str:
    """A request of `size` purchases and views whose ids begin with the batch's name."""
    now = datetime.now(UTC).isoformat()
    events = [
        {
            "event_id": f"{batch}/{number}",
            "event_type": "purchase" if number % 3 else "view",
            "customer_id": f"customer-{hash((batch, number)) % 20_000}",
            "product_id": f"product-{number % 5_000}",
            "occurred_at": now,
            "unit_price": 12.9,
        }
        for number in range(size)
    ]
    return json.dumps({"events": events})


def send(address: tuple[str, int], batches: list[tuple[str, str]], pause_s: float) -> Sent:
    """Send prepared bodies one after the other on one connection."""
    connection, sent = http.client.HTTPConnection(*address, timeout=60), []
    for name, text in batches:
        connection.request("POST", "/v1/events", text, {"Content-Type": "application/json"})
        response = connection.getresponse()
        answer = json.loads(response.read())
        assert response.status == 202, answer
        sent.append((name, time.time()))
        time.sleep(pause_s)
    return sent


def send_all(address: tuple[str, int], n_clients: int, n_batches: int, size: int, pause_s: float) -> tuple[Sent, float]:
    """What all clients sent, and the seconds from the first request to the last answer."""
    run = time.monotonic_ns()
    with multiprocessing.get_context("spawn").Pool(n_clients) as pool:
        prepared = [[(name, body(name, size)) for name in names(run, client, n_batches)] for client in range(n_clients)]
        pool.map(abs, range(n_clients))  # every process is there
        began = time.perf_counter()
        sent = pool.starmap(send, [(address, batches, pause_s) for batches in prepared], chunksize=1)
        return list(itertools.chain(*sent)), time.perf_counter() - began


def names(run: int, client: int, n_batches: int) -> Iterator[str]:
    """A name for each batch, of no other run or client."""
    return (f"{run}-{client}-{number}" for number in range(n_batches))


@contextmanager
def process(folder: Path, url: str, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """`reprise` in the background."""
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "REPRISE_HOME": str(folder / "home")}
    environment |= {"REPRISE_REDIS_URL": url, "REPRISE_LOG_LEVEL": "error", "REPRISE_SECRET_RATE_PER_S": "1e6"}
    command = [sys.executable, "-m", "recommender.cli", *arguments]
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        try:
            yield running
        finally:
            running.terminate()


def lags(folder: Path, sent: Sent) -> dict[str, float]:
    """Quantiles of the seconds from the 202 to the archive; 0 where the event was archived before its 202 was read."""
    accepted = pl.DataFrame(sent, schema={"batch": pl.String, "accepted": pl.Float64}, orient="row")
    archived = pl.concat(
        pl.read_parquet(file, columns=["event_id"]).with_columns(archived=pl.lit(file.stat().st_ctime))
        for file in Archive(folder / "home" / "ledger", "default").files()
    )
    batches = archived.with_columns(batch=pl.col("event_id").str.split("/").list.first())
    both = batches.join(accepted, on="batch")
    seconds = np.maximum((both["archived"] - both["accepted"]).to_numpy(), 0.0)
    return {"p50_s": round(float(np.quantile(seconds, 0.5)), 3), "p99_s": round(float(np.quantile(seconds, 0.99)), 3)}


def measure(appendfsync: str, n_workers: int, arguments: argparse.Namespace) -> dict[str, Any]:
    """One row of the table."""
    with (
        tempfile.TemporaryDirectory() as temporary,
        redis_server(Path(temporary, "r"), appendfsync=appendfsync) as server,
    ):
        folder, port = Path(temporary), free_port()
        address, queue = ("127.0.0.1", port), RedisShopStorage(server.url, 5_000).event_log("default").queue
        with (
            process(folder, server.unix_url, "serve", "--port", str(port), "--workers", str(n_workers)),
            process(folder, server.unix_url, "worker"),
        ):
            wait_until(lambda: is_live(address), "the API answers", 30)
            send_all(address, arguments.clients, 2, arguments.batch, 0.0)
            sent, seconds = send_all(address, arguments.clients, arguments.batches, arguments.batch, 0.0)
            waiting = queue.backlog().waiting
            wait_until(lambda: not queue.backlog().waiting, "all is archived", 120)
            trickle, _ = send_all(address, 2, 50, 10, 0.1)
            wait_until(lambda: not queue.backlog().waiting, "all is archived", 120)
        n_events = len(sent) * arguments.batch
        return {
            "appendfsync": appendfsync,
            "api_workers": n_workers,
            "events": n_events,
            "events_per_s": round(n_events / seconds),
            "waiting_at_the_end": waiting,
            "lag_at_full_speed": lags(folder, sent),
            "lag_of_a_trickle": lags(folder, trickle),
        }


def is_live(address: tuple[str, int]) -> bool:
    """Whether the API answers."""
    try:
        connection = http.client.HTTPConnection(*address, timeout=5)
        connection.request("GET", "/health/live")
        return connection.getresponse().status == 200
    except OSError:
        return False


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=4, help="processes that send")
    parser.add_argument("--batches", type=int, default=100, help="requests of each client")
    parser.add_argument("--batch", type=int, default=250, help="events in a request")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, os.cpu_count() or 1], help="API processes")
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    rows = [measure(sync, n, arguments) for sync in ("everysec", "always") for n in arguments.workers]
    if arguments.json:
        print(json.dumps(rows, indent=2))
        return
    for row in rows:
        print(
            f"appendfsync {row['appendfsync']}, {row['api_workers']} API worker(s): {row['events_per_s']:,} events/s; "
            f"to the archive at full speed {row['lag_at_full_speed']}, of a trickle {row['lag_of_a_trickle']}"
        )


if __name__ == "__main__":
    main()
