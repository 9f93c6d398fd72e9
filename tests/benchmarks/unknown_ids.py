"""What made-up ids cost: `python tests/benchmarks/unknown_ids.py --seconds 20 --workers 2 --json`.

`reprise serve` is asked for products and customers, in turn, that no version knows: WANTED_PER_S different ids a
second, or as many as it answers. Told are the rate that was reached, the answers by status, and the memory of each
worker and of Redis before, at its most while it lasted, and after. A product that does not exist is a 404, a customer
who was never seen gets what sells: a 200.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import redis

sys.path.insert(0, str(Path(__file__).parents[2]))

from recommender.connection.embedded import embedded_server
from recommender.data_dir import DataDirectory
from recommender.redis.shops import RedisShopStorage
from tests.benchmarks.api_speed_servers import Server, free_port, missing_programs, rss_mb, running, serve_command
from tests.benchmarks.api_speed_shop import make_publication
from tests.benchmarks.soak_watch import repeating

SCRIPT = Path(__file__).parent / "unknown_ids.lua"
WANTED_PER_S = 10_000
CONNECTIONS = 128
SETTLE_S = 2
"""Seconds of other made-up ids before the first look: what a worker makes at its first answer is no growth."""

Memory = dict[str, float]
"""Megabytes by process."""


def main() -> None:
    """Print the figures, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if missing := missing_programs():
        raise SystemExit(f"this needs {', '.join(missing)}")
    result = run(arguments.seconds, arguments.workers)
    lines = [f"{name:20}{value}" for name, value in result.items()]
    print(json.dumps(result) if arguments.json else "\n".join(lines))


def run(seconds: int, workers: int) -> dict:
    """All figures."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = stack.enter_context(embedded_server(DataDirectory(folder)))
        storage = RedisShopStorage(url, timeout_ms=30_000)
        stack.callback(storage.close)
        storage.store("default").publish(make_publication(datetime.now(UTC)), keep=1)
        server_of_lists = stack.enter_context(redis.Redis.from_url(url))
        port, environment = free_port(), {"REPRISE_REDIS_URL": url, "REPRISE_HOME": str(folder)}
        server = stack.enter_context(running(serve_command(port, workers), port, "/health/ready", **environment))
        drive(server, "settling", SETTLE_S)
        looks = [memory_mb(server, server_of_lists)]
        with repeating(1.0, lambda: looks.append(memory_mb(server, server_of_lists))):
            load = drive(server, "unknown", seconds)
        looks.append(memory_mb(server, server_of_lists))
    return describe(load, looks)


def drive(server: Server, prefix: str, seconds: int) -> dict:
    """Ask for ids that begin with `prefix`, none of them twice."""
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "10s", "-s", str(SCRIPT)]
    command += [f"http://127.0.0.1:{server.port}", "--", prefix, str(WANTED_PER_S)]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found: dict = json.loads(output.splitlines()[-1])
    return found


def memory_mb(server: Server, lists: redis.Redis) -> Memory:
    """Resident memory of each worker; of Redis what it holds, which nobody else's pages blur."""
    held = {f"worker {number}": rss_mb(pid) for number, pid in enumerate(sorted(server.workers()), 1)}
    return held | {"redis": lists.info("memory")["used_memory"] / 2**20}


def describe(load: dict, looks: list[Memory]) -> dict:
    """The load with shares in place of counts, and memories before, at most and after."""
    statuses = load.pop("statuses")
    answered = sum(statuses.values())
    memory = {
        name: {
            "before": round(looks[0][name], 1),
            "most": round(max(look[name] for look in looks), 1),
            "after": round(looks[-1][name], 1),
        }
        for name in looks[0]
    }
    shares = {status: round(n / answered, 4) for status, n in sorted(statuses.items())}
    return {**load, "wanted_per_s": WANTED_PER_S, "shares": shares, "memory_mb": memory}


if __name__ == "__main__":
    main()
