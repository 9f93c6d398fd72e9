"""What the shop says of its products, seen in every worker of a real service."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.support.load import MANY, Answer, load
from tests.support.redis_servers import RedisServer, redis_server, wait_until
from tests.support.served import PUBLIC, WORKERS, Served, serve, store_of, version

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


def say(served: Served, product_id: str, **fields: object) -> None:
    """Say it, and be heard."""
    answer = served.ask(f"/v1/products/{product_id}", "PUT", fields)
    assert answer.status == 200, answer.body


def seen_by_all(served: Served, holds: Callable[[Answer], bool]) -> None:
    """Return when `holds` is true of all answers; it must be for good."""
    wait_until(lambda: all(map(holds, every_answer(served))), "all workers follow")
    assert all(map(holds, every_answer(served)))


def test_sold_out_is_gone_from_every_answer_and_back_when_restocked(served: Served) -> None:
    everywhere = every_answer(served)
    assert all(b'"p2"' in answer.body for answer in everywhere)
    for in_stock in (False, True) * 3:

        def follows(answer: Answer, in_stock: bool = in_stock) -> bool:
            return (b'"p2"' in answer.body) == in_stock

        with load(served.address, WITH_P2, threads=4) as running:
            say(served, "p2", in_stock=in_stock)
            seen_by_all(served, follows)
            assert all(map(follows, running.next(MANY)))
        assert {answer.status for answer in running.answers} == {200}


def test_a_new_product_a_price_and_a_block_are_followed_by_all_workers(served: Served) -> None:
    say(served, "NEW", title="New tea", category="Tea")

    def shows(answer: Answer) -> bool:
        return "items" not in answer.json or answer.path != "/v1/popular" or b'"NEW"' in answer.body

    seen_by_all(served, shows)
    assert {served.ask("/v1/products/NEW/similar").status for _ in range(4 * WORKERS)} == {200}
    say(served, "p2", price="77.70")
    seen_by_all(served, lambda answer: b'"77.70"' in answer.body)
    say(served, "p2", blocked=True)
    seen_by_all(served, lambda answer: b'"p2"' not in answer.body)
    assert served.ask("/v1/products/p2", "DELETE").status == served.ask("/v1/products/NEW", "DELETE").status == 200
    seen_by_all(served, lambda answer: b'"p2"' in answer.body)
    wait_until(lambda: served.ask("/v1/products/NEW/similar").status == 404, "it is unknown again")


def test_what_was_followed_last_applies_while_redis_is_away(served: Served, redis: RedisServer) -> None:
    say(served, "p2", in_stock=False)
    seen_by_all(served, lambda answer: b'"p2"' not in answer.body)
    with away(redis):
        served.wait_until_lost()
        answers = [served.ask(path) for path in PUBLIC * 4 * WORKERS]
        assert {answer.status for answer in answers} == {200}
        assert all(b'"p2"' not in answer.body for answer in answers)
        assert served.ask("/v1/products/p2", "PUT", {"in_stock": True}).status == 503
    wait_until(lambda: served.ask("/v1/products/p2", "DELETE").status == 200, "Redis answers again")
    seen_by_all(served, lambda answer: b'"p2"' in answer.body)


def test_ten_thousand_products_in_bulk_under_load(served: Served) -> None:
    with load(served.address, PUBLIC, threads=2) as running:
        for first in range(0, 10_000, 1_000):
            products = [{"product_id": f"bulk-{i}", "in_stock": False} for i in range(first, first + 1_000)]
            answer = served.ask("/v1/products", "POST", {"products": products})
            assert answer.json == {"accepted": 1_000, "rejected": []}
        say(served, "p2", in_stock=False)
        seen_by_all(served, lambda answer: b'"p2"' not in answer.body)
    assert {answer.status for answer in running.answers} == {200}


@contextmanager
def away(redis: RedisServer) -> Iterator[None]:
    """Redis is gone in this block; what was written stays."""
    redis.kill()
    try:
        yield
    finally:
        redis.start()
