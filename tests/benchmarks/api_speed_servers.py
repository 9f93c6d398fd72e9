"""Starts the servers that are compared, each with one worker process unless told otherwise."""

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from api.server.lanes import SEATS

PEERS = Path(__file__).parent / "api_peers"
BIN = Path(sys.executable).parent
PATIENCE_S = 60.0
CLOCK_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Server:
    """One server that answers on 127.0.0.1:`port`."""

    port: int
    pid: int

    def workers(self) -> list[int]:
        """Process ids of those that answer: the leaves of its process tree that listen or have inherited the socket."""
        tree = [self.pid, *_descendants(self.pid)]
        parents = {parent for pid in tree for parent in [_parent(pid)]}
        leaves = [pid for pid in tree if pid not in parents and "resource_tracker" not in _command(pid)]
        return leaves or [self.pid]

    def rss_mb(self) -> float:
        """Resident memory of the largest worker."""
        return max(rss_mb(pid) for pid in self.workers())

    def cpu_s(self) -> float:
        """Processor time that all workers have taken."""
        return sum(_cpu_ticks(pid) for pid in self.workers()) / CLOCK_TICKS_PER_S

    def open_files(self) -> int:
        """File descriptors of all workers."""
        return sum(open_files(pid) for pid in self.workers())


def missing_programs() -> list[str]:
    """What must be installed first."""
    needed = {"wrk": "apt install wrk", "redis-server": "apt install redis-server"}
    found = [f"{name} ({how})" for name, how in needed.items() if shutil.which(name) is None]
    programs = ("granian", "gunicorn", "uvicorn", "fastapi")
    return found + [f"{name} (pip install '.[bench]')" for name in programs if not (BIN / name).exists()]


def serve_command(port: int, workers: int = 1) -> list[str]:
    """Reprise on Granian, as an operator starts it."""
    return [str(BIN / "reprise"), "serve", "--port", str(port), "--workers", str(workers)]


def gunicorn_command(port: int, app: str, folder: Path | None = None, workers: int = 1) -> list[str]:
    """Any WSGI app on gunicorn's threads."""
    threads = ["-k", "gthread", "--threads", str(SEATS["pages"][0]), "-w", str(workers)]
    options = [*threads, "-b", f"127.0.0.1:{port}", "--no-control-socket"]
    return [str(BIN / "gunicorn"), *options, *(["--chdir", str(folder)] if folder else []), app]


def granian_command(port: int, app: str, folder: Path, workers: int = 1) -> list[str]:
    """Any WSGI app on Granian, with the options of `reprise serve`."""
    threads = ["--workers", str(workers), "--blocking-threads", str(SEATS["pages"][0])]
    options = ["--interface", "wsgi", "--http", "1", *threads, "--log-level", "warning"]
    return [str(BIN / "granian"), *options, "--port", str(port), "--working-dir", str(folder), app]


def uvicorn_command(port: int, app: str, folder: Path, workers: int = 1) -> list[str]:
    """Any ASGI app on uvicorn with uvloop and httptools."""
    options = [
        "--workers",
        str(workers),
        "--loop",
        "uvloop",
        "--http",
        "httptools",
        "--no-access-log",
        "--log-level",
        "warning",
    ]
    return [str(BIN / "uvicorn"), *options, "--port", str(port), "--app-dir", str(folder), app]


@contextmanager
def running(command: list[str], port: int, path: str, **environment: str) -> Iterator[Server]:
    """The server that `command` starts, once it answers `path`; it ends with the block."""
    with tempfile.TemporaryFile() as log:
        env = {**os.environ, "OPENBLAS_NUM_THREADS": "1", **environment}
        process = subprocess.Popen(command, env=env, stdout=log, stderr=log, start_new_session=True)
        try:
            _wait(process, port, path)
            yield Server(port, process.pid)
        finally:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, 9)
                process.wait()


def free_port() -> int:
    """One that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def answers(port: int, path: str) -> bool:
    """Whether there is a 200 for `path`."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _wait(process: subprocess.Popen[bytes], port: int, path: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline and process.poll() is None:
        if answers(port, path):
            return
        time.sleep(0.1)
    raise SystemExit(f"{process.args} does not answer {path}")


def _descendants(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [one for child in map(int, children) for one in (child, *_descendants(child))]


def _parent(pid: int) -> int:
    return int(_stat(pid)[1])


def _command(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text()


def _stat(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _cpu_ticks(pid: int) -> int:
    fields = _stat(pid)
    return int(fields[11]) + int(fields[12])


def rss_mb(pid: int) -> float:
    """Resident memory of one process."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


def open_files(pid: int) -> int:
    """File descriptors of one process."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))
