"""Servers and a small world that several suites share."""

import os
import secrets
import shutil
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

from recommender.connection import embedded
from recommender.connection.client import RedisClient
from recommender.connection.embedded import embedded_server
from recommender.data_dir import DataDirectory
from recommender.publication.lists import LIST_NAMES, RECORDS, ListName, ListTable
from recommender.publication.manifest import Manifest, Publication
from recommender.publication.product import Product
from recommender.redis.keys import Keys
from tests.support.needs import PROGRAMS, find_program

MakePublication = Callable[..., Publication]

# a shell ignores Ctrl-C for what it runs in the background, and so would every process that a test starts
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# how long an example takes says how busy the machine is, not whether the code is right
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One process more than there are cores (`-n auto`): many a test waits for a time-out of what it tests."""
    return (os.cpu_count() or 1) + 1


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose markers ask for a program that is not here."""
    for need, programs in PROGRAMS.items():
        if item.get_closest_marker(need) and not find_program(need):
            pytest.skip(f"needs {' or '.join(programs)} on PATH")


@pytest.fixture(autouse=True)
def _own_threads() -> Iterator[None]:
    """A command that runs in this process may have it end with one of its threads; later tests are not to be hit."""
    hook = threading.excepthook
    yield
    threading.excepthook = hook


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real server of this test session alone. Tests share it: each takes a `shop` of its own."""
    with embedded_server(DataDirectory(tmp_path_factory.mktemp("server"))) as url:
        yield url


@pytest.fixture(scope="session")
def other_redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that is not ours: of TEST_REDIS_URL, or of a program on PATH."""
    if url := os.environ.get("TEST_REDIS_URL"):
        yield url
        return
    if not (shutil.which("redis-server") or shutil.which("valkey-server")):
        pytest.skip("TEST_REDIS_URL is not set and no redis-server or valkey-server is on PATH")
    server = embedded_server(DataDirectory(tmp_path_factory.mktemp("other-server")))
    with ExitStack() as until_the_end:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(embedded, "find_spec", lambda _: None)
            url = until_the_end.enter_context(server)
        yield url


@pytest.fixture
def connect() -> Iterator[Callable[[str], RedisClient]]:
    """A function that makes a client for a test's own look at a server."""
    clients: list[RedisClient] = []

    def client(url: str) -> RedisClient:
        clients.append(RedisClient(url, connect_timeout_s=5, timeout_s=30))
        return clients[-1]

    yield client
    for made in clients:
        made.close()


@pytest.fixture
def shop() -> str:
    """The name of a shop that no other test uses."""
    return f"test-{secrets.token_hex(6)}"


@dataclass(frozen=True)
class RedisShop:
    """One shop on one server, and a client of the test's own to look behind the store."""

    url: str
    shop: str
    client: RedisClient

    def list_keys(self) -> set[str]:
        """Every key that the shop has."""
        return {key.decode() for key in self.client.call("KEYS", Keys(self.shop).current.replace("current", "*"))}


@pytest.fixture
def redis_shop(redis_url: str, shop: str, connect: Callable[[str], RedisClient]) -> RedisShop:
    """An empty shop on the session's server."""
    return RedisShop(redis_url, shop, connect(redis_url))


Lists = Mapping[ListName, Mapping[str, Sequence[int]]]
"""Product indices, best first, by list name and owner."""


@pytest.fixture(scope="session")
def make_publication() -> MakePublication:
    """A function that builds a version from product indices by list name and owner."""
    return build_publication


def build_publication(version: str, lists: Lists, *, n_products: int = 10, created_at: str = "") -> Publication:
    """Record j of each list has score 1 / (j + 1); product i is called `p<i>` and titled `<version> <i>`.

    `created_at` is the version where it is not given, so that versions sort by name.
    """
    manifest = Manifest(
        version=version,
        as_of="2026-11-20T02:00:00+00:00",
        created_at=created_at or version,
        counts={"customers": 2, "products": n_products},
        lists={name: len(lists.get(name, {})) for name in LIST_NAMES},
    )
    products = [Product(f"p{i}", title=f"{version} {i}") for i in range(n_products)]
    return Publication(manifest, products, {name: _table(name, lists.get(name, {})) for name in LIST_NAMES})


def _table(name: ListName, lists: Mapping[str, Sequence[int]]) -> ListTable:
    lengths = [len(indices) for indices in lists.values()]
    records = np.zeros(sum(lengths), RECORDS[name])
    records["product_index"] = [index for indices in lists.values() for index in indices]
    records["score"] = [1 / (j + 1) for length in lengths for j in range(length)]
    return ListTable(
        owner_ids=list(lists),
        starts=np.cumsum([0, *lengths], dtype=np.int64),
        records=records,
        basis=np.zeros(len(lists), np.uint8),
    )
