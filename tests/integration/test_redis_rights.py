"""A user of Redis without INFO and the dangerous commands: all goes on, and what was not looked at is said."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime

import pytest
import redis

from api import create_app
from recommender.campaigns.suppressions import collect, erase, restore, watch_loss
from recommender.connection.client import RedisClient
from recommender.data_dir import DataDirectory
from recommender.errors import NotPermittedError
from recommender.redis.publish import UNCHECKED
from recommender.redis.shops import RedisShopStorage
from recommender.settings import Settings
from tests.support.campaigns import Customer, make_version
from tests.support.needs import find_program
from tests.support.redis_servers import RedisServer, redis_server

VERSION = make_version(
    {"ANN": Customer(discover={"A": 0.5, "B": 0.4}), "BEN": Customer(discover={"B": 0.4})}, list("ABC")
)
NOW = datetime.now(UTC)
RIGHTS = "~* &* +@all -@admin -@dangerous"
README_RIGHTS = "~reprise:* resetchannels +@all -@admin -@dangerous +info"


@pytest.fixture(params=["embedded", pytest.param("redis-server", marks=pytest.mark.redis_server)])
def server(request: pytest.FixtureRequest, tmp_path) -> Iterator[RedisServer]:
    program = None if request.param == "embedded" else find_program("redis_server")
    with redis_server(tmp_path / "redis", program=program, maxmemory="50mb") as server:
        yield server


def login(server: RedisServer, rights: str) -> str:
    """The address of the server for a user who has these rights alone."""
    with redis.Redis.from_url(server.url) as admin:
        admin.execute_command("ACL", "SETUSER", "reprise", "on", ">pw", *rights.split())  # type: ignore[no-untyped-call]
    return server.url.replace("redis://", "redis://reprise:pw@")


def test_publishing_goes_on_without_the_right_to_info_and_says_so(server, tmp_path):
    url = login(server, RIGHTS)
    with (
        closing(RedisClient(url, connect_timeout_s=5.0, timeout_s=5.0)) as client,
        pytest.raises(NotPermittedError, match="info"),
    ):
        client.call("INFO")
    with closing(RedisShopStorage(url, timeout_ms=5_000)) as storage:
        assert storage.store("default").publish(VERSION, keep=1) == [UNCHECKED]
        page = create_app(Settings(home=tmp_path), storage).test_client().get("/v1/customers/ANN/recommendations")
        assert [item["product_id"] for item in page.json["items"]][:1] == ["A"]


def test_everything_else_that_asks_for_it_goes_on_too(server, tmp_path):
    home = DataDirectory(tmp_path)
    with closing(RedisShopStorage(login(server, RIGHTS), timeout_ms=5_000)) as storage:
        storage.store("default").publish(VERSION, keep=1)
        erase(storage, "default", "BEN", NOW)
        collect(storage, "default", home)
        assert restore(storage, "default", home) == 0
        watch_loss(storage, "default", home)()
        assert storage.contacts("default").server().startswith("not told")


def test_the_rights_that_the_page_names_are_enough(server, tmp_path):
    with closing(RedisShopStorage(login(server, README_RIGHTS), timeout_ms=5_000)) as storage:
        assert storage.store("default").publish(VERSION, keep=1) == []
        assert not storage.contacts("default").server().startswith("not told")
        erase(storage, "default", "BEN", NOW)
        collect(storage, "default", DataDirectory(tmp_path))
        assert restore(storage, "default", DataDirectory(tmp_path)) == 0
