"""Events that the service itself has to tell, kept in the background: no answer waits for them."""

import threading
from collections.abc import Callable, Hashable, Sequence
from itertools import groupby
from typing import NamedTuple

from prometheus_client import Counter
from structlog.typing import FilteringBoundLogger

from api.background.queue import Background
from recommender.errors import RepriseError
from recommender.events.event import Event
from recommender.storage.shops import ShopStorage

_MOST_REMEMBERED = 20_000
"""So that what is told again and again costs nothing: about 5 MB."""


_LOST = {
    "exposures": Counter(
        "reprise_exposures_lost", "Exposures that could not be kept; the customer's next answer tries again."
    ),
    "mail_events": Counter("reprise_mail_events_lost", "Openings of mails and clicks in them that could not be kept."),
}


class _Told(NamedTuple):
    """Events of one shop, made when they are kept; `once` names what is kept once."""

    shop: str
    makes: Sequence[Callable[[], Event]]
    once: Hashable


class EventSink:
    """A queue of events on the way to the logs of their shops. Safe to share between threads.

    Args:
        name: what the events are; what cannot be kept is logged as `<name>_lost`, and counted where a metric is.
        storage: where the logs are.
        bound: most events that may wait there for a worker.
        logger: told of what is lost.
        most_waiting: calls of `note` that may wait here.
        at_once: of these are kept in one round trip.
    """

    def __init__(
        self,
        name: str,
        storage: ShopStorage,
        bound: int,
        logger: FilteringBoundLogger,
        *,
        most_waiting: int,
        at_once: int = 1,
    ) -> None:
        self._message = f"{name}_lost"
        self._lost = _LOST.get(name)
        self._storage = storage
        self._bound = bound
        self._logger = logger
        self._known: set[Hashable] = set()
        self._lock = threading.Lock()
        self._background = Background(name, self._keep, most_waiting, at_once)

    def note(self, shop: str, makes: Sequence[Callable[[], Event]], once: Hashable = None) -> None:
        """Keep events soon; what cannot be kept is lost, counted and logged.

        Args:
            shop: whose events.
            makes: gives one event each, at least one of them, in the background; where one raises ValueError because
                what it was told is no event, all are lost.
            once: leave out what this process has kept under the same name; None for nothing.
        """
        told = _Told(shop, makes, None if once is None else (shop, once))
        if self._is_new(told.once) and not self._background.put(told):
            self._lose([told], "too many wait to be kept")

    def flush(self) -> None:
        """Return when all that was noted is kept or lost."""
        self._background.flush()

    def _is_new(self, once: Hashable) -> bool:
        if once is None:
            return True
        with self._lock:
            if once in self._known:
                return False
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            self._known.add(once)
            return True

    def _keep(self, waiting: Sequence[_Told]) -> None:
        for shop, of_shop in groupby(sorted(waiting, key=lambda one: one.shop), key=lambda one: one.shop):
            told = list(of_shop)
            try:
                events = [make() for one in told for make in one.makes]
                self._storage.event_log(shop).accept(events, events[-1].occurred_at, self._bound)
            except Exception as error:  # a thread that ended would keep nothing more
                # what pydantic says of an event would name a customer
                self._lose(told, str(error) if isinstance(error, RepriseError) else type(error).__name__)

    def _lose(self, told: Sequence[_Told], detail: str) -> None:
        with self._lock:
            self._known.difference_update(one.once for one in told)
        if self._lost is not None:
            self._lost.inc(len(told))
        self._logger.warning(self._message, shop=told[0].shop, n=len(told), detail=detail)
