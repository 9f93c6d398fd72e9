"""What was shown, kept as impression events in the background: the answer does not wait for it."""

import os
import queue
import threading
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from structlog.typing import FilteringBoundLogger

from api.desk import Outcome
from recommender.errors import StoreError
from recommender.events import Event
from recommender.warehouse import Warehouse

_MOST_WAITING = 1_000
"""Answers whose products wait to be kept. More are not kept: they only tell what to show less often."""


class Shown(NamedTuple):
    """Who was shown what."""

    shop: str
    customer_id: str | None
    session_id: str | None
    recommendation_id: str
    outcome: Outcome


class Impressions:
    """Keeps what was shown, by a thread of its own. Safe to share between threads.

    Args:
        warehouse: where the events go.
        bound: most events that may wait for a worker.
        logger: told of what could not be kept.
    """

    def __init__(self, warehouse: Warehouse, bound: int, logger: FilteringBoundLogger) -> None:
        self._warehouse = warehouse
        self._bound = bound
        self._logger = logger
        self._waiting: queue.Queue[tuple[Shown, datetime]] = queue.Queue(_MOST_WAITING)
        self._kept_by: int | None = None
        self._starting = threading.Lock()

    def note(self, shown: Shown, at: datetime) -> None:
        """Keep it soon; not where nobody is named, nothing was shown, or too many wait."""
        if shown.outcome.slate.items and (shown.customer_id or shown.session_id):
            self._start()
            try:
                self._waiting.put_nowait((shown, at))
            except queue.Full:
                self._logger.warning("impressions_lost", shop=shown.shop)

    def flush(self) -> None:
        """Return when all that was noted is kept."""
        self._waiting.join()

    def _start(self) -> None:
        """Have a thread of this process: one does not survive a fork."""
        if self._kept_by == os.getpid():
            return
        with self._starting:
            if self._kept_by != os.getpid():
                threading.Thread(target=self._keep_on, daemon=True, name="impressions").start()
                self._kept_by = os.getpid()

    def _keep_on(self) -> None:
        while True:
            shown, at = self._waiting.get()
            try:
                self._warehouse.event_log(shown.shop).accept(_events(shown, at), at, self._bound)
            except StoreError as error:
                self._logger.warning("impressions_lost", shop=shown.shop, detail=str(error))
            finally:
                self._waiting.task_done()


def _events(shown: Shown, at: datetime) -> Sequence[Event]:
    return [
        Event(
            event_id=f"{shown.recommendation_id}:{item.rank}",
            event_type="impression",
            customer_id=shown.customer_id,
            session_id=shown.session_id,
            product_id=item.product.product_id,
            occurred_at=at,
            placement=shown.outcome.placement,
            recommendation_id=shown.recommendation_id,
        )
        for item in shown.outcome.slate.items
    ]
