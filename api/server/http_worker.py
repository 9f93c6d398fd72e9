"""Worker process of `reprise serve`: answers HTTP requests."""

import gc
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import TextIO, cast

from api import create_app
from api.server.asgi import AsgiApp
from api.server.tcp_timeout import drop_stuck_clients
from api.serving.service import service
from api.telemetry.buffered_log import LogLines
from api.telemetry.metrics import forget_dead_workers
from recommender.cli.threads import end_process_with_threads
from recommender.storage.shops import ShopStorage

STDERR = 2
STOP_TIMEOUT_S = 5
"""Seconds after which a worker that was asked to end is killed."""


def create_worker(storage: ShopStorage | None = None, clock: Callable[[], datetime] | None = None) -> AsgiApp:
    """The application of this process, which ends with its parent process, even where that is killed.

    `storage` and `clock` are those of `create_app`: Granian gives none, the demo its own.

    Raises SettingsError as `create_app`.
    """
    end_process_with_threads()
    forget_dead_workers()
    app = create_app(storage=storage, clock=clock, log=cast(TextIO, LogLines(STDERR)))
    own = service(app)
    own.shops.keep_following()
    own.shops.cache(own.settings.shop)  # the keys and the own shop are read before the first request
    gc.freeze()  # what is there now stays: looking through it for garbage would stop answers for 80 ms now and then
    drop_stuck_clients()
    threading.Thread(target=_end_with_parent, daemon=True, name="parent").start()
    return AsgiApp(app)


def _end_with_parent() -> None:
    """Workers without a parent would hold the port and answer on, beside those of the next `reprise serve`."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(STOP_TIMEOUT_S)
        os._exit(1)
