"""From an event to the next answer: real workers, a real Redis, everything seen through the API."""

import itertools
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from recommender.person import digest_of_person
from recommender.publication.lists import fold
from recommender.publication.manifest import Publication
from recommender.redis.keys import Keys
from tests.support import small_shop
from tests.support.redis_servers import RedisServer, redis_server, wait_until
from tests.support.served import WORKERS, Served, serve, store_of

NOW = datetime.now(UTC)
AS_OF = NOW - timedelta(days=5)
VERSION = f"{AS_OF:%Y%m%dT%H%M%SZ}-3f2a"

numbers, customers = itertools.count(), itertools.count()


def publication() -> Publication:
    """The small shop of today, trained five days ago, with a customer of ANNA's habits for each test."""
    today = (NOW - datetime(1970, 1, 1, tzinfo=UTC)).days
    records = [
        (*one[:2], one[2] - small_shop.TODAY + today, *one[3:]) for one in small_shop.ROWS["buy_again"]["ANNA"][1]
    ]
    rows = {
        **small_shop.ROWS,
        "buy_again": {f"ANNA{i}": small_shop.model(*records) for i in range(20)},
        "discover": {f"ANNA{i}": small_shop.ROWS["discover"]["ANNA"] for i in range(20)},
    }
    tables = {name: small_shop.table(name, lists) for name, lists in rows.items()}
    made = small_shop.publication(VERSION)
    manifest = {**made.manifest.to_dict(), "lists": {name: len(table) for name, table in tables.items()}}
    return Publication(type(made.manifest)(**manifest), made.products, tables)


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis_server(tmp_path_factory.mktemp("redis"), appendfsync="always") as server:
        store_of(server.url).publish(publication(), keep=3)
        yield server


@pytest.fixture(scope="module")
def served(redis: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("serve")
    with serve(folder, REPRISE_REDIS_URL=redis.url) as served:
        served.ask("/v1/popular")
        yield served


@pytest.fixture
def anna() -> str:
    """A customer of this test's own."""
    return f"ANNA{next(customers)}"


def tell(served: Served, event_type: str, product_id: str, **fields: Any) -> None:
    """Send one event, which is accepted."""
    known = {"event_id": f"fresh-{next(numbers)}", "event_type": event_type, "product_id": product_id}
    event = {**known, "occurred_at": datetime.now(UTC).isoformat(), **fields}
    answer = served.ask("/v1/events", "POST", {"events": [event]})
    assert (answer.status, answer.json["accepted"]) == (202, 1), answer.json


def recommended(served: Served, customer_id: str) -> Any:
    return served.ask(f"/v1/customers/{customer_id}/recommendations").json


def shown(answer: Any) -> list[str]:
    return [item["product_id"] for item in answer["items"]]


def seen_by_all(ask: Callable[[], Any], holds: Callable[[Any], bool], what: str) -> None:
    """Ask new connections, and so all workers, until all that answer in a row agree."""
    wait_until(lambda: all(holds(ask()) for _ in range(4 * WORKERS)), what)


def test_a_bought_product_is_no_longer_due(served: Served, anna: str) -> None:
    assert shown(recommended(served, anna))[0] == "MILK"
    tell(served, "purchase", "MILK", customer_id=anna)
    seen_by_all(
        lambda: recommended(served, anna),
        lambda answer: "MILK" not in shown(answer) and answer["suppressed"]["not_due"] == 2,
        "a bought product is not due any more",
    )


def test_a_bought_product_has_a_new_date(served: Served, anna: str) -> None:
    """Bought again four days ago, over half of its week has passed: it may be shown, with the date that follows."""

    def due_at() -> str:
        milk = served.ask(f"/v1/customers/{anna}/buy-again").json["items"][0]
        assert milk["product_id"] == "MILK"
        return str(milk["due"]["at"])

    assert due_at() == (NOW.date() + timedelta(days=1)).isoformat()
    bought = NOW - timedelta(days=4)
    tell(served, "purchase", "MILK", customer_id=anna, occurred_at=bought.isoformat())
    new_date = (bought.date() + timedelta(days=7)).isoformat()
    seen_by_all(due_at, lambda at: at == new_date, "a bought product has a new date")


def test_a_refund_takes_the_purchase_back(served: Served, anna: str) -> None:
    before = recommended(served, anna)["items"]
    tell(served, "purchase", "MILK", customer_id=anna, order_id="o1")
    assert "MILK" not in shown(recommended(served, anna))
    tell(served, "refund", "MILK", customer_id=anna, order_id="o1")
    seen_by_all(lambda: recommended(served, anna), lambda answer: answer["items"] == before, "a refund takes it back")


def test_a_new_customers_first_basket_is_personal(served: Served, redis: RedisServer) -> None:
    assert recommended(served, "NEW")["fallback"]["reason"] == "unknown_customer"
    tell(served, "purchase", "BREAD", customer_id="NEW", order_id="o1")
    seen_by_all(
        lambda: recommended(served, "NEW"),
        lambda answer: shown(answer)[0] == "BUTTER" and "BREAD" not in shown(answer),
        "a new customer's first basket",
    )
    wire = b"\0" + b"".join(index.to_bytes(4, "little") + b"\0\x38" for index in (7, 6))
    key = Keys("default").of("folded", digest_of_person("NEW", None))
    redis.call("SET", key, fold(VERSION, wire))
    seen_by_all(
        lambda: recommended(served, "NEW"),
        lambda answer: shown(answer)[:4] == ["BUTTER", "MILK", "käse 🧀", "a/b c"],
        "what was folded in for a new customer",
    )


def test_complements_of_the_last_order_move_up(served: Served, anna: str) -> None:
    assert shown(recommended(served, anna)) == ["MILK", "COFFEE", "BUTTER"]
    tell(served, "purchase", "BREAD", customer_id=anna)
    seen_by_all(
        lambda: recommended(served, anna),
        lambda answer: shown(answer) == ["BUTTER", "MILK", "COFFEE"],
        "complements of the last order move up",
    )


def test_complements_of_the_cart_move_up(served: Served, anna: str) -> None:
    tell(served, "add_to_cart", "BREAD", customer_id=anna)
    seen_by_all(
        lambda: recommended(served, anna),
        lambda answer: shown(answer)[0] == "BUTTER" and answer["items"][0]["kind"] == "complement",
        "complements of the cart move up",
    )


@pytest.mark.parametrize(("event_type", "product_id"), [("view", "MILK"), ("add_to_cart", "BREAD")])
def test_what_a_session_does_influences_its_anonymous_slate(served: Served, event_type: str, product_id: str) -> None:
    session_id = f"session-{event_type}"
    body = {"placement": "home", "session_id": session_id}

    def ask() -> Any:
        return served.ask("/v1/recommendations", "POST", body).json

    assert shown(ask())[0] == "COFFEE"
    tell(served, event_type, product_id, session_id=session_id)
    seen_by_all(ask, lambda answer: shown(answer)[0] == "BUTTER", f"{event_type} in an anonymous session")


def test_what_is_not_wanted_is_hidden(served: Served, anna: str) -> None:
    tell(served, "not_interested", "MILK", customer_id=anna)
    seen_by_all(
        lambda: recommended(served, anna),
        lambda answer: "MILK" not in shown(answer) and answer["suppressed"]["not_interested"] == 1,
        "not_interested hides",
    )
