"""`reprise serve`: several worker processes that answer HTTP requests from one Redis."""

import http.client
import multiprocessing
import os
import signal
import sys
import threading
import time
from contextlib import ExitStack, closing, suppress
from ipaddress import ip_address
from types import FrameType
from typing import NoReturn

import click
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels

from api.server.embedded_watch import keep_embedded
from api.server.http_worker import STOP_TIMEOUT_S
from api.server.reload import Server, reload_at_hangup
from api.telemetry.logs import Logger, make_logger
from api.telemetry.metrics import shared_metrics
from api.web.body_limits import HEAD_TIMEOUT_S, MAX_CONNECTIONS, MAX_HEAD_BYTES
from recommender.cli.console import print_json
from recommender.cli.ports import refuse_taken_port
from recommender.cli.start_report import print_start
from recommender.cli.threads import end_process_with_threads
from recommender.data_dir import DataDirectory
from recommender.errors import StoreUnavailableError, UsageError
from recommender.redis.open import open_storage, store_url
from recommender.redis.shops import RedisShopStorage
from recommender.settings import ENV_PREFIX, Settings, load_settings

WORKER = "api.server.http_worker:create_worker"
_LOG_TO_STDERR = {
    "handlers": {name: {"class": "logging.StreamHandler", "formatter": "generic"} for name in ("console", "access")}
}
"""Granian's own lines, away from standard output, which belongs to `--json`."""
_ALLOCATION = {"MALLOC_ARENA_MAX": "1", "MALLOC_MMAP_THRESHOLD_": "262144"}
"""For glibc in the workers: one heap for all threads, and a catalogue that is replaced goes back to the system. Without
these, a worker keeps 15 MB more, and two catalogues more after some publishes."""


@click.command()
@click.option("--host", help="IP address to listen on; any but loopback needs an API key.  [default: 127.0.0.1]")
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
    serve(load_settings(**{name: value for name, value in given.items() if value is not None}), as_json=as_json)


def serve(settings: Settings, *, worker: str = WORKER, report: bool = True, as_json: bool = False) -> None:
    """Answer HTTP requests until Ctrl-C.

    Args:
        settings: of the service.
        worker: module and name of the function that makes the application of a worker process.
        report: whether to say first what is set and what is there.
        as_json: whether to say all as JSON.

    Raises:
        RepriseError: the address cannot be listened on, or there is no Redis to answer from.
    """
    address = find_address(settings)
    refuse_taken_port(address, settings.port)
    # SIGTERM must unwind the stack too, or the embedded server stays behind; granian replaces this once it runs
    signal.signal(signal.SIGTERM, _leave)
    end_process_with_threads()
    logger = make_logger(settings.log_level)
    with ExitStack() as until_the_end:
        url = until_the_end.enter_context(store_url(settings))
        if settings.redis_url is None:
            until_the_end.enter_context(keep_embedded(DataDirectory(settings.home), logger))
        until_the_end.enter_context(shared_metrics())
        with closing(RedisShopStorage(url, settings.redis_timeout_ms)) as storage:
            if report:
                print_start(settings, storage, [settings.shop], as_json=as_json)
        os.environ[f"{ENV_PREFIX}REDIS_URL"] = url  # the workers connect to the same server
        for name, value in _ALLOCATION.items():
            os.environ.setdefault(name, value)
        _run(settings, address, worker, logger, as_json=as_json)


def find_address(settings: Settings) -> str:
    """The address to listen on: one that only this machine can reach, or any once there are API keys.

    A Redis that does not answer now is no reason to stay down: no request is let in before the keys could be read.

    Raises:
        UsageError: other machines could reach it and there are no keys, or it is no IP address.
    """
    address = "127.0.0.1" if settings.host == "localhost" else settings.host
    if _is_loopback(address):
        return address
    with suppress(StoreUnavailableError), open_storage(settings) as storage:
        if all(key.revoked_at for key in storage.api_keys().values()):
            raise UsageError(
                f"host {address!r} is not a loopback address and there are no API keys yet, so anyone who reaches it "
                "could read every customer's list; make one with `reprise keys create`, or use 127.0.0.1"
            )
    if _is_loopback(address) is None:
        raise UsageError(f"host {address!r} is not an IP address; use 0.0.0.0 for every network card")
    return address


def _is_loopback(address: str) -> bool | None:
    """Whether only this machine reaches an address; None where it is no IP address."""
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return None


def _run(settings: Settings, address: str, worker: str, logger: Logger, *, as_json: bool) -> None:
    server = Server(
        worker,
        factory=True,
        interface=Interfaces.ASGINL,
        websockets=False,
        address=address,
        port=settings.port,
        workers=settings.workers,
        http=HTTPModes.http1,  # while it guesses which HTTP it is to speak, Granian has no time-out
        http1_settings=HTTP1Settings(header_read_timeout=HEAD_TIMEOUT_S * 1000, max_buffer_size=MAX_HEAD_BYTES),
        backpressure=MAX_CONNECTIONS,
        respawn_failed_workers=True,
        workers_kill_timeout=STOP_TIMEOUT_S,
        log_level=LogLevels.warning,
        log_dictconfig=_LOG_TO_STDERR,
    )
    # fresh workers: a fork would copy locks that the announcing thread may hold at that moment
    multiprocessing.set_start_method("spawn", force=True)
    server.on_startup(lambda: reload_at_hangup(server, logger))
    server.on_startup(lambda: _announce_when_it_answers(address, settings.port, as_json=as_json))
    try:
        server.serve()
    except SystemExit:
        # Ctrl-C in a terminal reaches the workers too; that they end before Granian stops them is no failure
        if not server.interrupt_signal:
            raise


def _announce_when_it_answers(address: str, port: int, *, as_json: bool) -> None:
    # a thread, as granian keeps the main one; a daemon, as it must not outlive the server
    threading.Thread(target=_announce, args=(address, port, as_json), daemon=True).start()


def _announce(address: str, port: int, as_json: bool) -> None:
    url = f"http://[{address}]:{port}" if ":" in address else f"http://{address}:{port}"
    while not _is_live(address, port):
        time.sleep(0.05)
    with suppress(OSError):  # standard output may be a closed pipe
        if as_json:
            print_json({"url": url, "docs": f"{url}/docs"})
        else:
            click.echo(f"Serving {url} (pages at {url}/docs, Ctrl-C to stop)")


def _is_live(address: str, port: int) -> bool:
    connection = http.client.HTTPConnection(address, port, timeout=5)
    try:
        connection.request("GET", "/health/live")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _leave(signum: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001 - the signature of a signal handler
    sys.exit(128 + signum)
