"""Reading of purchases: `python tests/benchmarks/reading.py [--lines 10000000] [--runs 3] [--quoted] [--json]`.

Makes up a CSV file and prints, as medians of runs in turns, seconds of the clock and of the processor and the largest
memory of (a) a bare polars scan with a group-by of the file and (b) reading and judging its rows. (b) should take at
most twice as long as (a), and its memory is that of the rows which it keeps.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import numpy as np
import polars as pl

from recommender.reading import ReadingOptions
from training.ingest.formats.known import find_format
from training.ingest.rows import read_part
from training.ingest.sources import open_sources
from training.tables.workspace import Workspace

PART = 1_000_000
AS_OF = datetime(2026, 11, 30, tzinfo=UTC)


def make_file(file: Path, lines: int, seed: int, *, quoted: bool) -> None:
    """`lines` purchases of lines / 50 customers and 20,000 products within two years."""
    random = np.random.default_rng(seed)
    with file.open("wb") as target:
        for start in range(0, lines, PART):
            n = min(PART, lines - start)
            cents = random.integers(99, 9_999, n)
            part = pl.DataFrame(
                {
                    "customer": random.integers(0, max(lines // 50, 1), n),
                    "product": random.integers(0, 20_000, n),
                    "second": 1_730_000_000 + random.integers(0, 63_000_000, n),
                    "order": np.arange(start, start + n) // 3,
                    "quantity": random.integers(1, 6, n),
                    "cents": cents,
                }
            )
            rows = part.select(
                pl.format("C{}", pl.col("customer").cast(pl.String).str.zfill(7)).alias("customer_id"),
                pl.format("P{}", pl.col("product").cast(pl.String).str.zfill(5)).alias("product_id"),
                pl.from_epoch("second").dt.strftime("%Y-%m-%dT%H:%M:%SZ").alias("ordered_at"),
                pl.col("order").cast(pl.String).alias("order_id"),
                "quantity",
                (pl.col("cents") / 100).alias("unit_price"),
                pl.format("Product, number {}", "product").alias("title") if quoted else pl.lit("paid").alias("status"),
            )
            rows.write_csv(target, include_header=start == 0)


def bare(file: Path) -> int:
    """Rows of a bare scan with a group-by."""
    table = pl.scan_csv(file, glob=False).group_by("customer_id", "product_id")
    sums = table.agg(pl.len(), pl.col("ordered_at").max(), pl.col("quantity").sum(), pl.col("unit_price").mean())
    return int(sums.collect(engine="streaming")["len"].sum())


def judged(file: Path) -> int:
    """Rows that were read and judged."""
    options, format_ = ReadingOptions(), find_format("reprise")
    with Workspace(file.parent) as work:
        return sum(
            read_part(source, format_, options, AS_OF).rows_good
            for source in open_sources([file], format_, options, work)
        )


WAYS = {"bare": bare, "judged": judged}


def measure(way: str, file: Path) -> dict[str, float]:
    """What one way costs in this process."""
    started, spent = time.perf_counter(), time.process_time()
    rows = WAYS[way](file)
    wall, spent = time.perf_counter() - started, time.process_time() - spent
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"rows": rows, "wall_s": wall, "cpu_s": spent, "peak_mib": peak}


def measure_apart(way: str, file: Path) -> dict[str, float]:
    """What one way costs in a process of its own."""
    command = [sys.executable, __file__, "--measure", way, str(file)]
    done = subprocess.run(command, capture_output=True, check=True, env={**os.environ, "PYTHONPATH": str(Path.cwd())})
    return dict(json.loads(done.stdout))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=10_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quoted", action="store_true", help="with titles that hold commas")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        print(json.dumps(measure(arguments.measure[0], Path(arguments.measure[1]))))
        return
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "purchases.csv"
        make_file(file, arguments.lines, arguments.seed, quoted=arguments.quoted)
        runs = [{way: measure_apart(way, file) for way in WAYS} for _ in range(arguments.runs)]
        size = file.stat().st_size / 2**20
    found = {way: {name: median(run[way][name] for run in runs) for name in runs[0][way]} for way in WAYS}
    ratio = {name: found["judged"][name] / found["bare"][name] for name in ("wall_s", "cpu_s", "peak_mib")}
    if arguments.json:
        print(json.dumps({"lines": arguments.lines, "file_mib": size, "runs": arguments.runs, **found, "ratio": ratio}))
        return
    print(f"{arguments.lines:,} lines, {size:,.0f} MiB; medians of {arguments.runs} runs")
    for way, each in [*found.items(), ("ratio", ratio)]:
        print(f"{way:8} " + "  ".join(f"{name} {each[name]:9.2f}" for name in ratio))


if __name__ == "__main__":
    main()
