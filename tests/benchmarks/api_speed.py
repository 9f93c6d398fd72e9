"""The service beside a bare Flask view and beside FastAPI: `python tests/benchmarks/api_speed.py --json`.

A shop of 10,000 products and 100,000 customers (lists of 50) is published to a real Redis. Each server has one worker,
or as many as `--workers` says; `wrk` asks them in turns, so that whatever else the machine does falls on all of them
alike. Ratios are to the bare view on the same server with as many connections, in requests/s and in processor time of
the workers per request; the latter hardly depends on who else is on the machine. Medians of `--rounds`; a round of its
own warms up first.

Budgets: a product list reaches 60 % of the bare view and 1.5 times FastAPI with one GET of ready bytes; a person's
slate 40 % of the bare view, with p99 ≤ 4 p50 at half of saturation, and 1.5 times its processor time with 56 recent
events; 250 events 35 % of a bare view that checks nothing; a worker stays under 150 MB. Report `--distribution uniform`
first: few of its answers are kept.
"""

import argparse
import json
import statistics
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import redis
from redis.connection import parse_url

sys.path.insert(0, str(Path(__file__).parents[2]))

from recommender.connection.embedded import embedded_server
from recommender.data_dir import DataDirectory
from recommender.redis.shops import RedisShopStorage
from tests.benchmarks.api_speed_servers import (
    PEERS,
    Server,
    free_port,
    granian_command,
    gunicorn_command,
    missing_programs,
    running,
    serve_command,
    uvicorn_command,
)
from tests.benchmarks.api_speed_shop import (
    N_ACTIVE,
    N_CUSTOMERS,
    N_EVENTS,
    N_PRODUCTS,
    events_of_customer,
    make_publication,
)
from tests.benchmarks.api_speed_table import EVENTS, PAGES, ROUTES, Case, render, to_rows
from tests.benchmarks.api_speed_wrk import Load, drive
from tests.support.redis_servers import redis_server

PEER = "FastAPI, one GET"
SIMILAR, PERSONAL = "/v1/products/p7/similar", "/v1/customers/c7/recommendations"
HALF_CONNECTIONS = 32
EVENT_CONNECTIONS = 4
"""As many as threads accept events: more are refused while the machine has other things to do."""
RSS_BUDGET_MB = 150.0
MOST_EVENTS = 1_000_000_000
"""That may wait: no worker archives them meanwhile."""


def main() -> None:
    """Print the table, or JSON; exit 1 where Reprise gave an answer that is not 2xx, or a worker is too large."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=2, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=1, help="of each server")
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 32, 128])
    parser.add_argument("--servers", nargs="+", choices=["granian", "gunicorn"], default=["granian", "gunicorn"])
    parser.add_argument("--distribution", choices=["skewed", "uniform"], default="skewed", help="of the ids asked for")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--save", type=Path, metavar="FILE", help="write the figures as JSON, for a later --compare")
    parser.add_argument("--compare", type=Path, metavar="FILE", help="show the figures beside those of a saved run")
    arguments = parser.parse_args()
    if missing := missing_programs():
        raise SystemExit(f"this needs {', '.join(missing)}")
    before = json.loads(arguments.compare.read_text()) if arguments.compare else None
    result = run(arguments)
    if arguments.save:
        arguments.save.write_text(json.dumps(result))
    print(json.dumps(result) if arguments.json else render(result, before))
    rows = result["rows"]
    small = all(mb < RSS_BUDGET_MB for mb in result["rss_mb"].values())
    failed = any(row["errors"] for row in rows if row["server"].startswith("reprise"))
    raise SystemExit(0 if small and not failed else 1)


def run(arguments: argparse.Namespace) -> dict:
    """All figures of one run."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        stores = stack.enter_context(published_stores(folder))
        servers = stack.enter_context(start_all(folder, stores, arguments.servers, arguments.workers))
        before = {name: server.rss_mb() for name, server in servers.items()}
        cases = make_cases(arguments, stores)
        loads = measure(servers, cases, arguments)
        half = measure_half(servers["reprise on granian"], arguments) if "granian" in arguments.servers else None
        rss = {name: round(server.rss_mb(), 1) for name, server in servers.items() if name.startswith("reprise")}
        return {
            "rows": [asdict(row) for row in to_rows(loads)],
            "half_of_saturation": half,
            "rss_mb_before": {name: round(mb, 1) for name, mb in before.items()},
            "rss_mb": rss,
        }


@contextmanager
def published_stores(folder: Path) -> Iterator[dict[str, str]]:
    """Name → address of each Redis, with the shop in it and the peer's ready answers."""
    publication = make_publication(datetime.now(UTC))
    with embedded_server(DataDirectory(folder / "embedded")) as embedded, redis_server(folder / "own") as own:
        for url in (embedded, own.url):
            storage = RedisShopStorage(url, timeout_ms=30_000)
            storage.store("default").publish(publication, keep=1)
            log, now = storage.event_log("default"), datetime.now(UTC)
            for number in range(N_CUSTOMERS - N_ACTIVE, N_CUSTOMERS):
                log.accept(events_of_customer(number, now, N_EVENTS), now, MOST_EVENTS)
            storage.close()
        yield {"granian": embedded, "redis-server, socket": own.unix_url, "redis-server, TCP": own.url}


@contextmanager
def start_all(folder: Path, stores: dict[str, str], chosen: list[str], workers: int) -> Iterator[dict[str, Server]]:
    """Every server by name. The bare views and the peer answer with bytes that Reprise gave first."""
    url = stores["granian"]
    with ExitStack() as stack:

        def start(command: list[str], port: int, path: str, **environment: str) -> Server:
            return stack.enter_context(running(command, port, path, **environment))

        def start_reprise(address: str) -> Server:
            port = free_port()
            environment = {"REPRISE_REDIS_URL": address, "REPRISE_HOME": str(folder)}
            environment["REPRISE_MAX_WAITING_EVENTS"] = str(MOST_EVENTS)
            return start(serve_command(port, workers), port, "/health/ready", **environment)

        servers = {"reprise on granian": start_reprise(url)}
        bodies = save_bodies(servers["reprise on granian"], folder / "bodies")
        fill_peer(url, (bodies / "similar").read_bytes())
        for name, make_command in (("granian", granian_command), ("gunicorn", gunicorn_command)):
            if name in chosen:
                port = free_port()
                command = make_command(port, "bare_flask:app", PEERS, workers)
                servers[f"bare on {name}"] = start(command, port, "/similar", BENCH_BODIES=str(bodies), BENCH_REDIS=url)
        if "gunicorn" in chosen:
            port = free_port()
            command = gunicorn_command(port, "api:create_app()", workers=workers)
            environment = {"REPRISE_REDIS_URL": url, "REPRISE_HOME": str(folder)}
            environment["REPRISE_MAX_WAITING_EVENTS"] = str(MOST_EVENTS)
            servers["reprise on gunicorn"] = start(command, port, "/health/ready", **environment)
        port = free_port()
        command = uvicorn_command(port, "fastapi_redis:app", PEERS, workers)
        servers[PEER] = start(command, port, SIMILAR, BENCH_REDIS=url)
        for name in stores.keys() - {"granian"}:
            servers[f"reprise, {name}"] = start_reprise(stores[name])
        yield servers


def save_bodies(server: Server, folder: Path) -> Path:
    """Keep an answer of each size for the bare views."""
    folder.mkdir()
    for name, path in (("similar", SIMILAR), ("personal", PERSONAL)):
        (folder / name).write_bytes(urllib.request.urlopen(f"http://127.0.0.1:{server.port}{path}").read())
    return folder


def fill_peer(url: str, body: bytes) -> None:
    """One ready answer for each product."""
    with redis.Redis(connection_pool=redis.ConnectionPool(**parse_url(url))) as client:
        client.mset({f"bench:similar:p{i}": body for i in range(N_PRODUCTS)})


def make_cases(arguments: argparse.Namespace, stores: dict[str, str]) -> list[Case]:
    """What is measured, in the order of one round."""
    cases = []
    for connections in arguments.connections:
        for name in arguments.servers:
            cases += [Case(f"bare on {name}", bare, connections) for bare in dict.fromkeys(PAGES.values())]
            cases += [Case(f"reprise on {name}", route, connections) for route in PAGES]
        cases.append(Case(PEER, "similar", connections))
    for name in arguments.servers:
        cases += [
            Case(f"bare on {name}", ROUTES[EVENTS], EVENT_CONNECTIONS),
            Case(f"reprise on {name}", EVENTS, EVENT_CONNECTIONS),
        ]
    others = [f"reprise, {name}" for name in stores if name != "granian"]
    return cases + [Case(name, "recommendations", HALF_CONNECTIONS) for name in others]


def measure(servers: dict[str, Server], cases: list[Case], arguments: argparse.Namespace) -> dict[Case, list[Load]]:
    """Each case once a round; the round before the first one counts for nothing."""
    loads: dict[Case, list[Load]] = {case: [] for case in cases}
    for turn in range(arguments.rounds + 1):
        for case in cases:
            load = drive(
                servers[case.server],
                case.route,
                connections=case.connections,
                seconds=arguments.seconds,
                distribution=arguments.distribution,
            )
            if turn:
                loads[case].append(load)
    return loads


def measure_half(server: Server, arguments: argparse.Namespace) -> dict[str, float]:
    """Latency of a person's slate at half of the rate that the server can sustain, requests coming at random."""

    def ask(pause_ms: float) -> Load:
        seconds = 2 * arguments.seconds
        return drive(server, "recommendations", connections=HALF_CONNECTIONS, seconds=seconds, pause_ms=pause_ms)

    most = ask(0.0).requests_per_s
    # each connection asks, waits for the answer and pauses
    loads = [ask(HALF_CONNECTIONS / (most / 2) * 1000) for _ in range(arguments.rounds)]
    p50, p99 = (statistics.median(getattr(load, name) for load in loads) for name in ("p50_us", "p99_us"))
    rate = statistics.median(load.requests_per_s for load in loads)
    return {"most_per_s": most, "requests_per_s": rate, "p50_us": p50, "p99_us": p99, "p99_to_p50": round(p99 / p50, 1)}


if __name__ == "__main__":
    main()
