"""What was shown, kept as impression events in the background: the answer does not wait for it."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from structlog.typing import FilteringBoundLogger

from api.background import Background
from api.desk import Outcome
from recommender.events import Event
from recommender.warehouse import Warehouse

_MOST_WAITING = 1_000
"""Answers whose products wait to be kept. More are not kept: they only tell what to show less often."""


class Shown(NamedTuple):
    """Who was shown what, and when."""

    shop: str
    customer_id: str | None
    session_id: str | None
    recommendation_id: str
    outcome: Outcome
    at: datetime


class Impressions:
    """Keeps what was shown. Safe to share between threads.

    Args:
        warehouse: where the events go.
        bound: most events that may wait for a worker.
        logger: told of what could not be kept.
    """

    def __init__(self, warehouse: Warehouse, bound: int, logger: FilteringBoundLogger) -> None:
        self._warehouse = warehouse
        self._bound = bound
        self._logger = logger
        self._background = Background("impressions", self._keep, _MOST_WAITING)

    def note(self, shown: Shown) -> None:
        """Keep it soon; not where nobody is named, nothing was shown, or too many wait."""
        if shown.outcome.slate.items and (shown.customer_id or shown.session_id) and not self._background.put(shown):
            self._logger.warning("impressions_lost", shop=shown.shop)

    def flush(self) -> None:
        """Return when all that was noted is kept."""
        self._background.flush()

    def _keep(self, waiting: Sequence[Shown]) -> None:
        for shown in waiting:
            try:
                self._warehouse.event_log(shown.shop).accept(_events(shown), shown.at, self._bound)
            except Exception as error:  # a thread that ended would keep nothing more
                self._logger.warning("impressions_lost", shop=shown.shop, detail=str(error))


def _events(shown: Shown) -> Sequence[Event]:
    return [
        Event(
            event_id=f"{shown.recommendation_id}:{item.rank}",
            event_type="impression",
            customer_id=shown.customer_id,
            session_id=shown.session_id,
            product_id=item.product.product_id,
            occurred_at=shown.at,
            placement=shown.outcome.placement,
            recommendation_id=shown.recommendation_id,
            rank=item.rank,
        )
        for item in shown.outcome.slate.items
    ]
