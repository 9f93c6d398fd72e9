"""Topology of a deployment: the server of a key is the only one, the primary of the sentinels, or one of a cluster.

Redis-py's own cluster and sentinel clients try the nodes one after the other and wait a time-out for each that hangs,
all threads in turn: 5 s, measured, where a page waits 0.1 s. Here a server is looked up when it is not known, the
first time-out ends a call, and a failed call drops the server that was known, so a later call finds its successor.
"""

import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, Protocol, TypeVar

import redis
from redis import exceptions
from redis.crc import key_slot

from recommender.connection.url import Address

T = TypeVar("T")
Ask = Callable[[redis.Redis], T]
"""Sends commands to one server and returns the answer."""
Connect = Callable[[Address], redis.Redis]
"""Makes the client of a server, the same one for the same address. Does not connect yet."""

IDLE_S = 0.5
"""A server unused for so many seconds is looked up again: it may have been replaced without its own knowledge."""


class Deployment(Protocol):
    """One server, or several with failover. Safe to share between threads and across fork."""

    def ask(self, key: bytes, ask: Ask[T]) -> T:
        """The answer of the server that holds `key`. Raises what redis-py raises."""


class OneServer:
    """A single server without failover."""

    def __init__(self, server: redis.Redis) -> None:
        self._server = server

    def ask(self, key: bytes, ask: Ask[T]) -> T:  # noqa: ARG002 - it holds every key
        """See `Deployment.ask`."""
        return ask(self._server)


class Group(ABC):
    """Servers with failover, and nodes that know which server holds a slot now.

    Args:
        nodes: the nodes that are known at first.
        connect_node: makes the client of a node.
        connect: makes the client of a server that a node named.
    """

    def __init__(self, nodes: tuple[Address, ...], connect_node: Connect, connect: Connect) -> None:
        self._given = nodes
        self._nodes = deque(nodes)
        self._connect_node = connect_node
        self._connect = connect
        self._known: dict[int, tuple[Address, float]] = {}
        """Server and the moment of its last answer, by slot; only slots in use."""

    def ask(self, key: bytes, ask: Ask[T]) -> T:
        """See `Deployment.ask`."""
        slot = self._slot(key)
        try:
            server = self._find(slot)
            try:
                answer = ask(self._connect(server))
            except exceptions.MovedError as moved:  # nothing was done
                server = (moved.host or server[0], moved.port)
                answer = ask(self._connect(server))
        except exceptions.RedisError:
            self._known.pop(slot, None)
            self._nodes.rotate(-1)  # this node may be out of date
            raise
        self._known[slot] = (server, time.monotonic())
        return answer

    @abstractmethod
    def _slot(self, key: bytes) -> int:
        """The slot of a key. Keys of one slot are on one server."""

    @abstractmethod
    def _look_up(self, node: Address, slot: int) -> Address:
        """The server that holds `slot`, as `node` knows it."""

    def _find(self, slot: int) -> Address:
        """The server of a slot. A node may be out of date: the server's role is checked, else the next node tried.

        A time-out is raised at once: no time is left for another node.
        """
        server, answered_at = self._known.get(slot, (None, 0.0))
        if server is not None and time.monotonic() - answered_at < IDLE_S:
            return server
        for node in self._each_node():
            try:
                server = self._look_up(node, slot)
                # the only command that tells the role and that every user may send
                if _execute(self._connect(server), "HELLO")[b"role"] == b"master":
                    return server
                failure = exceptions.ConnectionError(f"{server[0]}:{server[1]} is a replica")
            except exceptions.ConnectionError as error:
                failure = error
        raise failure

    def _each_node(self) -> Iterator[Address]:
        """The nodes in turn. One that fails goes to the end of the queue."""
        yield self._nodes[0]
        for _ in range(len(self._nodes) - 1):
            self._nodes.rotate(-1)
            yield self._nodes[0]


class Sentinel(Group):
    """Primary named by sentinels, which holds every key."""

    def __init__(self, name: str, sentinels: tuple[Address, ...], connect_sentinel: Connect, connect: Connect) -> None:
        super().__init__(sentinels, connect_sentinel, connect)
        self._name = name

    def _slot(self, key: bytes) -> int:  # noqa: ARG002
        return 0

    def _look_up(self, node: Address, slot: int) -> Address:  # noqa: ARG002
        found = _execute(self._connect_node(node), "SENTINEL", "GET-MASTER-ADDR-BY-NAME", self._name)
        if found is None:
            raise exceptions.ConnectionError(f"the sentinels know no primary {self._name!r}")
        return found[0].decode(), int(found[1])


class Cluster(Group):
    """Cluster whose servers share the keys by slot and know each other.

    While a slot moves from one to another, commands on its keys fail on both.
    """

    def __init__(self, nodes: tuple[Address, ...], connect: Connect) -> None:
        super().__init__(nodes, connect, connect)

    def _slot(self, key: bytes) -> int:
        return key_slot(key)

    def _look_up(self, node: Address, slot: int) -> Address:
        holder = None
        found = [node]
        for first, last, *servers in _execute(self._connect_node(node), "CLUSTER", "SLOTS"):
            # a server that does not know its own host leaves it out
            addresses = [(host.decode() if host else node[0], int(port)) for host, port, *_ in servers]
            found += addresses
            if first <= slot <= last:
                holder = addresses[0]
        self._nodes = deque(dict.fromkeys([*found, *self._given]))
        if holder is None:
            raise exceptions.ClusterDownError("CLUSTERDOWN no server holds the slot")
        return holder


def _execute(server: redis.Redis, *command: str) -> Any:
    return server.execute_command(*command)  # type: ignore[no-untyped-call]
