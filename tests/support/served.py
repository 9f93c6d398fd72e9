"""`reprise serve` as a process for tests, and a shop whose every product names the version that it belongs to."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recommender.publication.lists import WHOLE_SHOP
from recommender.publication.manifest import Publication
from recommender.redis.shops import RedisShopStorage
from recommender.storage.versions import VersionStore
from tests.conftest import build_publication
from tests.support.load import Answer, ask
from tests.support.redis_servers import free_port, wait_until

WORKERS = 2
PATIENT_MS = "5000"
"""The time-out for Redis where a test has it answer: no busy machine makes an answer stand in."""
HURRIED_MS = "100"
"""The one where it hangs; by default shop pages wait as long."""
LISTS = {
    "similar": {f"p{i}": [j for j in range(10) if j != i] for i in range(10)},
    "together": {f"p{i}": [(i + 1) % 10] for i in range(10)},
    "discover": {"ann": [1, 2, 3], "bob": [4, 5, 6]},
    "popular": {WHOLE_SHOP: [0, 1, 2, 3]},
    "trending": {WHOLE_SHOP: [7, 8]},
}
PUBLIC = ["/v1/products/p1/similar", "/v1/products/p2/bought-together", "/v1/popular"]
PAGES = [*PUBLIC, "/v1/customers/ann/recommendations?limit=3", "/v1/customers/bob/recommendations?limit=3"]
"""Page routes, each with products to show."""


def version_name(number: int) -> str:
    """The name of version `number`, up to 9999."""
    return f"20261120T{number // 60:02}{number % 60:02}00Z-{number:04}"


def version(number: int) -> Publication:
    """A version whose products are titled with its name."""
    return build_publication(version_name(number), LISTS)


def store_of(url: str) -> VersionStore:
    """The shop that is served, to publish to."""
    return RedisShopStorage(url, timeout_ms=5_000).store("default")


@dataclass(frozen=True)
class Served:
    """A running `reprise serve`.

    Attributes:
        process: the parent of the workers.
        address: host and port.
        folder: where it runs and looks for `reprise.toml`.
    """

    process: subprocess.Popen[str]
    address: tuple[str, int]
    folder: Path

    def ask(self, path: str, method: str = "GET", document: Any = None) -> Answer:
        """One request on a connection of its own: to whichever worker takes it."""
        return ask(self.address, path, method, document)

    def readiness(self) -> set[tuple[int, str]]:
        """What several new connections, and so all workers, are told: status, and the version or the problem."""
        answers = [self.ask("/health/ready") for _ in range(8 * WORKERS)]
        return {(a.status, a.json.get("code") or a.json["model_version"]) if a.status else (0, "") for a in answers}

    def wait_until_ready(self, number: int = 1) -> None:
        """Return when every worker answers with version `number`."""
        ready = {(200, version_name(number))}
        wait_until(lambda: self.readiness() == ready, f"every worker is ready with {ready}")

    def wait_until_lost(self) -> None:
        """Return when every worker knows that Redis does not answer, or holds nothing."""
        wait_until(lambda: {status for status, _ in self.readiness()} == {503}, "every worker has noticed")

    def log(self, event: str) -> list[dict[str, Any]]:
        """The lines of one kind that were logged so far."""
        lines = (self.folder / "serve.log").read_text().splitlines()
        parsed = [json.loads(line) for line in lines if line.startswith("{")]
        return [line for line in parsed if line["event"] == event]

    def workers(self) -> list[int]:
        """Process ids of the workers that live."""
        return workers_of(self.process.pid)


@contextmanager
def serve(folder: Path, *arguments: str, **environment: str) -> Iterator[Served]:
    """`reprise serve` in `folder` until the end of the block. It answers when this returns."""
    port = free_port()
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("REPRISE_")}
    mine = {"OPENBLAS_NUM_THREADS": "1", "REPRISE_HOME": str(folder / "home"), "REPRISE_REDIS_TIMEOUT_MS": PATIENT_MS}
    command = [sys.executable, "-m", "recommender.cli", "serve", "--port", str(port), "--workers", str(WORKERS)]
    with (
        (folder / "serve.log").open("w") as log,
        subprocess.Popen(
            [*command, *arguments],
            env={**inherited, "REPRISE_MAIL__HOLDOUT": "0", **mine, **environment},
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,
        ) as process,
    ):
        try:
            served = Served(process, ("127.0.0.1", port), folder)
            assert process.stdout is not None
            answers = any(line.startswith("Serving") for line in process.stdout)
            assert answers, (folder / "serve.log").read_text()
            wait_until(lambda: _listeners(port) == WORKERS, "all workers listen")
            yield served
        finally:
            for pid in [process.pid, *members(process.pid)]:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


def members(group: int) -> list[int]:
    """Processes of a process group that are not zombies."""
    return [pid for pid, fields in _processes() if fields[2] == str(group)]


def children(parent: int) -> list[int]:
    """Processes that `parent` started and that are not zombies."""
    return [pid for pid, fields in _processes() if fields[1] == str(parent)]


def workers_of(server: int) -> list[int]:
    """Processes of the workers that a `reprise serve` started and that live."""
    return [pid for pid in children(server) if b"spawn_main" in _command_line(pid)]


def fallback_reasons(answers: Sequence[Answer]) -> set[str | None]:
    """What the bodies say; fails where a header says something else."""
    reasons = set()
    for answer in answers:
        fallback = answer.json["fallback"]
        reasons.add(fallback and fallback["reason"])
        assert answer.headers.get("reprise-fallback") == (fallback and fallback["reason"])
    return reasons


def assert_of_one_version(answer: Answer) -> None:
    """Fails where a body holds a product of another version than it names."""
    document = answer.json
    named = document["model_version"]
    titles = [item["product"]["title"] for item in document["items"]]
    assert titles, answer.path
    assert {title.split()[0] for title in titles} == {named}, answer.path


def _listeners(port: int) -> int:
    """How many sockets listen on `port`: each worker has its own."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(line[1].endswith(f":{port:04X}") and line[3] == "0A" for line in lines)


def _processes() -> Iterator[tuple[int, list[str]]]:
    """Process id, and state, parent and group, of those that are not zombies."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[0] != "Z":
            yield int(folder.name), fields


def _command_line(pid: int) -> bytes:
    """Empty for a process that has ended meanwhile."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""
