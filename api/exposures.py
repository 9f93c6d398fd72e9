"""Who came across an experiment, in whichever variant, kept as exposure events in the background.

One event per customer, experiment and day, see `recommender.exposures`: workers need not know of each other.
"""

import threading
from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from typing import NamedTuple

from prometheus_client import Counter
from structlog.typing import FilteringBoundLogger

from api.background import Background
from recommender.events import Event
from recommender.exposures import exposure_event
from recommender.warehouse import Warehouse

_MOST_WAITING = 50_000
_AT_ONCE = 500
"""Exposures kept in one round trip."""
_MOST_REMEMBERED = 20_000
"""Of this day, so that who comes again costs nothing: about 5 MB."""

lost = Counter("reprise_exposures_lost", "Exposures that could not be kept; the customer's next answer tries again.")


class Exposure(NamedTuple):
    """Who came across which variant, and where first."""

    shop: str
    experiment: str
    variant: str
    customer_id: str
    placement: str
    recommendation_id: str
    at: datetime

    @property
    def key(self) -> tuple[object, ...]:
        """The same for every exposure that is the same event."""
        return self.shop, self.experiment, self.customer_id, self.at.date()

    def event(self) -> Event:
        """As it is kept."""
        return exposure_event(
            self.experiment,
            self.variant,
            self.customer_id,
            self.at,
            placement=self.placement,
            recommendation_id=self.recommendation_id,
        )


class Exposures:
    """Keeps exposures. Safe to share between threads. Arguments as those of `api.impressions.Impressions`."""

    def __init__(self, warehouse: Warehouse, bound: int, logger: FilteringBoundLogger) -> None:
        self._warehouse = warehouse
        self._bound = bound
        self._logger = logger
        self._known: set[tuple[object, ...]] = set()
        self._lock = threading.Lock()
        self._background = Background("exposures", self._keep, _MOST_WAITING, _AT_ONCE)

    def note(self, exposure: Exposure) -> None:
        """Keep it soon, unless this process has kept one of the same customer, experiment and day."""
        if self._is_new(exposure.key) and not self._background.put(exposure):
            self._lose([exposure], "too many wait to be kept")

    def flush(self) -> None:
        """Return when all that was noted is kept or lost."""
        self._background.flush()

    def _is_new(self, key: tuple[object, ...]) -> bool:
        with self._lock:
            if key in self._known:
                return False
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            self._known.add(key)
            return True

    def _keep(self, waiting: Sequence[Exposure]) -> None:
        for shop, of_shop in groupby(sorted(waiting, key=lambda one: one.shop), key=lambda one: one.shop):
            exposures = list(of_shop)
            try:
                log = self._warehouse.event_log(shop)
                log.accept([one.event() for one in exposures], exposures[-1].at, self._bound)
            except Exception as error:  # a thread that ended would keep nothing more
                self._lose(exposures, str(error))

    def _lose(self, exposures: Sequence[Exposure], detail: str) -> None:
        with self._lock:
            self._known.difference_update(one.key for one in exposures)
        lost.inc(len(exposures))
        self._logger.warning("exposures_lost", shop=exposures[0].shop, n=len(exposures), detail=detail)
