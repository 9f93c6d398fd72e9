"""Watch over the embedded Redis: started again where it dies under a running service."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from api.telemetry.logs import Logger
from recommender.connection.embedded import revive
from recommender.data_dir import DataDirectory
from recommender.errors import RepriseError

WATCH_INTERVAL_S = 0.5


@contextmanager
def keep_embedded(home: DataDirectory, logger: Logger) -> Iterator[None]:
    """Watch over the server of `home`, which the caller has started, as long as the block runs."""
    stop = threading.Event()
    watcher = threading.Thread(target=_watch, args=(home, logger, stop), daemon=True, name="embedded")
    watcher.start()
    try:
        yield
    finally:
        stop.set()
        watcher.join()  # or it would start again what is stopped next


def _watch(home: DataDirectory, logger: Logger, stop: threading.Event) -> None:
    failing = False
    while not stop.wait(WATCH_INTERVAL_S):
        try:
            if revive(home):
                logger.warning("embedded_redis_started_again")
            failing = False
        except Exception as error:  # nobody else would start it again
            if not failing:
                detail = (
                    str(error) if isinstance(error, RepriseError) else f"unexpected {type(error).__name__}: {error}"
                )
                logger.warning("embedded_redis_stays_down", detail=detail)
            failing = True
