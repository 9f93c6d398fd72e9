"""Minutes of mixed load at half of saturation: `python tests/benchmarks/soak.py --minutes 10`.

Two workers of `reprise serve` answer hits, misses, persons, sessions, batches, events, links of mails and mistakes
while a version is published every 20 seconds and `reprise worker` archives the events. Memory and open files of each
process are looked at every second. With `--hangs` Redis is stopped for HANG_S of each minute; then what writes may be
refused with 503. Exit 1 where

- an answer was another 5xx or a connection broke,
- the mean memory of a process in the last third is more than MEMORY_TOLERANCE over that in the first third, the first
  three minutes left out: memories fill up to their bounds then; Redis may grow, as it keeps the ids of a week's events,
- a worker takes more than RSS_BUDGET_MB in the last third,
- a process has more than FILES_TOLERANCE open files more in the last third than in the first,
- no publish was seen, or events were left waiting.
"""

import argparse
import json
import math
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from recommender.campaigns.links import MailLink, sign
from recommender.connection.embedded import embedded_server
from recommender.data_dir import DataDirectory
from recommender.errors import RepriseError
from recommender.redis.shops import RedisShopStorage
from recommender.storage.versions import VersionStore
from tests.benchmarks.api_speed_servers import BIN, Server, free_port, missing_programs, running, serve_command
from tests.benchmarks.api_speed_shop import N_CUSTOMERS, N_PRODUCTS, make_publication
from tests.benchmarks.soak_watch import Watch, repeating, thirds

SCRIPT = Path(__file__).parent / "soak.lua"
SECRET = "a secret for a shop that does not exist"
CONNECTIONS = 64
WORKERS = 2
N_LINKS = 5_000
RSS_BUDGET_MB = 150.0
"""Of a worker, whatever the shop's size."""
PUBLISH_EVERY_S = 20.0
EVENTS_PER_REQUEST = 80
HANG_S, WORK_S = 20.0, 40.0
WRITES = ("events", "mail unsubscribe")
PROBE_S = 8
MOST_FAILURES = 20
STEPS = 20
"""Of the script's histogram of times, per factor e."""


class Publisher:
    """Publishes the same lists as later and later versions, and sees which of them answer."""

    def __init__(self, store: VersionStore, started: datetime, n_products: int) -> None:
        self.n_published = 0
        self.seen: set[str] = set()
        self._store, self._started, self._n_products = store, started, n_products

    def publish(self) -> None:
        """One version more."""
        self.n_published += 1
        as_of, fingerprint = self._started + timedelta(seconds=self.n_published), f"{self.n_published:04x}"
        publication = make_publication(as_of, fingerprint=fingerprint, n_products=self._n_products)
        with suppress(RepriseError):  # Redis hangs: the next one comes soon
            self._store.publish(publication, keep=2)

    def look(self, port: int) -> None:
        """Ask for the version that answers."""
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/popular?limit=1") as answer:
            self.seen.add(json.load(answer)["model_version"])


def main() -> None:
    """Print what was seen, or JSON; exit as the module says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--products", type=int, default=N_PRODUCTS, help="of the shop")
    parser.add_argument("--hangs", action="store_true", help="stop Redis for a part of each minute")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if missing := missing_programs():
        raise SystemExit(f"this needs {', '.join(missing)}")
    result = run(arguments.minutes, arguments.products, hangs=arguments.hangs)
    lines = [f"{name:24}{value}" for name, value in result.items()]
    print(json.dumps(result) if arguments.json else "\n".join(lines))
    raise SystemExit(0 if not result["problems"] else 1)


def run(minutes: float, n_products: int, *, hangs: bool) -> dict:
    """All figures."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = stack.enter_context(embedded_server(DataDirectory(folder)))
        storage = RedisShopStorage(url, timeout_ms=30_000)
        stack.callback(storage.close)
        publisher = Publisher(storage.store("default"), datetime.now(UTC), n_products)
        publisher.publish()
        port, environment = free_port(), {"REPRISE_REDIS_URL": url, "REPRISE_HOME": str(folder)}
        environment["REPRISE_MAIL__SECRET"] = SECRET
        server = stack.enter_context(running(serve_command(port, WORKERS), port, "/health/ready", **environment))
        archiver = stack.enter_context(working(environment))
        words = [str(write_links(folder / "links", n_products)), str(n_products), str(EVENTS_PER_REQUEST)]
        most = drive(server, PROBE_S, 0.0, words)["requests_per_s"]
        watch = Watch(
            {f"serve {pid}": pid for pid in server.workers()} | {"worker": archiver, "redis": redis_pid(folder)}
        )
        acts = [(1.0, watch.look), (1.0, partial(publisher.look, port)), (PUBLISH_EVERY_S, publisher.publish)]
        acts += [(WORK_S, partial(hang, redis_pid(folder)))] if hangs else []
        with ExitStack() as acting:
            for seconds, act in acts:
                acting.enter_context(repeating(seconds, act))
            load = drive(server, round(minutes * 60), CONNECTIONS / (most / 2) * 1000, words)
        waiting = storage.event_log("default").queue.backlog().lag_s(datetime.now(UTC))
    return judge(load, watch, publisher, most, waiting, may_fail=WRITES if hangs else ())


def hang(pid: int) -> None:
    """Stop a process for HANG_S."""
    os.kill(pid, signal.SIGSTOP)
    time.sleep(HANG_S)
    os.kill(pid, signal.SIGCONT)


def redis_pid(folder: Path) -> int:
    """The embedded server's."""
    (path,) = folder.rglob("server.pid")
    return int(path.read_text())


@contextmanager
def working(environment: dict[str, str]) -> Iterator[int]:
    """The process id of a `reprise worker`, which ends with the block."""
    process = subprocess.Popen([str(BIN / "reprise"), "worker"], env={**os.environ, **environment})
    try:
        yield process.pid
    finally:
        process.terminate()
        process.wait(60)


def write_links(path: Path, n_products: int) -> Path:
    """Links of mails with four picks and two spares, one a line."""
    path.write_text("".join(f"{sign(_mail(i, n_products), SECRET)}\n" for i in range(N_LINKS)))
    return path


def _mail(i: int, n_products: int) -> MailLink:
    products = tuple(f"p{(i * 31 + slot * 17) % n_products}" for slot in range(6))
    return MailLink("default", f"campaign-{i % 50}", f"c{i * 7 % N_CUSTOMERS}", products, 4)


def drive(server: Server, seconds: int, pause_ms: float, words: list[str]) -> dict:
    """Mixed load; each connection pauses for `pause_ms` on average between two requests. `words` are for the script."""
    # one connection a thread: the script knows then which request an answer is to
    command = ["wrk", f"-t{CONNECTIONS}", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "10s", "-s", str(SCRIPT)]
    command += [f"http://127.0.0.1:{server.port}", "--", str(pause_ms), *words]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return describe(json.loads(output.splitlines()[-1]))


def describe(load: dict) -> dict:
    """Answers by status and failures by kind, each with its problem's code; microseconds by kind of request."""
    statuses: Counter[str] = Counter()
    failures: Counter[str] = Counter()
    steps: dict[str, dict[int, int]] = defaultdict(dict)
    for name, n in load.pop("counts").items():
        kind, _, status = name.partition("|")
        if status != "broken":
            statuses[status] += n
        if status >= "5":
            failures[f"{kind} {status}"] += n
    for name, n in load.pop("times").items():
        kind, _, step = name.partition("|")
        steps[kind][int(step)] = n
    first = sorted(load.pop("failures"), key=lambda words: float(words.split()[0]))[:MOST_FAILURES]
    times = {kind: {"p50_us": _quantile(of, 0.5), "p99_us": _quantile(of, 0.99)} for kind, of in sorted(steps.items())}
    return {**load, "statuses": dict(statuses), "failures": dict(failures), "first_failures": first, "times": times}


def _quantile(steps: Mapping[int, int], share: float) -> int:
    """Of a histogram with a step for each 20th of the natural logarithm: 5 % exact."""
    left = share * sum(steps.values())
    for step in sorted(steps):
        left -= steps[step]
        if left <= 0:
            return round(math.exp((step + 0.5) / STEPS))
    return 0


def judge(
    load: dict, watch: Watch, publisher: Publisher, most: float, waiting_s: float, *, may_fail: Collection[str]
) -> dict:
    """The figures, and what is wrong with them; `may_fail` are the kinds of request that may be refused with 503."""
    statuses, failures = load["statuses"], load["failures"]
    largest = max(thirds(seen.rss_mb)[2] for name, seen in watch.series.items() if name.startswith("serve"))
    checks = {
        f"there were answers of 5xx: {failures}": all(
            name.startswith(tuple(f"{kind} 503" for kind in may_fail)) for name in failures
        ),
        f"{load['n_broken']} connections broke": load["n_broken"] == 0,
        f"no answer was a 200, a 302 or a 404: {statuses}": {"200", "302", "404"} <= statuses.keys(),
        f"{publisher.n_published} versions published, {len(publisher.seen)} seen": len(publisher.seen) > 1,
        f"events wait for {waiting_s:.1f} s": waiting_s < PUBLISH_EVERY_S,
        f"a worker takes {largest:.1f} MB": largest <= RSS_BUDGET_MB,
    }
    wrong = [problem for problem, holds in checks.items() if not holds]
    return {
        "requests": sum(statuses.values()),
        **load,
        "most_requests_per_s": most,
        **watch.figures(),
        "versions_published": publisher.n_published,
        "versions_seen": len(publisher.seen),
        "events_wait_s": round(waiting_s, 1),
        "problems": wrong + watch.problems(may_grow={"redis"}),
    }


if __name__ == "__main__":
    main()
