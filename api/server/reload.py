"""Replacement of the workers of `reprise serve` at SIGHUP, without a moment in which nobody listens."""

import asyncio
import multiprocessing
import signal
import time
from collections.abc import Callable, Sequence
from functools import partial
from multiprocessing.connection import Connection
from types import FrameType
from typing import Any

from granian import Granian

from api.telemetry.logs import Logger
from recommender.errors import SettingsError
from recommender.settings import load_settings

LoadApp = Callable[[], Any]
START_TIMEOUT_S = 60.0
"""A new worker that says nothing for so long takes its place all the same, as Granian itself would have it."""


class Server(Granian):  # type: ignore[misc,valid-type]
    """Granian, except that a worker ends only once the one in its place listens.

    Granian itself gives the new one a fixed time, which a busy machine exceeds: connections are refused then.
    """

    def _respawn_workers(
        self, workers: Sequence[int], spawn_target: Callable[..., None], target_loader: LoadApp, delay: float = 0
    ) -> None:
        for number in workers:
            old = self.wrks[number]
            self.respawned_wrks[number] = time.monotonic()
            self.wrks[number] = self._start_and_wait(number, spawn_target, target_loader)
            time.sleep(delay)
            old.terminate()
            old.join(self.workers_kill_timeout)
            if old.is_alive():
                old.kill()
                old.join()

    def _start_and_wait(self, number: int, spawn_target: Callable[..., None], target_loader: LoadApp) -> Any:
        heard, tells = multiprocessing.Pipe(duplex=False)
        worker = self._spawn_worker(number, spawn_target, partial(_load, target_loader, tells))
        worker.start()
        tells.close()
        heard.poll(START_TIMEOUT_S)  # until the worker tells, or is dead
        heard.close()
        return worker


def _load(load: LoadApp, tells: Connection) -> Any:
    app = load()
    asyncio.get_event_loop().call_soon(tells.send, "I listen")  # the loop runs once the socket is bound
    return app


def reload_at_hangup(server: Server, logger: Logger) -> None:
    """Have SIGHUP replace the workers one by one, each once a new one answers beside it for some seconds.

    Settings that cannot be are told instead: with them the new workers would not start, and the old ones would be gone.
    """

    def check_and_replace(signum: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signature of a signal handler
        try:
            load_settings()
        except SettingsError as error:
            logger.warning("settings_not_reloaded", detail=str(error))
        else:
            server.signal_handler_reload()

    signal.signal(signal.SIGHUP, check_and_replace)
