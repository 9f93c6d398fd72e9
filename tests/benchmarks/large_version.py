"""Publishing and serving a large shop: `python tests/benchmarks/large_version.py --customers 1000000 --json`.

A version of random lists: 12 own products and 20 new ones for each customer, a profile, 20 similar products and 10
companions for each product. Told are: seconds to publish it to a redis-server, beside those of `redis-benchmark` for as
many pipelined SETs of the mean list, and how much the publisher grew; bytes of Redis for each customer; seconds until
`reprise serve` is ready; milliseconds of the first answers to customers whom no worker has met; seconds of a rollback;
megabytes of the largest worker. Exit 1 where one of BUDGETS is not kept. All but megabytes are for cores that nobody
else uses: the load average of the last minute is told as well.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator

sys.path.insert(0, str(Path(__file__).parents[2]))

from recommender.publication.lists import LIST_NAMES, RECORDS, WHOLE_SHOP, ListName, ListTable
from recommender.publication.manifest import Manifest, Publication
from recommender.publication.product import Product
from recommender.publication.profile_blocks import PROFILE, ProfileTable
from recommender.redis.shops import RedisShopStorage
from tests.support.load import ask
from tests.support.redis_servers import RedisServer, redis_server
from tests.support.served import serve, workers_of

BUDGETS = {"set_to_publish": 0.5, "ready_s": 5.0, "first_answer_ms": 50.0, "rollback_s": 1.0, "worker_mb": 150.0}
"""Most of each figure; the least of `set_to_publish`, the share of the speed of bare SETs."""
LENGTHS: dict[ListName, int] = {
    "similar": 20,
    "together": 10,
    "buy_again": 12,
    "discover": 20,
    "popular": 50,
    "trending": 50,
}
N_ANSWERS = 200
TODAY = 20_777


def make_publication(n_customers: int, n_products: int, version: str) -> Publication:
    """A version of random lists; the same arguments give the same one."""
    draw = np.random.default_rng(0)
    customers = [f"customer-{number:08}" for number in range(n_customers)]
    products = [
        Product(f"product-{number}", f"Product number {number}", "Things", "12.90", currency="EUR")
        for number in range(n_products)
    ]
    owners = {"similar": [one.product_id for one in products], "buy_again": customers, "popular": [WHOLE_SHOP]}
    owners |= {"together": owners["similar"], "discover": customers, "trending": [WHOLE_SHOP]}
    tables = {name: make_table(name, owners[name], n_products, draw) for name in LIST_NAMES}
    profiles = np.zeros(n_customers, PROFILE)
    profiles["last_day"], profiles["orders"] = TODAY - 10, 12
    lists = {name: len(table) for name, table in tables.items()}
    counts = {"customers": n_customers, "products": n_products, "profiles": n_customers}
    manifest = Manifest(version, "2026-11-20T02:00:00+00:00", version, counts, lists)
    return Publication(manifest, products, tables, profiles=ProfileTable(customers, profiles))


def make_table(name: ListName, owners: list[str], n_products: int, draw: Generator) -> ListTable:
    """A list of different products for each owner: a run of neighbours from a random one on, best first."""
    length = min(LENGTHS[name], n_products - 1)
    records = np.zeros((len(owners), length), RECORDS[name])
    first = draw.integers(0, n_products, (len(owners), 1))
    records["product_index"] = (first + 1 + np.arange(length)) % n_products
    records["score"] = 1 / (2 + np.arange(length))
    if name == "buy_again":
        bought = {"last_day": TODAY - 40, "purchases": 3, "log_gap": np.log(30), "log_gap_sd": 0.4, "return_share": 0.8}
        for field, value in bought.items():
            records[field] = value
    starts = np.arange(len(owners) + 1, dtype=np.int64) * length
    return ListTable(owners, starts, records.ravel(), np.zeros(len(owners), np.uint8))


def used_memory(redis: RedisServer) -> int:
    """Bytes that the server has allocated."""
    return int(redis.call("INFO", "memory")["used_memory"])


def megabytes_of(pid: int) -> float:
    """Memory of a process that it shares with no other."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) / 1024


def own_megabytes(what: str) -> float:
    """Memory of this process, VmRSS now or VmHWM at most since `forget_peak`."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(what)) / 1024


def forget_peak() -> None:
    """Let VmHWM begin anew (Linux, proc(5))."""
    Path("/proc/self/clear_refs").write_text("5")


def bare_sets(redis: RedisServer, tables: Iterable[ListTable]) -> float:
    """Seconds in which `redis-benchmark` SETs as many values as there are lists, as long as these are on average."""
    sizes = [(len(table), table.records.nbytes + len(table)) for table in tables]
    n, n_bytes = (sum(column) for column in zip(*sizes, strict=True))
    options = ["-t", "set", "-c", "1", "-P", "1000", "-n", str(n), "-r", str(n), "-d", str(n_bytes // n), "--csv"]
    output = subprocess.run(
        ["redis-benchmark", "-u", redis.url, *options], capture_output=True, text=True, check=True
    ).stdout
    return n / float(output.splitlines()[-1].split(",")[1].strip('"'))


def run(n_customers: int, n_products: int) -> dict[str, Any]:
    """All figures of one run."""
    older = make_publication(100, n_products, "20261119T020000Z-0001")
    publication = make_publication(n_customers, n_products, "20261120T020000Z-0002")
    with tempfile.TemporaryDirectory() as name, redis_server(Path(name) / "redis") as redis:
        storage = RedisShopStorage(redis.url, timeout_ms=30_000)
        store = storage.store("default")
        store.publish(older, keep=3)
        empty = used_memory(redis)
        forget_peak()
        held, started, processor = own_megabytes("VmRSS"), time.perf_counter(), time.process_time()
        store.publish(publication, keep=3)
        published_s, processor = time.perf_counter() - started, time.process_time() - processor
        grown, taken = own_megabytes("VmHWM") - held, used_memory(redis) - empty
        figures = {
            "customers": n_customers,
            "products": n_products,
            "publish_s": round(published_s, 1),
            "publish_processor_s": round(processor, 1),
            "publisher_grew_mb": round(grown, 1),
            "redis_bytes_per_customer": round(taken / n_customers),
        }
        figures |= serve_it(Path(name), redis.url, n_customers)
        started = time.perf_counter()
        store.activate(older.manifest.version)
        figures["rollback_s"] = round(time.perf_counter() - started, 3)
        storage.close()
        figures["bare_set_s"] = round(bare_sets(redis, publication.tables.values()), 1)
        figures["set_to_publish"] = round(figures["bare_set_s"] / published_s, 2)
        figures["load_average"] = os.getloadavg()[0]
    return figures


def processor_s(pid: int) -> float:
    """Processor time of a process so far, in seconds."""
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def serve_it(folder: Path, url: str, n_customers: int) -> dict[str, float]:
    """Seconds until it is ready, by clock and processor, first answers (median, slowest), and the largest worker."""
    started = time.perf_counter()
    with serve(folder, REPRISE_REDIS_URL=url) as served:
        ready_s = time.perf_counter() - started
        processor = sum(map(processor_s, (served.process.pid, *workers_of(served.process.pid))))
        took = []
        for number in np.random.default_rng(1).choice(n_customers, N_ANSWERS, replace=False).tolist():
            asked = time.perf_counter()
            answer = ask(served.address, f"/v1/customers/customer-{number:08}/recommendations")
            took.append((time.perf_counter() - asked) * 1e3)
            assert answer.status == 200, answer
            assert answer.json["items"], answer
        return {
            "ready_s": round(ready_s, 2),
            "ready_processor_s": round(processor, 2),
            "first_answer_ms": round(float(np.median(took)), 1),
            "slowest_first_answer_ms": round(max(took), 1),
            "worker_mb": round(max(map(megabytes_of, workers_of(served.process.pid))), 1),
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--products", type=int, default=100_000)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    figures = run(arguments.customers, arguments.products)
    if arguments.json:
        print(json.dumps(figures, indent=2))
    else:
        for name, figure in figures.items():
            print(
                f"{name.replace('_', ' '):28} {figure:,}" + (f"  (budget {BUDGETS[name]:g})" if name in BUDGETS else "")
            )
    sys.exit(any((figures[name] < limit) == (name == "set_to_publish") for name, limit in BUDGETS.items()))


if __name__ == "__main__":
    main()
