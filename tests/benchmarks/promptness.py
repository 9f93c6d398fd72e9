"""How soon a change is seen, and how long a page waits while Redis is away: `python tests/benchmarks/promptness.py`.

Two workers of `reprise serve` answer, on a machine that does nothing else. Told are the seconds until every worker has
followed a change, the longest and the middle answer while Redis hangs or is gone, and the seconds until all is as
before; and the longest read of a store while a cluster or a watched primary fails over, and the seconds until one
succeeds. `--json` prints one document. Exit 1 where one of BUDGETS_S is not kept.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from recommender.cli.console import print_table
from recommender.errors import StoreUnavailableError
from recommender.redis.keys import Keys
from recommender.redis.shops import RedisShopStorage
from recommender.storage.versions import ListQuery, VersionStore, rollback
from tests.support.failover import TIMEOUT_MS
from tests.support.load import MANY, Answer, load, median_s, worst_s
from tests.support.redis_servers import RedisServer, redis_cluster, redis_server, wait_until, watched_primary
from tests.support.served import HURRIED_MS, PAGES, PUBLIC, WORKERS, Served, serve, store_of, version, version_name

BUDGETS_S = {
    "a publish is followed": 1.0,
    "a rollback is followed": 1.0,
    "a placement is followed": 1.0,
    "what is sold out is gone": 1.0,
    "an event is seen": 2.0,
    "longest answer while Redis hangs": 1.0,
    "middle answer while Redis hangs": 0.1,
    "all as before after Redis hung": 2.0,
    "longest answer while Redis is gone": 1.0,
    "middle answer while Redis is gone": 0.1,
    "all as before after Redis was gone": 5.0,
    "longest read while a primary of a cluster is gone": 0.3,
    "read again after a primary of a cluster was gone": 15.0,
    "longest read while a primary of a cluster hangs": 0.3,
    "read again after a primary of a cluster hung": 15.0,
    "longest read while a watched primary is gone": 0.3,
    "read again after a watched primary was gone": 15.0,
    "longest read while a watched primary hangs": 0.3,
    "read again after a watched primary hung": 15.0,
}
EVENT = {"event_id": "1", "event_type": "not_interested", "customer_id": "ann", "product_id": "p1"}


def main() -> None:
    """Measure, print, and judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    arguments = parser.parse_args()
    found = {**measure(), **failovers()}
    if arguments.json:
        print(json.dumps({"seconds": found, "budgets": BUDGETS_S}, indent=2))
    else:
        print_table(["", "s", "budget"], [[what, f"{s:.3f}", f"{BUDGETS_S[what]:g}"] for what, s in found.items()])
    sys.exit(any(seconds > BUDGETS_S[what] for what, seconds in found.items()))


def measure() -> dict[str, float]:
    """Seconds by what they are of."""
    with tempfile.TemporaryDirectory() as folder, redis_server(Path(folder, "redis"), appendfsync="always") as redis:
        store_of(redis.url).publish(version(1), keep=3)
        environment = {"REPRISE_REDIS_TIMEOUT_MS": HURRIED_MS, "REPRISE_LOG_LEVEL": "error"}
        with serve(Path(folder), REPRISE_REDIS_URL=redis.url, **environment) as served:
            served.wait_until_ready()
            return {
                **changes(redis, served),
                **outage(served, redis.pause, redis.resume, "Redis hangs", "Redis hung"),
                **outage(served, redis.kill, redis.start, "Redis is gone", "Redis was gone"),
            }


def changes(redis: RedisServer, served: Served) -> dict[str, float]:
    """Until every worker has followed what was changed."""
    store = store_of(redis.url)
    found = {}
    store.publish(version(2), keep=3)
    found["a publish is followed"] = seconds_until(lambda: served.readiness() == {(200, version_name(2))})
    rollback(store)
    found["a rollback is followed"] = seconds_until(lambda: served.readiness() == {(200, version_name(1))})
    served.ask("/v1/placements/home", "PUT", {"cap": 3, "default_limit": 2})
    found["a placement is followed"] = seconds_until(lambda: all_say(served, PAGES[3], has_cap_3))
    served.ask("/v1/products/p2", "PUT", {"in_stock": False})
    found["what is sold out is gone"] = seconds_until(
        lambda: all_say(served, PUBLIC[0], lambda one: not has(one, "p2"))
    )
    served.ask(
        "/v1/events", "POST", {"events": [EVENT | {"occurred_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}]}
    )
    found["an event is seen"] = seconds_until(lambda: all_say(served, PAGES[3], lambda one: not has(one, "p1")))
    return found


def outage(
    served: Served, lose: Callable[[], Any], mend: Callable[[], Any], meanwhile: str, afterwards: str
) -> dict[str, float]:
    """The answers while Redis is away, and the time until it is back for all."""
    with load(served.address, PAGES) as running:
        running.next(MANY)
        lose()
        during = running.next(5 * MANY)
        mend()
        back_s = seconds_until(lambda: served.readiness() == {(200, version_name(1))})
    return {
        f"longest answer while {meanwhile}": worst_s(during),
        f"middle answer while {meanwhile}": median_s(during),
        f"all as before after {afterwards}": back_s,
    }


def failovers() -> dict[str, float]:
    """What a reader sees while a replica takes over from a primary that is killed, or hangs."""
    found = {}
    for what, start in (("a primary of a cluster", cluster_primary), ("a watched primary", lone_primary)):
        for meanwhile, afterwards, lose in (
            ("is gone", "was gone", RedisServer.kill),
            ("hangs", "hung", RedisServer.pause),
        ):
            with tempfile.TemporaryDirectory() as folder, start(Path(folder)) as (url, primary, replica):
                longest, back = failover(url, primary, replica, lose)
            found[f"longest read while {what} {meanwhile}"] = longest
            found[f"read again after {what} {afterwards}"] = back
    return found


@contextmanager
def cluster_primary(folder: Path) -> Iterator[tuple[str, RedisServer, RedisServer]]:
    """A cluster, and the primary and the replica that hold the shop."""
    with redis_cluster(folder) as cluster:
        shard = cluster.shard_of(Keys("default").current)
        yield cluster.url, cluster.primaries[shard], cluster.replicas[shard]


@contextmanager
def lone_primary(folder: Path) -> Iterator[tuple[str, RedisServer, RedisServer]]:
    """A primary with a replica, watched by sentinels."""
    with watched_primary(folder) as watched:
        yield watched.url, watched.primary, watched.replica


def failover(
    url: str, primary: RedisServer, replica: RedisServer, lose: Callable[[RedisServer], None]
) -> tuple[float, float]:
    """The longest read, in seconds, and the seconds from the loss to the first read that succeeded."""
    longest = 0.0
    with closing(RedisShopStorage(url, timeout_ms=TIMEOUT_MS)) as storage:
        store = storage.store("default")
        store.publish(version(1), keep=3)
        wait_until(lambda: replica.call("DBSIZE") == primary.call("DBSIZE"), "the replica has all")
        lose(primary)
        lost = began = time.monotonic()
        while not is_read(store):
            longest, began = max(longest, time.monotonic() - began), time.monotonic()
    return max(longest, time.monotonic() - began), time.monotonic() - lost


def is_read(store: VersionStore) -> bool:
    """Whether it answers."""
    try:
        store.read(ListQuery([]))
    except StoreUnavailableError:
        return False
    return True


def seconds_until(holds: Callable[[], object]) -> float:
    """From now."""
    started = time.monotonic()
    wait_until(holds, "it is followed")
    return time.monotonic() - started


def all_say(served: Served, path: str, holds: Callable[[Answer], bool]) -> bool:
    """Whether it holds for several new connections, and so for all workers."""
    return all(holds(served.ask(path)) for _ in range(4 * WORKERS))


def has_cap_3(answer: Answer) -> bool:
    """Whether it knows the new placement."""
    return bool(answer.json["limit"]["cap"] == 3)


def has(answer: Answer, product_id: str) -> bool:
    """Whether a product is in it."""
    return product_id in {item["product_id"] for item in answer.json["items"]}


if __name__ == "__main__":
    main()
