"""What the shop says of its products, seen in every worker of a real service within a second."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.load import Answer, load, worst_s
from tests.redis_servers import RedisServer, redis_server, wait_until
from tests.served import PUBLIC, WORKERS, Served, serve, store_of, version

pytestmark = pytest.mark.slow

WITH_P2 = [
    "/v1/products/p1/similar",
    "/v1/products/p1/bought-together",
    "/v1/popular",
    "/v1/customers/ann/recommendations?limit=3",
    "/v1/customers/nobody/recommendations",
]
SESSION = {"placement": "home", "recently_viewed": ["p1"]}
BATCH = {"requests": [{"path": path} for path in WITH_P2]}
WITHIN_S = 1.0


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis_server(tmp_path_factory.mktemp("redis"), appendfsync="always") as server:
        store_of(server.url).publish(version(0), keep=3)
        yield server


@pytest.fixture(scope="module")
def served(redis: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve(tmp_path_factory.mktemp("serve"), REPRISE_REDIS_URL=redis.url, REPRISE_LOG_LEVEL="warning") as served:
        yield served


def every_answer(served: Served) -> list[Answer]:
    """Every kind of answer that may show a product, several times on connections of their own: from all workers."""
    asked = [served.ask(path) for path in WITH_P2 * 4 * WORKERS]
    asked += [served.ask("/v1/recommendations", "POST", SESSION) for _ in range(4 * WORKERS)]
    return [*asked, *(served.ask("/v1/batch", "POST", BATCH) for _ in range(4 * WORKERS))]


def say(served: Served, product_id: str, **fields: object) -> float:
    """Say it and return the moment."""
    answer = served.ask(f"/v1/products/{product_id}", "PUT", fields)
    assert answer.status == 200, answer.body
    return time.monotonic()


def seconds_until(served: Served, said_at: float, holds: Callable[[Answer], bool]) -> float:
    """From `said_at` until `holds` is true of all answers for good."""
    wait_until(lambda: all(map(holds, every_answer(served))), "all workers follow")
    seen_at = time.monotonic()
    assert all(map(holds, every_answer(served)))
    return seen_at - said_at


def test_sold_out_is_gone_from_every_answer_within_a_second_and_back_when_restocked(served: Served) -> None:
    everywhere = every_answer(served)
    assert all(b'"p2"' in answer.body for answer in everywhere)
    worst = {}
    for in_stock in (False, True) * 3:
        with load(served.address, WITH_P2, threads=4) as running:
            said_at = say(served, "p2", in_stock=in_stock)
            time.sleep(2 * WITHIN_S)
        late = [answer for answer in running.since(said_at) if (b'"p2"' in answer.body) != in_stock]
        worst[in_stock] = max([*(answer.started - said_at for answer in late), worst.get(in_stock, 0.0)])
        assert len(running.since(said_at + WITHIN_S)) > 50
        assert {answer.status for answer in running.answers} == {200}
        assert all((b'"p2"' in answer.body) == in_stock for answer in every_answer(served))
    print(
        f"last seen {worst[False]:.3f} s after it was sold out, last missed {worst[True]:.3f} s after it was restocked"
    )
    assert max(worst.values()) < WITHIN_S


def test_a_new_product_a_price_and_a_block_are_followed_by_all_workers(served: Served) -> None:
    said_at = say(served, "NEW", title="New tea", category="Tea")

    def shows(answer: Answer) -> bool:
        return "items" not in answer.json or answer.path != "/v1/popular" or b'"NEW"' in answer.body

    took = [seconds_until(served, said_at, shows)]
    assert {served.ask("/v1/products/NEW/similar").status for _ in range(4 * WORKERS)} == {200}
    said_at = say(served, "p2", price="77.70")
    took.append(seconds_until(served, said_at, lambda answer: b'"77.70"' in answer.body))
    said_at = say(served, "p2", blocked=True)
    took.append(seconds_until(served, said_at, lambda answer: b'"p2"' not in answer.body))
    assert served.ask("/v1/products/p2", "DELETE").status == served.ask("/v1/products/NEW", "DELETE").status == 200
    took.append(seconds_until(served, time.monotonic(), lambda answer: b'"p2"' in answer.body))
    wait_until(lambda: served.ask("/v1/products/NEW/similar").status == 404, "it is unknown again")
    print("all workers followed after", ", ".join(f"{seconds:.2f} s" for seconds in took))


def test_what_was_followed_last_applies_while_redis_is_away(served: Served, redis: RedisServer) -> None:
    said_at = say(served, "p2", in_stock=False)
    seconds_until(served, said_at, lambda answer: b'"p2"' not in answer.body)
    with away(redis):
        time.sleep(0.5)
        answers = [served.ask(path) for path in PUBLIC * 4 * WORKERS]
        assert {answer.status for answer in answers} == {200}
        assert all(b'"p2"' not in answer.body for answer in answers)
        assert served.ask("/v1/products/p2", "PUT", {"in_stock": True}).status == 503
    wait_until(lambda: served.ask("/v1/products/p2", "DELETE").status == 200, "Redis answers again")
    seconds_until(served, time.monotonic(), lambda answer: b'"p2"' in answer.body)


def test_ten_thousand_products_in_bulk_under_load(served: Served) -> None:
    with load(served.address, PUBLIC, threads=2) as running:
        started = time.monotonic()
        for first in range(0, 10_000, 1_000):
            products = [{"product_id": f"bulk-{i}", "in_stock": False} for i in range(first, first + 1_000)]
            answer = served.ask("/v1/products", "POST", {"products": products})
            assert answer.json == {"accepted": 1_000, "rejected": []}
        said_at = say(served, "p2", in_stock=False)
        took = seconds_until(served, said_at, lambda answer: b'"p2"' not in answer.body)
    print(
        f"10,000 products said in {said_at - started:.2f} s, one more followed after {took:.2f} s; "
        f"{len(running.answers)} answers meanwhile, worst {worst_s(running.answers) * 1000:.0f} ms"
    )
    assert {answer.status for answer in running.answers} == {200}


@contextmanager
def away(redis: RedisServer) -> Iterator[None]:
    """Redis is gone in this block; what was written stays."""
    redis.kill()
    try:
        yield
    finally:
        redis.start()
