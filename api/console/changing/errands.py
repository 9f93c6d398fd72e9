"""Errands: work that goes on once its page is answered, one at a time, so that no page waits for it."""

import queue
import threading
from collections.abc import Callable
from functools import cache

from flask import Flask, current_app

from api.web.access_log import log
from recommender.errors import OverloadedError

MOST_WAITING = 8


class Errands:
    """One thread for all errands of a process; it ends with the process, whatever it is at."""

    def __init__(self) -> None:
        self._waiting: queue.Queue[tuple[Flask, Callable[[], object]]] = queue.Queue(MOST_WAITING)
        self._begin = threading.Lock()
        self._thread: threading.Thread | None = None

    def add(self, errand: Callable[[], object]) -> None:
        """Have it done. Raises OverloadedError where MOST_WAITING wait already."""
        try:
            self._waiting.put_nowait((current_app._get_current_object(), errand))  # type: ignore[attr-defined]
        except queue.Full:
            raise OverloadedError("too many errands of the console wait") from None
        with self._begin:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, daemon=True, name="console-errands")
                self._thread.start()

    def _work(self) -> None:
        while True:
            app, errand = self._waiting.get()
            try:
                with app.app_context():
                    errand()
            except Exception as error:  # the next one is to be done whatever became of this one
                log(app).error("console_errand_failed", exc_info=error)


@cache
def errands() -> Errands:
    """Those of this process."""
    return Errands()
