"""Picks of a whole shop: `python tests/benchmarks/picks.py --customers 1000000 [--workers 4] [--format csv] [--json]`.

Publishes a made-up version to a fresh embedded server, runs `reprise picks` on it in a process of its own and prints
mails and customers per second and the largest memory that one of its processes took: it should not grow with the shop.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from recommender.connection.client import RedisClient
from recommender.connection.embedded import embedded_server
from recommender.data_dir import DataDirectory
from recommender.publication.lists import LIST_NAMES, OWN, RANKED, WHOLE_SHOP, ListTable
from recommender.publication.manifest import Manifest, Publication, name_version
from recommender.publication.product import Product
from recommender.publication.profile_blocks import PROFILE, ProfileTable
from recommender.redis.shops import RedisShopStorage

N_PRODUCTS = 5_000
OWN_LENGTH = 8
LIST_LENGTH = 50


def make_publication(n_customers: int, now: datetime) -> Publication:
    """Every customer has OWN_LENGTH own products, bought every 7 to 60 days, and LIST_LENGTH to discover (seed 0)."""
    random = np.random.default_rng(0)
    today = int(now.timestamp() // 86_400)
    customers = [f"customer-{i:08}" for i in range(n_customers)]
    own = np.zeros(n_customers * OWN_LENGTH, OWN)
    own["product_index"] = _choose(random, n_customers, OWN_LENGTH)
    own["score"] = _falling(random, n_customers, OWN_LENGTH)
    own["last_day"] = today - random.integers(1, 90, len(own))
    own["purchases"] = random.integers(1, 12, len(own))
    own["log_gap"], own["log_gap_sd"] = np.log(random.uniform(7, 60, len(own))), 0.4
    own["return_share"] = random.uniform(0.3, 0.9, len(own))
    discover = np.zeros(n_customers * LIST_LENGTH, RANKED)
    discover["product_index"] = _choose(random, n_customers, LIST_LENGTH)
    discover["score"] = _falling(random, n_customers, LIST_LENGTH) * 0.3
    together = np.zeros(N_PRODUCTS * 10, RANKED)
    together["product_index"], together["score"] = random.integers(0, N_PRODUCTS, len(together)), 1.0
    popular = np.zeros(50, RANKED)
    popular["product_index"] = np.arange(50)
    products = [
        Product(f"product-{i}", f"Product number {i}", f"category-{i % 40}", "12.90", f"https://shop.example/p/{i}")
        for i in range(N_PRODUCTS)
    ]
    tables = {
        "buy_again": _table(customers, own),
        "discover": _table(customers, discover),
        "together": _table([product.product_id for product in products], together),
        "popular": _table([WHOLE_SHOP], popular),
        "trending": _table([WHOLE_SHOP], popular),
        "similar": _table([], np.zeros(0, RANKED)),
    }
    lists = {name: len(tables[name]) for name in LIST_NAMES}
    moment = now.isoformat()
    counts = {"customers": n_customers, "products": N_PRODUCTS, "profiles": n_customers}
    manifest = Manifest(name_version(now, "0000"), moment, moment, counts, lists)
    return Publication(manifest, products, tables, profiles=_profiles(random, customers, today))


def _choose(random: np.random.Generator, n: int, length: int) -> np.ndarray:
    """`length` different products for each of n owners."""
    first = random.integers(0, N_PRODUCTS, (n, 1))
    return ((first + np.arange(length) * random.integers(1, N_PRODUCTS // length, (n, 1))) % N_PRODUCTS).ravel()


def _falling(random: np.random.Generator, n: int, length: int) -> np.ndarray:
    return -np.sort(-random.random((n, length), dtype=np.float32), axis=1).ravel()


def _table(owner_ids: list[str], records: np.ndarray) -> ListTable:
    n = len(owner_ids)
    starts = np.arange(n + 1, dtype=np.int64) * (len(records) // n if n else 0)
    return ListTable(owner_ids, starts, records, np.zeros(n, np.uint8))


def _profiles(random: np.random.Generator, customers: list[str], today: int) -> ProfileTable:
    records = np.zeros(len(customers), PROFILE)
    records["first_day"], records["last_day"] = today - 400, today - random.integers(1, 90, len(customers))
    records["orders"], records["usual_gap_days"] = random.integers(1, 30, len(customers)), 21.0
    for name in ("rfm_recency", "rfm_frequency", "rfm_monetary"):
        records[name] = random.integers(1, 6, len(customers))
    return ProfileTable(customers, records)


def publish(url: str, n_customers: int) -> float:
    """Publish; seconds."""
    publication = make_publication(n_customers, datetime.now(UTC))
    started = time.perf_counter()
    store = RedisShopStorage(url, timeout_ms=5_000).store("default")
    store.publish(publication, keep=1)
    store.close()
    return time.perf_counter() - started


def picks(folder: Path, url: str, arguments: argparse.Namespace) -> dict[str, object]:
    """Run `reprise picks`; what it says, wall seconds and the largest process."""
    out = folder / "picks.out"
    command = ["picks", "bench", "--audience", arguments.audience, "--format", arguments.format, "--out", str(out)]
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "recommender.cli", *command, "--workers", str(arguments.workers), "--json"],
        env={**os.environ, "REPRISE_REDIS_URL": url, "REPRISE_HOME": str(folder), "OPENBLAS_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
    )
    told = json.loads(process.stdout.read())  # type: ignore[union-attr]
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit("reprise picks failed")
    seconds = time.perf_counter() - started
    size = out.stat().st_size if out.is_file() else 0
    return {**told, "wall": seconds, "peak_rss_mb": round(usage.ru_maxrss / 1024), "file_mb": round(size / 1e6, 1)}


def used_memory(url: str) -> int:
    """Bytes that the server has allocated."""
    client = RedisClient(url, connect_timeout_s=5, timeout_s=30)
    used: int = client.call("INFO", "memory")["used_memory"]
    client.close()
    return used


def run(arguments: argparse.Namespace) -> dict[str, object]:
    """All figures."""
    with tempfile.TemporaryDirectory() as name, embedded_server(DataDirectory(Path(name))) as url:
        # in a process of its own: a child starts with the memory of its parent, which would be counted
        with ProcessPoolExecutor(1, get_context("spawn")) as pool:
            published = pool.submit(publish, url, arguments.customers).result()
        before = used_memory(url)
        told = picks(Path(name), url, arguments)
        after = used_memory(url)
    wall = float(str(told["wall"]))
    return {
        "customers": told["considered"],
        "in_audience": told["in_audience"],
        "mails": told["mails"],
        "without": told["without"],
        "workers": arguments.workers,
        "format": arguments.format,
        "publish_seconds": round(published, 1),
        "wall_seconds": round(wall, 1),
        "customers_per_s": round(int(str(told["considered"])) / wall),
        "mails_per_s": round(int(str(told["mails"])) / wall),
        "peak_rss_mb": told["peak_rss_mb"],
        "file_mb": told["file_mb"],
        "redis_mb": round(before / 2**20),
        "redis_contacts_bytes_per_mail": round((after - before) / max(1, int(str(told["mails"])))),
        "seconds": told["seconds"],
    }


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--audience", default="everyone")
    parser.add_argument("--format", default="csv")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    figures = run(arguments)
    print(json.dumps(figures) if arguments.json else "\n".join(f"{name:32}{value}" for name, value in figures.items()))


if __name__ == "__main__":
    main()
