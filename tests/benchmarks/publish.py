"""Publishing beside a bare pipelined SET of the same bytes: `python tests/benchmarks/publish.py --json`.

Both write the same lists of 50 products to the same fresh embedded server, best of `--rounds`. Budgets: publishing
(with its products, its count and its swap) reaches half of the lists per second of the bare SET, and a customer's
list takes at most 400 bytes of Redis memory. Where `redis-benchmark` is on PATH, it is the reference.
"""

import argparse
import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import numpy as np

from recommender.connection.client import RedisClient
from recommender.connection.embedded import embedded_server
from recommender.data_dir import DataDirectory
from recommender.publication.lists import LIST_NAMES, RANKED, ListKey, ListTable
from recommender.publication.manifest import Manifest, Publication
from recommender.publication.product import Product
from recommender.redis.publish import estimated_bytes
from recommender.redis.shops import RedisShopStorage
from recommender.storage.versions import ListQuery

LIST_LENGTH = 50
N_PRODUCTS = 5_000
PIPELINE = 1_000
N_READS = 2_000


def make_publication(n_customers: int) -> Publication:
    """One `discover` list per customer, of random products and scores (seed 0)."""
    random = np.random.default_rng(0)
    records = np.zeros(n_customers * LIST_LENGTH, RANKED)
    records["product_index"] = random.integers(0, N_PRODUCTS, len(records))
    records["score"] = random.random(len(records))
    starts = np.arange(n_customers + 1, dtype=np.int64) * LIST_LENGTH
    customers = [f"customer-{i:08}" for i in range(n_customers)]
    table = ListTable(customers, starts, records, np.zeros(n_customers, np.uint8))
    lists = dict.fromkeys(LIST_NAMES, 0) | {"discover": n_customers}
    manifest = Manifest("v1", "2026-11-20T02:00:00+00:00", "2026-11-20T02:00:00+00:00", {}, lists)
    products = [Product(f"product-{i}", title=f"Product number {i}", price="12.90") for i in range(N_PRODUCTS)]
    return Publication(manifest, products, {"discover": table})


def publish(url: str, publication: Publication) -> None:
    """What is measured."""
    store = RedisShopStorage(url, timeout_ms=5_000).store("bench")
    store.publish(publication, keep=1)
    store.close()


def set_bare(url: str, publication: Publication) -> None:
    """What it is compared with: each list a key, `PIPELINE` SETs in a pipeline."""
    client = RedisClient(url, connect_timeout_s=5, timeout_s=30)
    table = publication.tables["discover"]
    lists = table.encode(0, len(table))
    while commands := [("SET", owner_id, wire) for owner_id, wire in islice(lists, PIPELINE)]:
        client.pipeline(commands)
    client.close()


def measure(write: Callable[[str, Publication], None], publication: Publication) -> dict[str, float]:
    """Seconds to write to a fresh server, the memory that it then uses more, and seconds of a restart."""
    with tempfile.TemporaryDirectory() as folder:
        home = DataDirectory(Path(folder))
        with embedded_server(home) as url:
            before = used_memory(url)
            started = time.perf_counter()
            write(url, publication)
            seconds = time.perf_counter() - started
            used = used_memory(url) - before
        started = time.perf_counter()
        with embedded_server(home):
            restart = time.perf_counter() - started
    return {"seconds": seconds, "bytes": used, "restart_seconds": restart}


def used_memory(url: str) -> int:
    """Bytes that the server has allocated."""
    client = RedisClient(url, connect_timeout_s=5, timeout_s=30)
    used: int = client.call("INFO", "memory")["used_memory"]
    client.close()
    return used


def measure_reads(publication: Publication) -> float:
    """Microseconds of one reading of a customer's list with its products."""
    with tempfile.TemporaryDirectory() as folder, embedded_server(DataDirectory(Path(folder))) as url:
        publish(url, publication)
        store = RedisShopStorage(url, timeout_ms=5_000).store("bench")
        owner_ids = publication.tables["discover"].owner_ids[:N_READS]
        store.read(ListQuery([ListKey("discover", owner_ids[0])]))
        started = time.perf_counter()
        for owner_id in owner_ids:
            store.read(ListQuery([ListKey("discover", owner_id)]))
        seconds = time.perf_counter() - started
        store.close()
    return seconds / len(owner_ids) * 1e6


def redis_benchmark(n_bytes: int) -> float | None:
    """SETs per second of `redis-benchmark`, pipelined, one client; None where it is not on PATH."""
    program = shutil.which("redis-benchmark") or shutil.which("valkey-benchmark")
    if program is None:
        return None
    with tempfile.TemporaryDirectory() as folder, embedded_server(DataDirectory(Path(folder))) as url:
        options = ["-t", "set", "-c", "1", "-n", "200000", "-r", "100000", "--csv"]
        command = [program, "-s", url.removeprefix("unix://"), "-P", str(PIPELINE), "-d", str(n_bytes), *options]
        output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return float(output.splitlines()[-1].split(",")[1].strip('"'))


def run(n_customers: int, rounds: int) -> dict[str, float | None]:
    """All figures of one run."""
    publication = make_publication(n_customers)
    pairs = [(measure(publish, publication), measure(set_bare, publication)) for _ in range(rounds)]
    ours = min((pair[0] for pair in pairs), key=lambda figures: figures["seconds"])
    bare = min((pair[1] for pair in pairs), key=lambda figures: figures["seconds"])
    products = sum(len(product.to_json()) for product in publication.products)
    reference = redis_benchmark(1 + LIST_LENGTH * RANKED.itemsize)
    return {
        "lists": n_customers,
        "publish_lists_per_s": round(n_customers / ours["seconds"]),
        "bare_set_lists_per_s": round(n_customers / bare["seconds"]),
        "redis_benchmark_set_per_s": reference,
        "ratio_to_bare_set": round(bare["seconds"] / ours["seconds"], 2),
        "ratio_to_redis_benchmark": reference and round(n_customers / ours["seconds"] / reference, 2),
        "bytes_per_list": round((ours["bytes"] - products) / n_customers),
        "bare_set_bytes_per_list": round(bare["bytes"] / n_customers),
        "estimate_to_used": round(estimated_bytes(publication) / ours["bytes"], 2),
        "restart_seconds": round(ours["restart_seconds"], 2),
        "read_us": round(measure_reads(publication)),
    }


def main() -> None:
    """Print the figures; exit 1 where a budget is not kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    figures = run(arguments.customers, arguments.rounds)
    print(json.dumps(figures) if arguments.json else "\n".join(f"{name:28}{value}" for name, value in figures.items()))
    kept = (figures["ratio_to_redis_benchmark"] or figures["ratio_to_bare_set"]) >= 0.5 and figures[
        "bytes_per_list"
    ] <= 400
    raise SystemExit(0 if kept else 1)


if __name__ == "__main__":
    main()
