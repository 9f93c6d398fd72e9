"""`api/deploy/compose.yaml` as a user runs it: a copy with a project name, a port and a shop of the test's own."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.support import deploy_files as deploy
from tests.support.podman import Podman
from tests.support.redis_servers import free_port
from training.demo.shop import make_shop

_PUBLISHED = "127.0.0.1:8000:8000"
_SECRET = "a secret of thirty-two characters"


@dataclass(frozen=True)
class Compose:
    """A project of compose.

    Attributes:
        folder: where compose.yaml lies, beside `data`, `settings` and `.env`.
        address: host and port of the service.
    """

    podman: Podman
    folder: Path
    name: str
    address: tuple[str, int]

    def __call__(self, *words: str) -> str:
        """What a command of compose prints; it must end with 0."""
        command = [sys.executable, "-m", "podman_compose", "--project-name", self.name, "--profile", "train"]
        done = self.podman.run([*command, "--profile", "mail", *words], cwd=self.folder)
        assert done.returncode == 0, f"{words}: {done.stdout[-1000:]} {done.stderr[-3000:]}"
        return done.stdout

    def run(self, service: str, *words: str) -> str:
        """What a service prints that is run once; with `words` in place of its own command."""
        return self("run", "--rm", "-T", service, *words)

    def json(self, service: str, *words: str) -> Any:
        """What a command of Reprise prints with `--json`."""
        printed = self.run(service, *words, "--json")
        return json.loads(printed[printed.index("{") :])  # after the names of what compose started first

    def container(self, service: str) -> str:
        """The name of a running container."""
        return f"{self.name}_{service}_1"

    def exec(self, service: str, *words: str) -> str:
        """What a command prints in a running container; it must end with 0."""
        return self.podman("exec", self.container(service), *words)

    def pid(self, service: str) -> int:
        """The first process of a container, as this machine numbers it."""
        return int(self.podman("inspect", "--format", "{{.State.Pid}}", self.container(service)))

    def restarts(self, service: str) -> int:
        """How often a container was started again after it died."""
        return int(self.podman("inspect", "--format", "{{.RestartCount}}", self.container(service)))


@contextmanager
def compose_project(podman: Podman, name: str) -> Iterator[Compose]:
    """A project with a made-up shop in `data`, of which nothing runs yet, and nothing is left after the block."""
    with TemporaryDirectory(prefix="reprise-compose-") as folder:
        project = _prepare(podman, Path(folder), name)
        try:
            yield project
        finally:
            project("down", "--volumes", "--timeout", "1")


def _prepare(podman: Podman, folder: Path, name: str) -> Compose:
    folder.chmod(0o755)  # the containers' user reads in it
    port = free_port()
    text = deploy.DEPLOY.joinpath("compose.yaml").read_text()
    assert text.count(_PUBLISHED) == 1
    folder.joinpath("compose.yaml").write_text(text.replace(_PUBLISHED, f"127.0.0.1:{port}:8000"))
    folder.joinpath(".env").write_text(f"REPRISE_MAIL__SECRET={_SECRET}\n")
    folder.joinpath("settings").mkdir()
    folder.joinpath("settings", "reprise.toml").write_text('[mail]\nlink_base = "https://shop.example"\n')
    write_shop(folder / "data")
    return Compose(podman, folder, name, ("127.0.0.1", port))


def write_shop(folder: Path) -> None:
    """The files of a small made-up shop up to today, which the containers' user may read."""
    make_shop(folder, customers=120, products=60, months=9, end=datetime.now(UTC).date(), seed=0)
    for path in folder.iterdir():
        path.chmod(0o644)
