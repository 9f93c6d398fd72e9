"""After an erasure a customer's id is nowhere: in no key, no value, no file and no log."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from recommender.redis.shops import RedisShopStorage
from recommender.storage.event_queue import Entry
from tests.support.commands import call_reprise
from tests.support.load import ask
from tests.support.redis_servers import RedisServer, redis_server, wait_until
from tests.support.served import Served, serve

GONE = "ZOE-7f3a/ü"
STAYS = "BEN-7f3a"
QUOTED = "ZOE-7f3a/%C3%BC"
FORMS = (GONE.encode(), QUOTED.encode(), json.dumps(GONE)[1:-1].encode(), b"ZOE-7f3a")
"""How the id might be spelled."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    with redis_server(tmp_path / "home" / "redis", appendfsync="always") as server:
        yield server


@pytest.fixture
def served(tmp_path: Path, server: RedisServer) -> Iterator[Served]:
    with serve(tmp_path, REPRISE_REDIS_URL=server.url, REPRISE_LOG_LEVEL="debug") as served:
        yield served


@pytest.fixture
def reprise(tmp_path: Path, server: RedisServer):
    def reprise(*arguments: object) -> str:
        done = call_reprise(tmp_path / "home", *arguments, environment={"REPRISE_REDIS_URL": server.url})
        assert done.returncode == 0, done.stderr
        with (tmp_path / "commands.log").open("a") as log:
            log.write(done.stderr)
        return done.stdout

    return reprise


def send(served: Served, customer_id: str, *event_types: str, session_id: str | None = None) -> dict:
    now = datetime.now(UTC)
    events = [
        {
            "event_id": f"{number}-{now.timestamp()}-{customer_id}",
            "event_type": event_type,
            "customer_id": customer_id,
            "product_id": "P1",
            "occurred_at": (now - timedelta(minutes=1)).isoformat(),
            **({"session_id": session_id} if session_id else {}),
        }
        for number, event_type in enumerate(event_types)
    ]
    answer = ask(served.address, "/v1/events", "POST", {"events": events})
    assert answer.status in (202, 400), answer.body
    return answer.json


def write_purchases(path: Path) -> Path:
    """A small shop in which GONE and STAYS are regulars, and a bad row of each."""
    start = datetime(2026, 9, 1, 12, tzinfo=UTC)
    customers = [GONE, STAYS, *(f"C{number}" for number in range(10))]
    rows = [
        (customer, f"P{(number + day) % 6}", (start + timedelta(days=7 * day)).isoformat(), "1")
        for number, customer in enumerate(customers)
        for day in range(10)
    ]
    rows += [(customer, "P1", "not a date", "1") for customer in (GONE, STAYS)]
    pl.DataFrame(rows, schema=["customer_id", "product_id", "ordered_at", "quantity"], orient="row").write_csv(path)
    return path


def bury_one_of_each(server: RedisServer) -> None:
    """Dead letters of both: their events were handed out too often."""
    storage = RedisShopStorage(server.url, timeout_ms=5_000)
    storage.event_log("default").queue.bury(
        [
            Entry(f"{number}-0", json.dumps({"event_id": "x", "customer_id": customer_id}).encode())
            for number, customer_id in enumerate((GONE, STAYS))
        ],
        "delivered 6 times",
        datetime.now(UTC),
    )
    storage.close()


def found_in_redis(server: RedisServer) -> list[str]:
    """Every key whose name or value, dumped to text, has the id."""
    storage = RedisShopStorage(server.url, timeout_ms=5_000)
    client = storage._writer
    readers = {
        b"string": lambda key: [client.call("GET", key)],
        b"list": lambda key: client.call("LRANGE", key, 0, -1),
        b"set": lambda key: list(client.call("SMEMBERS", key)),
        b"hash": lambda key: [part for pair in client.call("HGETALL", key).items() for part in pair],
        b"stream": lambda key: [
            part
            for _, fields in client.evaluate("return redis.call('XRANGE', KEYS[1], '-', '+')", [key])
            for part in fields
        ],
    }
    found = []
    for key in client.call("KEYS", "*"):
        kind = client.call("TYPE", key)
        values = [key, *readers[kind if isinstance(kind, bytes) else kind.encode()](key)]
        found += [key.decode(errors="replace") for value in values if any(form in value for form in FORMS)]
    storage.close()
    return found


def found_in_files(folder: Path, *but: Path) -> list[str]:
    """Every file under `folder` that has the id; Parquet files are read, as they may be compressed."""
    files = [path for path in folder.rglob("*") if path.is_file() and path not in but]
    found = [path for path in files if any(form in path.read_bytes() for form in FORMS)]
    found += [
        path for path in files if path.suffix == ".parquet" and GONE in pl.read_parquet(path)["customer_id"].to_list()
    ]
    return sorted({str(path.relative_to(folder)) for path in found})


@pytest.mark.slow
def test_an_erased_customer_is_found_nowhere(tmp_path, server, served, reprise):
    purchases = write_purchases(tmp_path / "purchases.csv")
    older = json.loads(reprise("train", purchases, "--as-of", "2026-10-20", "--json"))["version"]
    reprise("train", purchases, "--json")
    everything = ("purchase", "view", "impression", "not_interested")
    for customer_id in (GONE, STAYS):
        send(served, customer_id, *everything, session_id="s1")
    reprise("worker", "--once")
    for customer_id in (GONE, STAYS):
        send(served, customer_id, *everything)
    bury_one_of_each(server)
    wait_until(
        lambda: ask(served.address, f"/v1/customers/{QUOTED}/recommendations").json["fallback"] is None,
        "lists are seen",
    )
    before = found_in_redis(server)
    assert {key.split(":")[2] for key in before} == {"orders", "session", "shown", "events", "v"}
    files = found_in_files(tmp_path, purchases)
    assert {Path(file).parts[1] for file in files} == {"ledger", "models", "quarantine", "redis"}

    answer = ask(served.address, f"/v1/customers/{QUOTED}", "DELETE")
    assert (answer.status, answer.json) == (200, {"events": 5, "lists": 4})
    assert found_in_redis(server) == []
    assert ask(served.address, f"/v1/customers/{QUOTED}", "DELETE").json == {"events": 0, "lists": 0}
    refused = send(served, GONE, "purchase")
    assert (refused["code"], [one["code"] for one in refused["errors"]]) == ("nothing_accepted", ["erased"])

    reprise("worker", "--once")  # a stream lets go of deleted text with what was beside it
    told = json.loads(reprise("erase", "--json"))
    assert (told["archived_events"], told["quarantined_rows"], told["append_only_file"]) == (4, 1, "written anew")
    assert older in told["versions"]
    assert len(told["versions"]) == 2
    wait_until(lambda: not found_in_files(tmp_path, purchases), f"gone from {found_in_files(tmp_path, purchases)}")
    assert found_in_redis(server) == []

    reprise("publish", older)
    reprise("train", purchases, "--ledger", tmp_path / "home" / "ledger", "--force")
    reprise("rollback")
    reprise("worker", "--once")
    assert found_in_redis(server) == []
    assert found_in_files(tmp_path / "home" / "ledger") == found_in_files(tmp_path / "home" / "models") == []
    assert ask(served.address, f"/v1/customers/{STAYS}/recommendations").json["fallback"] is None


@pytest.mark.slow
def test_what_was_published_before_the_files_were_erased_brings_nobody_back(tmp_path, server, served, reprise):
    purchases = write_purchases(tmp_path / "purchases.csv")
    older = json.loads(reprise("train", purchases, "--as-of", "2026-10-20", "--json", "--no-publish"))["version"]
    reprise("train", purchases)
    ask(served.address, f"/v1/customers/{QUOTED}", "DELETE")
    reprise("publish", older)
    assert json.loads(reprise("models", "--json"))["current"] == older
    assert found_in_redis(server) == []


@pytest.mark.slow
def test_last_copies_in_the_workers_memory_go_too(tmp_path, server, served, reprise):
    reprise("train", write_purchases(tmp_path / "purchases.csv"))
    path = f"/v1/customers/{QUOTED}/recommendations"

    def kinds() -> set[str]:
        answers = [ask(served.address, path) for _ in range(12)]
        return {item["kind"] for answer in answers for item in answer.json["items"]}

    wait_until(lambda: "buy_again" in kinds(), "lists are seen")
    assert ask(served.address, f"/v1/customers/{QUOTED}", "DELETE").json["lists"] == 2
    assert "buy_again" not in kinds()
    assert ask(served.address, "/v1/placements/home", "PUT", {"cap": 3, "default_limit": 2}).status == 200
    wait_until(lambda: {ask(served.address, path).json["limit"]["cap"] for _ in range(12)} == {3}, "all have followed")
    server.kill()
    assert "buy_again" not in kinds()
