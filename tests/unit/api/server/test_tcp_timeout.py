"""What bounds the sockets that listen leaves all other files as they are."""

import os
import socket
from pathlib import Path

import pytest

from api.server import tcp_timeout

pytestmark = pytest.mark.skipif(
    not hasattr(socket, "TCP_USER_TIMEOUT") or not Path("/proc/self/fd").exists(), reason="needs Linux"
)


def open_files() -> set[str]:
    return {one.name for one in Path("/proc/self/fd").iterdir()}


def test_what_listens_and_what_came_before_get_the_time_out() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listening,
        socket.create_connection(listening.getsockname()),
        listening.accept()[0] as accepted,
    ):
        assert tcp_timeout._set_timeout(listening.fileno())
        assert not tcp_timeout._set_timeout(accepted.fileno())
        timeouts = [one.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) for one in (listening, accepted)]
    assert timeouts == [tcp_timeout.UNREAD_S * 1000] * 2


def test_other_sockets_stay_as_they_are() -> None:
    local, other = socket.socketpair()
    with local, other, socket.socket(type=socket.SOCK_DGRAM) as datagrams:
        assert not tcp_timeout._set_timeout(local.fileno())
        assert not tcp_timeout._set_timeout(datagrams.fileno())


def test_looking_leaves_no_file_open() -> None:
    reader, writer = os.pipe()
    try:
        before = open_files()
        assert not tcp_timeout._set_timeout(reader)
        assert open_files() == before
    finally:
        os.close(reader)
        os.close(writer)
    assert not tcp_timeout._set_timeout(reader), "it is closed"
