"""How long routes are waited for while Redis fails: `python tests/benchmarks/waiting.py`.

Two workers of `reprise serve` answer through a middleman, on a machine that does nothing else. For each fault and each
route, the fault begins, forty calls of that route are sent, and while they wait one of every other. Told are the
slowest answers of each kind of route, and how long after the fault every route of every worker answers as before.
`--json` prints one document with the routes and statuses. Exit 1 where one of BUDGETS_S is not kept.
"""

import argparse
import json
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from recommender.cli.console import print_table
from tests.support.load import Answer
from tests.support.middleman import Middleman, middleman
from tests.support.redis_servers import RedisServer, redis_server
from tests.support.route_table import ROUTES, SECRET, event
from tests.support.served import HURRIED_MS, Served, serve, store_of, version, version_name

N = 40
BUDGETS_S = {"probes": 0.05, "metrics": 1.0, "pages": 0.25, "events": 1.0, "administration": 5.0, "back": 2.0}
SLACK_S = 0.1
"""What the threads of the client take of the cores that the workers need."""
Route = tuple[str, str]


@contextmanager
def fault(name: str, redis: RedisServer, between: Middleman) -> Iterator[None]:
    """Redis fails in one way for as long as the block runs."""
    begin: dict[str, Callable[[], Any]] = {
        "none": lambda: None,
        "stopped": redis.pause,
        "swallowing": lambda: setattr(between, "nonsense", b""),
        "half lost": lambda: setattr(between, "loses", True),
        "delay .05 s": lambda: setattr(between, "delay_s", 0.05),
        "delay .5 s": lambda: setattr(between, "delay_s", 0.5),
        "delay 5 s": lambda: setattr(between, "delay_s", 5.0),
        "refused": lambda: setattr(between, "hangs_up", True),
        "full": lambda: redis.call("CONFIG", "SET", "maxmemory", "1mb"),
    }
    begin[name]()
    try:
        yield
    finally:
        between.be_honest()
        redis.resume()
        redis.call("CONFIG", "SET", "maxmemory", "0")


FAULTS = ("none", "stopped", "swallowing", "half lost", "delay .05 s", "delay .5 s", "delay 5 s", "refused", "full")


def main() -> None:
    """Measure, print, and judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--fault", choices=FAULTS, action="append", help="only this one; may be repeated")
    arguments = parser.parse_args()
    found = {name: measure(name) for name in arguments.fault or FAULTS}
    if arguments.json:
        print(json.dumps({"seconds": found, "budgets": BUDGETS_S}, indent=2))
    else:
        rows = [[name, *(f"{one[kind]['s']:.3f}" for kind in BUDGETS_S)] for name, one in found.items()]
        print_table(["fault", *BUDGETS_S], rows)
    late = [
        f"{name}: {kind}"
        for name, one in found.items()
        for kind, s in BUDGETS_S.items()
        if one[kind]["s"] > s + SLACK_S
    ]
    print("late:", ", ".join(late) or "nothing", file=sys.stderr)
    sys.exit(bool(late))


def measure(name: str) -> dict[str, Any]:
    """The slowest answer of each kind of route, with the routes, and the seconds until all is as before."""
    environment = {"REPRISE_REDIS_TIMEOUT_MS": HURRIED_MS, "REPRISE_LOG_LEVEL": "error", "REPRISE_MAIL__SECRET": SECRET}
    slowest: dict[str, dict[str, Any]] = {kind: {"s": 0.0, "statuses": {}} for kind in BUDGETS_S}
    with tempfile.TemporaryDirectory() as folder, redis_server(Path(folder, "redis")) as redis:
        store_of(redis.url).publish(version(1), keep=3)
        with (
            middleman(redis.port) as between,
            serve(Path(folder), REPRISE_REDIS_URL=between.url, **environment) as served,
        ):
            for stuck in ROUTES:
                back(served)
                with fault(name, redis, between):
                    answers = beside(served, stuck)
                for route, answer in answers:
                    note(slowest[ROUTES[route].kind], answer.seconds, f"{' '.join(route)} beside {' '.join(stuck)}")
                    seen = slowest[ROUTES[route].kind]["statuses"]
                    seen[answer.status] = seen.get(answer.status, 0) + 1
                note(slowest["back"], back(served), f"after {' '.join(stuck)}")
    return slowest


def note(slowest: dict[str, Any], seconds: float, what: str) -> None:
    """Keep what is slower than all before."""
    if seconds > slowest["s"]:
        slowest |= {"s": seconds, "what": what}


def back(served: Served) -> float:
    """Seconds until every route of every worker is without an error."""
    began_at = time.monotonic()
    while served.readiness() != {(200, version_name(1))} or any(send(served, one).status >= 500 for one in ROUTES):
        time.sleep(0.02)
    return time.monotonic() - began_at


def beside(served: Served, stuck: Route) -> list[tuple[Route, Answer]]:
    """The answers of every other route while N calls of one wait: probes and pages in turn, then the rest at once."""
    others = [route for route in ROUTES if route != stuck]
    quick = [route for route in others if ROUTES[route].kind in ("probes", "metrics", "pages")]
    slow = [route for route in others if route not in quick]
    calls = [threading.Thread(target=send, args=(served, stuck)) for _ in range(N)]
    for call in calls:
        call.start()
    answers = [(route, send(served, route)) for route in quick]
    with ThreadPoolExecutor(len(slow)) as threads:
        answers += zip(slow, threads.map(lambda route: send(served, route), slow), strict=True)
    for call in calls:
        call.join()
    return answers


def send(served: Served, route: Route) -> Answer:
    """One request of a route."""
    row = ROUTES[route]
    body = {"events": [event(time.monotonic_ns())]} if route == ("POST", "/v1/events") else row.body
    return served.ask(row.path, route[0], body)


if __name__ == "__main__":
    main()
