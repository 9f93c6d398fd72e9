"""`reprise serve`: several processes that answer HTTP requests from one Redis."""

import http.client
import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
from ipaddress import ip_address
from types import FrameType
from typing import NoReturn

import click
from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from recommender.connect import store_url
from recommender.console import print_json
from recommender.errors import UsageError
from recommender.settings import ENV_PREFIX, Settings, load_settings

THREADS_PER_WORKER = 4
"""Python runs one at a time; the others wait for Redis."""
STOP_TIMEOUT_S = 5
"""A worker that has not ended by then is killed."""
_LOG_TO_STDERR = {
    "handlers": {name: {"class": "logging.StreamHandler", "formatter": "generic"} for name in ("console", "access")}
}
"""Granian's own lines, away from standard output, which belongs to `--json`."""


@click.command()
@click.option("--host", help="Loopback address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=int, help="[default: 8000]")
@click.option("--workers", type=int, help="Processes.  [default: 2]")
@click.option("--json", "as_json", is_flag=True, help="Announce the address as JSON.")
def command(host: str | None, port: int | None, workers: int | None, as_json: bool) -> None:
    """Answer HTTP requests until Ctrl-C.

    The current version is served, and each later one as soon as it is published. Pages about the API are at /docs.

    \b
    Example:
      reprise serve
      reprise serve --port 9000 --workers 4
    """
    given = {"host": host, "port": port, "workers": workers}
    settings = load_settings(**{name: value for name, value in given.items() if value is not None})
    address = find_loopback(settings.host)
    refuse_taken_port(address, settings.port)
    # SIGTERM must unwind the stack too, or the embedded server stays behind; granian replaces this once it runs
    signal.signal(signal.SIGTERM, _leave)
    with store_url(settings) as url:
        os.environ[f"{ENV_PREFIX}REDIS_URL"] = url  # the workers' door to the same server
        _serve(settings, address, as_json=as_json)


def find_loopback(host: str) -> str:
    """The address of `host`, which only this machine can reach.

    Raises:
        UsageError: others could reach it. There are no API keys yet, and customers' lists are nobody else's business.
    """
    address = "127.0.0.1" if host == "localhost" else host
    try:
        if ip_address(address).is_loopback:
            return address
    except ValueError:
        pass
    raise UsageError(
        f"host {host!r} is not a loopback address: there are no API keys yet, so anyone who reaches it could read "
        "every customer's list; use 127.0.0.1 and let a proxy that checks who asks stand before it"
    )


def refuse_taken_port(address: str, port: int) -> None:
    """Refuse a port that cannot be listened on: Granian would share it, and two servers take turns.

    Raises:
        UsageError: it is taken, or not ours to take.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # what lingers after a stop is no listener
        try:
            probe.bind((address, port))
        except OSError as error:
            raise UsageError(
                f"cannot listen on {address}:{port}: {error.strerror}; stop what does, or choose another --port"
            ) from None


def _serve(settings: Settings, address: str, *, as_json: bool) -> None:
    server = Granian(
        "api:create_app",
        factory=True,
        interface=Interfaces.WSGI,
        address=address,
        port=settings.port,
        workers=settings.workers,
        blocking_threads=THREADS_PER_WORKER,
        respawn_failed_workers=True,
        workers_kill_timeout=STOP_TIMEOUT_S,
        log_level=LogLevels.warning,
        log_dictconfig=_LOG_TO_STDERR,
    )
    # fresh workers: a fork would copy locks that the announcing thread may hold at that moment
    multiprocessing.set_start_method("spawn", force=True)
    server.on_startup(lambda: _announce_when_it_answers(address, settings.port, as_json=as_json))
    try:
        server.serve()
    except SystemExit:
        # Ctrl-C in a terminal reaches the workers too; that they end before they are told is no failure
        if not server.interrupt_signal:
            raise


def _announce_when_it_answers(address: str, port: int, *, as_json: bool) -> None:
    # a thread, as granian keeps the main one; a daemon, as it must not outlive the server
    threading.Thread(target=_announce, args=(address, port, as_json), daemon=True).start()


def _announce(address: str, port: int, as_json: bool) -> None:
    url = f"http://[{address}]:{port}" if ":" in address else f"http://{address}:{port}"
    while not _is_live(address, port):
        time.sleep(0.05)
    if as_json:
        print_json({"url": url, "docs": f"{url}/docs"})
    else:
        click.echo(f"Serving {url} (pages at {url}/docs, Ctrl-C to stop)")


def _is_live(address: str, port: int) -> bool:
    connection = http.client.HTTPConnection(address, port, timeout=5)
    try:
        connection.request("GET", "/health/live")
        return connection.getresponse().status == http.HTTPStatus.OK
    except OSError:
        return False
    finally:
        connection.close()


def _leave(signum: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001 - the signature of a signal handler
    sys.exit(128 + signum)
