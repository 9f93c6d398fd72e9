"""A PostgreSQL and a MariaDB of the tests' own."""

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import adbc_driver_postgresql.dbapi
import polars as pl
import pymysql

from tests.support.needs import find_program
from tests.support.redis_servers import free_port, wait_until

USER = "shop"


@dataclass(frozen=True)
class DatabaseServer:
    """A server of one test session.

    Attributes:
        kind: postgresql or mysql, as in an address.
        database: its name.
        port: on loopback.
        password: of USER, who may do everything.
    """

    kind: str
    database: str
    port: int
    password: str

    @property
    def address(self) -> str:
        """Its address without the password."""
        return f"{self.kind}://{USER}@127.0.0.1:{self.port}/{self.database}"

    def at_port(self, port: int) -> str:
        """Its address behind somebody who passes everything on."""
        return self.address.replace(str(self.port), str(port))

    def run(self, *statements: str) -> list[Sequence[Any]]:
        """Run statements and return what the last one returned."""
        with closing(self._connect()) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            if not statements[-1].lstrip().upper().startswith("SELECT"):
                return []
            return list(cursor.fetchall() if self.kind == "mysql" else pl.DataFrame(cursor.fetch_arrow()).rows())

    def answers(self) -> bool:
        """Whether it is there."""
        with suppress(pymysql.Error, adbc_driver_postgresql.dbapi.Error):
            return bool(self.run("SELECT 1"))
        return False

    def _connect(self) -> Any:
        if self.kind == "mysql":
            return pymysql.connect(
                host="127.0.0.1",
                port=self.port,
                user=USER,
                password=self.password,
                database=self.database,
                autocommit=True,
            )
        secret = self.address.replace("@", f":{self.password}@")
        return adbc_driver_postgresql.dbapi.connect(secret, autocommit=True)


@contextmanager
def postgresql_server() -> Iterator[DatabaseServer]:
    """A PostgreSQL that ends with the block."""
    initdb = Path(str(find_program("postgresql")))
    with _folder("postgres") as (folder, options):
        server = DatabaseServer("postgresql", "postgres", free_port(), secrets.token_urlsafe(9))
        secret = _write(folder / "password", server.password)
        access = ["-U", USER, f"--pwfile={secret}", "-A", "scram-sha-256"]
        _call([initdb, "-D", folder / "data", "-E", "UTF8", "--no-sync", *access], options)
        quick = ["-c", "fsync=off", "-c", f"unix_socket_directories={folder}", "-c", "listen_addresses=127.0.0.1"]
        with _running([initdb.with_name("postgres"), "-D", folder / "data", f"-p{server.port}", *quick], options):
            wait_until(server.answers, "PostgreSQL answers")
            yield server


@contextmanager
def mariadb_server() -> Iterator[DatabaseServer]:
    """A MariaDB that ends with the block."""
    with _folder("mysql") as (folder, options):
        server = DatabaseServer("mysql", "shop", free_port(), secrets.token_urlsafe(9))
        # A server that starts deletes every temporary table in its tmpdir, also those of another that shares it.
        folders = [f"--datadir={folder / 'data'}", f"--tmpdir={folder}"]
        _call(["mariadb-install-db", "--no-defaults", *folders, "--skip-test-db"], options)
        first = _write(
            folder / "first.sql",
            f"CREATE DATABASE shop;\nCREATE USER {USER}@'127.0.0.1' IDENTIFIED BY '{server.password}';\n"
            f"GRANT ALL ON *.* TO {USER}@'127.0.0.1';",
        )
        where = [f"--socket={folder / 'socket'}", f"--port={server.port}", "--bind-address=127.0.0.1"]
        with _running([find_program("mariadb"), "--no-defaults", *folders, *where, f"--init-file={first}"], options):
            wait_until(server.answers, "MariaDB answers")
            yield server


@contextmanager
def _folder(user: str) -> Iterator[tuple[Path, dict[str, Any]]]:
    """A folder of a user's own, and how his processes start: both servers refuse to run as root."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if os.getuid():
            yield folder, {}
        else:
            shutil.chown(folder, user)
            yield folder, {"user": user, "group": user, "extra_groups": []}


def _write(file: Path, text: str) -> Path:
    file.write_text(text)
    file.chmod(0o644)
    return file


def _call(command: Sequence[Any], options: dict[str, Any]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, cwd="/", check=False, **options)
    assert done.returncode == 0, done.stdout + done.stderr


@contextmanager
def _running(command: Sequence[Any], options: dict[str, Any]) -> Iterator[None]:
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/", **options) as process:
        try:
            yield
        finally:
            process.send_signal(signal.SIGINT if "postgres" in str(command[0]) else signal.SIGTERM)
            process.wait(timeout=60)
