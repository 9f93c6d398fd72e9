import socket

import pytest

from recommender.connection.client import RedisClient
from recommender.errors import StoreUnavailableError
from tests.support.redis_servers import free_port

LOGIN = ":s3cret@"


@pytest.fixture(params=["redis", "redis+cluster", "redis+sentinel"])
def url(request) -> str:
    """An address with `{}` for host and port."""
    return f"{request.param}://{LOGIN}{{}}" + ("/main" if "sentinel" in request.param else "")


def test_making_one_connects_to_nothing(url):
    RedisClient(url.format(f"127.0.0.1:{free_port()}"), connect_timeout_s=0.1, timeout_s=0.1).close()


def test_a_server_that_is_not_there_is_told_without_the_password(url):
    port = free_port()
    client = RedisClient(url.format(f"127.0.0.1:{port}"), connect_timeout_s=0.1, timeout_s=0.1)
    for ask in (
        lambda: client.call("GET", "key"),
        lambda: client.pipeline([("GET", "key")]),
        lambda: client.evaluate_cached("return 1", "0" * 40, ["key"]),
    ):
        with pytest.raises(StoreUnavailableError, match=f"127.0.0.1:{port}.* cannot be reached") as raised:
            ask()
        assert "s3cret" not in str(raised.value)


def test_a_server_that_never_answers_is_asked_once(url):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        client = RedisClient(url.format(f"127.0.0.1:{silent.getsockname()[1]}"), connect_timeout_s=0.05, timeout_s=0.05)
        with pytest.raises(StoreUnavailableError, match=r"did not answer within 0\.05 s"):
            client.call("GET", "key")
        client.close()
        silent.setblocking(False)
        silent.accept()[0].close()
        with pytest.raises(BlockingIOError):  # who asks again connects again
            silent.accept()


def test_no_command_is_no_round_trip(url):
    client = RedisClient(url.format(f"127.0.0.1:{free_port()}"), connect_timeout_s=0.1, timeout_s=0.1)
    assert client.pipeline([]) == []
