"""Groups of servers that exist as scripts only: what they are asked, in which order, and what is made of it."""

from collections.abc import Callable
from typing import Any

import pytest
from redis import exceptions

from recommender.connection import topology
from recommender.connection.topology import Cluster, OneServer, Sentinel

A, B, C = ("a", 1), ("b", 2), ("c", 3)
REFUSED = exceptions.ConnectionError("refused")
TIMED_OUT = exceptions.TimeoutError("timed out")


class Servers:
    """Answers by address and command; each question is noted."""

    def __init__(self, **answers: dict[str, Any]) -> None:
        self.answers = answers
        self.asked: list[str] = []

    def connect(self, address: tuple[str, int]) -> Any:
        return Server(self, address[0])


class Server:
    def __init__(self, servers: Servers, name: str) -> None:
        self.name = name
        self._servers = servers

    def execute_command(self, *command: str) -> Any:
        self._servers.asked.append(f"{self.name} {command[0]}")
        answer = self._servers.answers[self.name][command[0]]
        if isinstance(answer, Exception):
            raise answer
        return answer


def primary(**more: Any) -> dict[str, Any]:
    return {"HELLO": {b"role": b"master"}, "GET": "found", **more}


REPLICA = {"HELLO": {b"role": b"replica"}}


def slots(name: bytes, port: int) -> list:
    return [[0, 16_383, [name, port, b"id", []]]]


def get(server: Any) -> Any:
    return server.execute_command("GET")


def watched(servers: Servers) -> Sentinel:
    return Sentinel("main", (A, B), servers.connect, servers.connect)


@pytest.fixture
def clock(monkeypatch) -> Callable[[float], None]:
    """A function that lets time pass."""
    now = [1_000.0]
    monkeypatch.setattr(topology.time, "monotonic", lambda: now[0])

    def pass_s(seconds: float) -> None:
        now[0] += seconds

    return pass_s


def test_one_server_holds_every_key():
    servers = Servers(a=primary())
    assert OneServer(servers.connect(A)).ask(b"key", get) == "found"
    assert servers.asked == ["a GET"]


def test_a_primary_is_looked_up_once(clock):
    servers = Servers(a={"SENTINEL": [b"c", b"3"]}, c=primary())
    group = watched(servers)
    assert [group.ask(b"key", get) for _ in range(3)] == ["found"] * 3
    assert servers.asked == ["a SENTINEL", "c HELLO", "c GET", "c GET", "c GET"]


def test_a_server_that_was_not_asked_for_long_is_looked_up_again(clock):
    servers = Servers(a={"SENTINEL": [b"c", b"3"]}, c=primary())
    group = watched(servers)
    for _ in range(4):
        group.ask(b"key", get)
        clock(topology.IDLE_S - 0.1)
    assert servers.asked.count("a SENTINEL") == 1
    clock(0.2)
    group.ask(b"key", get)
    assert servers.asked.count("a SENTINEL") == 2


def test_after_a_failed_call_another_sentinel_is_asked(clock):
    servers = Servers(a={"SENTINEL": [b"c", b"3"]}, b={"SENTINEL": [b"d", b"4"]}, c=primary(), d=primary())
    group = watched(servers)
    group.ask(b"key", get)
    servers.answers["c"]["GET"] = TIMED_OUT
    with pytest.raises(exceptions.TimeoutError):
        group.ask(b"key", get)
    assert group.ask(b"key", get) == "found"
    assert servers.asked[-3:] == ["b SENTINEL", "d HELLO", "d GET"]


@pytest.mark.parametrize(
    "wrong", [REFUSED, [b"d", b"4"], [b"e", b"5"], None], ids=["refuses", "dead", "replica", "none"]
)
def test_a_sentinel_that_knows_nothing_useful_is_passed_over_within_the_call(clock, wrong):
    servers = Servers(a={"SENTINEL": wrong}, b={"SENTINEL": [b"c", b"3"]}, c=primary(), d={"HELLO": REFUSED}, e=REPLICA)
    assert watched(servers).ask(b"key", get) == "found"


def test_a_time_out_ends_the_call_and_the_next_call_begins_elsewhere(clock):
    servers = Servers(a={"SENTINEL": TIMED_OUT}, b={"SENTINEL": [b"c", b"3"]}, c=primary())
    group = watched(servers)
    with pytest.raises(exceptions.TimeoutError):
        group.ask(b"key", get)
    assert servers.asked == ["a SENTINEL"]
    assert group.ask(b"key", get) == "found"


def test_where_no_sentinel_answers_each_is_asked_once(clock):
    servers = Servers(a={"SENTINEL": REFUSED}, b={"SENTINEL": REFUSED})
    with pytest.raises(exceptions.ConnectionError):
        watched(servers).ask(b"key", get)
    assert servers.asked == ["a SENTINEL", "b SENTINEL"]


def test_keys_of_one_slot_are_looked_up_together_and_others_apart(clock):
    servers = Servers(
        a={"CLUSTER": [[0, 8_191, [b"b", 2, b""]], [8_192, 16_383, [b"c", 3, b""]]]}, b=primary(), c=primary()
    )
    cluster = Cluster((A,), servers.connect)
    for key in (b"{foo}:1", b"{foo}:2", b"{bar}:1", b"{bar}:2"):  # slots 12,182 and 5,061
        cluster.ask(key, get)
    assert [asked for asked in servers.asked if "GET" in asked] == ["c GET", "c GET", "b GET", "b GET"]
    assert servers.asked.count("a CLUSTER") == 2


def test_a_node_that_does_not_know_its_host_is_where_it_was_asked(clock):
    servers = Servers(a=primary(CLUSTER=slots(b"", 1)))
    assert Cluster((A,), servers.connect).ask(b"key", get) == "found"


def test_a_move_is_followed_at_once_and_remembered(clock):
    moved = exceptions.MovedError("12539 c:3")
    servers = Servers(a=primary(CLUSTER=slots(b"a", 1), GET=moved), c=primary())
    cluster = Cluster((A,), servers.connect)
    assert [cluster.ask(b"key", get), cluster.ask(b"key", get)] == ["found", "found"]
    assert servers.asked == ["a CLUSTER", "a HELLO", "a GET", "c GET", "c GET"]


def test_two_servers_that_send_to_each_other_are_asked_once_each(clock):
    servers = Servers(
        a=primary(CLUSTER=slots(b"a", 1), GET=exceptions.MovedError("12539 c:3")),
        c=primary(GET=exceptions.MovedError("12539 a:1")),
    )
    with pytest.raises(exceptions.MovedError):
        Cluster((A,), servers.connect).ask(b"key", get)
    assert servers.asked[-2:] == ["a GET", "c GET"]


def test_a_slot_that_nobody_holds_is_a_cluster_that_is_down(clock):
    servers = Servers(a={"CLUSTER": []})
    with pytest.raises(exceptions.ClusterDownError):
        Cluster((A,), servers.connect).ask(b"key", get)


def test_servers_that_the_address_does_not_name_are_asked_when_those_are_gone(clock):
    servers = Servers(
        a=primary(CLUSTER=[[0, 16_383, [b"a", 1, b""], [b"b", 2, b""]]]), b=primary(CLUSTER=slots(b"b", 2))
    )
    cluster = Cluster((A,), servers.connect)
    cluster.ask(b"key", get)
    servers.answers["a"] = dict.fromkeys(("CLUSTER", "HELLO", "GET"), TIMED_OUT)
    with pytest.raises(exceptions.TimeoutError):
        cluster.ask(b"key", get)
    assert cluster.ask(b"key", get) == "found"
    assert servers.asked[-3:] == ["b CLUSTER", "b HELLO", "b GET"]


def test_an_address_in_the_settings_is_asked_even_where_the_cluster_does_not_name_it(clock):
    servers = Servers(a=primary(CLUSTER=slots(b"c", 3)), c=primary())
    cluster = Cluster((A,), servers.connect)
    cluster.ask(b"key", get)
    servers.answers["c"] = dict.fromkeys(("CLUSTER", "HELLO", "GET"), REFUSED)
    servers.answers |= {"d": primary(), "a": primary(CLUSTER=slots(b"d", 4))}
    with pytest.raises(exceptions.ConnectionError):
        cluster.ask(b"key", get)
    assert cluster.ask(b"key", get) == "found"
