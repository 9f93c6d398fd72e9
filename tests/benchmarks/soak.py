"""Minutes of mixed load at half of saturation: `python tests/benchmarks/soak.py --minutes 10`.

Two workers of `reprise serve` answer hits, misses, persons, sessions, batches and mistakes while a version is published
every 20 seconds. Memory and open files of the workers are looked at every second. Exit 1 where

- an answer was a 5xx or a connection broke,
- the mean memory of the last third is more than MEMORY_TOLERANCE over that of the first third, the first minute left
  out: memories fill up to their bounds then,
- the workers have more than FILES_TOLERANCE open files more in the last third than in the first,
- or no publish was seen.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from recommender.embedded import embedded_server
from recommender.home import Home
from recommender.redis_warehouse import RedisWarehouse
from recommender.store import Store
from tests.benchmarks.api_speed_servers import Server, free_port, missing_programs, running, serve_command
from tests.benchmarks.api_speed_shop import make_publication

SCRIPT = Path(__file__).parent / "soak.lua"
CONNECTIONS = 32
WORKERS = 2
PUBLISH_EVERY_S = 20.0
PROBE_S = 8
WARM_UP_S = 60.0
MEMORY_TOLERANCE = 0.05
FILES_TOLERANCE = 8
"""Connections to Redis come and go with the threads that wait for it."""


@dataclass
class Watch:
    """What was seen of the workers, once a second."""

    rss_mb: list[float] = field(default_factory=list)
    open_files: list[int] = field(default_factory=list)
    versions: set[str] = field(default_factory=set)
    n_published: int = 0

    def look(self, server: Server) -> None:
        """One look."""
        self.rss_mb.append(server.rss_mb())
        self.open_files.append(server.open_files())
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/v1/popular?limit=1") as answer:
            self.versions.add(json.load(answer)["model_version"])


def main() -> None:
    """Print what was seen, or JSON; exit as the module says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if missing := missing_programs():
        raise SystemExit(f"this needs {', '.join(missing)}")
    result = run(arguments.minutes)
    lines = [f"{name:24}{value}" for name, value in result.items()]
    print(json.dumps(result) if arguments.json else "\n".join(lines))
    raise SystemExit(0 if not result["problems"] else 1)


def run(minutes: float) -> dict:
    """All figures."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = stack.enter_context(embedded_server(Home(folder)))
        warehouse = RedisWarehouse(url, timeout_ms=30_000)
        stack.callback(warehouse.close)
        store, started = warehouse.store("default"), datetime.now(UTC)
        store.publish(make_publication(started), keep=2)
        port = free_port()
        command = serve_command(port, WORKERS)
        environment = {"REPRISE_REDIS_URL": url, "REPRISE_HOME": str(folder)}
        server = stack.enter_context(running(command, port, "/health/ready", **environment))
        most = drive(server, PROBE_S, 0.0)["requests_per_s"]
        watch, done = Watch(), threading.Event()
        threads = [
            threading.Thread(target=every, args=(1.0, done, lambda: watch.look(server))),
            threading.Thread(target=every, args=(PUBLISH_EVERY_S, done, lambda: publish(store, started, watch))),
        ]
        for thread in threads:
            thread.start()
        load = drive(server, round(minutes * 60), CONNECTIONS / (most / 2) * 1000)
        done.set()
        for thread in threads:
            thread.join()
    return judge(load, watch, most)


def drive(server: Server, seconds: int, pause_ms: float) -> dict:
    """Mixed load; each connection pauses for `pause_ms` on average between two requests."""
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "10s", "-s", str(SCRIPT)]
    command += [f"http://127.0.0.1:{server.port}", "--", str(pause_ms)]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found: dict = json.loads(output.splitlines()[-1])
    return found


def every(seconds: float, done: threading.Event, act: Callable[[], None]) -> None:
    """Act, wait, and so on until `done`."""
    while not done.wait(seconds):
        act()


def publish(store: Store, started: datetime, watch: Watch) -> None:
    """The same lists as a later version."""
    watch.n_published += 1
    as_of = started + timedelta(seconds=watch.n_published)
    store.publish(make_publication(as_of, fingerprint=f"{watch.n_published:04x}"), keep=2)


def judge(load: dict, watch: Watch, most: float) -> dict:
    """The figures, and what is wrong with them."""
    warm = watch.rss_mb[int(WARM_UP_S) :] if len(watch.rss_mb) > 2 * WARM_UP_S else watch.rss_mb
    memory, files = thirds(warm), thirds(watch.open_files)
    checks = {
        f"{load['n_5xx']} answers were 5xx": load["n_5xx"] == 0,
        f"{load['n_broken']} connections broke": load["n_broken"] == 0,
        "no answer was a 2xx or 4xx": bool(load["n_2xx"] and load["n_4xx"]),
        f"memory rose from {memory[0]:.1f} to {memory[1]:.1f} MB": memory[1] <= memory[0] * (1 + MEMORY_TOLERANCE),
        f"open files rose from {files[0]:.1f} to {files[1]:.1f}": files[1] <= files[0] + FILES_TOLERANCE,
        f"{watch.n_published} versions were published and {len(watch.versions)} seen": len(watch.versions) > 1,
    }
    return {
        **load,
        "most_requests_per_s": most,
        "rss_mb_first_third": round(memory[0], 1),
        "rss_mb_last_third": round(memory[1], 1),
        "rss_mb_most": round(max(watch.rss_mb), 1),
        "files_first_third": round(files[0], 1),
        "files_last_third": round(files[1], 1),
        "versions_published": watch.n_published,
        "versions_seen": len(watch.versions),
        "problems": [problem for problem, holds in checks.items() if not holds],
    }


def thirds(values: list) -> tuple[float, float]:
    """Means of the first and the last third."""
    n = max(len(values) // 3, 1)
    return statistics.mean(values[:n]), statistics.mean(values[-n:])


if __name__ == "__main__":
    main()
