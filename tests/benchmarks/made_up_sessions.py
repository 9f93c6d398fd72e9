"""Memory of Redis under made-up sessions: `python tests/benchmarks/made_up_sessions.py --json`.

Whoever has a publishable key of a shop with `log_impressions` can ask in the name of a new session each time. Told are
the bytes of a million such sessions, with as many impressions waiting as may, and once all are archived.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from recommender.connection.client import RedisClient
from recommender.errors import BackPressureError
from recommender.events.event import Event
from recommender.redis.event_log import RedisEventLog
from recommender.redis.keys import Keys
from tests.support.redis_servers import redis_server

SHOP, AT_ONCE = "default", 1_000


def impressions(sessions: range, per_session: int) -> list[Event]:
    """What answers to these sessions showed."""
    known = {"event_type": "impression", "placement": "home", "occurred_at": datetime.now(UTC)}
    return [
        Event(event_id=f"rec_{one:026}:{rank}", session_id=f"s{one}", product_id=f"P{rank}", rank=rank, **known)
        for one in sessions
        for rank in range(1, per_session + 1)
    ]


def fill(client: RedisClient, n_sessions: int, per_session: int, bound: int, *, own: bool) -> Iterator[dict[str, int]]:
    """Figures with all sessions told, and with what waited archived."""
    log, keys = RedisEventLog(SHOP, client), Keys(SHOP)
    client.call("FLUSHALL")
    empty, refused = used(client), 0
    for first in range(0, n_sessions, AT_ONCE // per_session):
        sessions = range(first, min(first + AT_ONCE // per_session, n_sessions))
        try:
            log.accept(impressions(sessions, per_session), datetime.now(UTC), bound, own=own)
        except BackPressureError:
            refused += len(sessions)
    waiting = client.call("XLEN", keys.events)
    yield {"sessions": n_sessions, "refused": refused, "waiting": waiting, "bytes": used(client) - empty}
    client.call("DEL", keys.events)
    left = used(client) - empty
    yield {"sessions": n_sessions, "bytes": left, "bytes_per_session": left // n_sessions}


def used(client: RedisClient) -> int:
    """Bytes that Redis holds."""
    found = client.call("INFO", "memory")
    while found["lazyfree_pending_objects"]:
        time.sleep(0.05)
        found = client.call("INFO", "memory")
    return int(found["used_memory"])


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=1_000_000)
    parser.add_argument("--per-session", type=int, default=20)
    parser.add_argument("--bound", type=int, default=500_000)
    parser.add_argument("--as-before", action="store_true", help="As events that a shop sends are kept.")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, redis_server(Path(folder)) as server:
        client = RedisClient(server.url, connect_timeout_s=5, timeout_s=30)
        own = not options.as_before
        for figures in fill(client, options.sessions, options.per_session, options.bound, own=own):
            print(json.dumps(figures) if options.json else figures)


if __name__ == "__main__":
    main()
