"""Event sink: events of the service itself, written to the event log in the background."""

import threading
import time
from collections.abc import Callable, Hashable, Sequence
from itertools import groupby
from typing import NamedTuple

from prometheus_client import Counter

from api.background.queue import Background
from api.telemetry.logs import Logger
from api.window import Window
from recommender.connection.time_limit import time_limit
from recommender.errors import OverloadedError, RepriseError, StoreUnavailableError
from recommender.events.event import Event
from recommender.storage.event_log import Sender
from recommender.storage.shops import ShopStorage

_MOST_REMEMBERED = 20_000
"""Most keys of events that are written once: about 5 MB."""
TELL_S = 1.0
"""Pause between two lines of the log on losses of a shop: while Redis hangs, there may be thousands."""
TRY_S, PAUSE_S = 1.0, 0.25
"""Time limit of a try, so that one into a lost connection does not go on when Redis is back; pause before the next."""
GIVE_UP_S = 30.0
"""Time from the first try to the last while Redis does not answer. An event has an id: more tries keep it once."""
_LOST = {
    "exposures": Counter(
        "reprise_exposures_lost", "Exposures that could not be kept; the customer's next answer tries again."
    ),
    "impressions": Counter(
        "reprise_impressions_lost", "Answers whose impressions could not be kept, or were more than may be."
    ),
    "mail_events": Counter("reprise_mail_events_lost", "Openings of mails and clicks in them that could not be kept."),
}


class _Note(NamedTuple):
    """Events of one shop, made when they are written; `once` is the key of events that are written once."""

    shop: str
    makes: Sequence[Callable[[], Event]]
    once: Hashable


class EventSink:
    """A queue of events to be written to the logs of their shops. Safe to share between threads.

    Args:
        name: kind of the events; those that cannot be written are logged as `<name>_lost`, and counted by the metric
            of that name where there is one.
        storage: of the event logs.
        bound: most events that may wait there for a worker.
        logger: for warnings of lost events.
        most_waiting: calls of `note` that may wait here.
        at_once: most of these that are written in one round trip.
        most_per_s: events of one shop that are taken in a second; None: any number.
        sender: see `EventLog.accept`.
        give_up_s: seconds from the first try to the last while Redis does not answer.
        clock: seconds that only go forward.
    """

    def __init__(
        self,
        name: str,
        storage: ShopStorage,
        bound: int,
        logger: Logger,
        *,
        most_waiting: int,
        at_once: int = 1,
        most_per_s: int | None = None,
        sender: Sender = "shop",
        give_up_s: float = GIVE_UP_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._message = f"{name}_lost"
        self._lost = _LOST.get(name)
        self._storage = storage
        self._bound = bound
        self._logger = logger
        self._window = None if most_per_s is None else Window(1, most_per_s)
        self._sender = sender
        self._give_up_s = give_up_s
        self._clock = clock
        self._untold: dict[str, tuple[float, int]] = {}
        """By shop when a loss may be told again, and notes that were lost since the last one that was told."""
        self._written_once: set[Hashable] = set()
        self._lock = threading.Lock()
        self._background = Background(name, self._write, most_waiting, at_once)

    def note(self, shop: str, makes: Sequence[Callable[[], Event]], once: Hashable = None) -> None:
        """Queue events to be written; those that cannot be written are lost, counted and logged.

        Args:
            shop: of the events.
            makes: at least one function; each makes one event in the background. Where one raises ValueError, all
                are lost.
            once: key under which this process writes events only once; None: always.
        """
        if not self._take(shop, len(makes)):  # without a line in the log: there may be thousands a second
            self._count_lost(1)
            return
        note = _Note(shop, makes, None if once is None else (shop, once))
        if self._is_new(note.once) and not self._background.put(note):
            self._lose([note], "too many wait to be kept")

    def flush(self) -> None:
        """Wait until all queued events are written or lost."""
        self._background.flush()

    def _take(self, shop: str, n_events: int) -> bool:
        """Whether so many events more may be taken in this second."""
        with self._lock:
            return self._window is None or not self._window.take(shop, n_events, self._clock())

    def _is_new(self, once: Hashable) -> bool:
        if once is None:
            return True
        with self._lock:
            if once in self._written_once:
                return False
            if len(self._written_once) >= _MOST_REMEMBERED:
                self._written_once.clear()
            self._written_once.add(once)
            return True

    def _write(self, waiting: Sequence[_Note]) -> None:
        for shop, of_shop in groupby(sorted(waiting, key=lambda note: note.shop), key=lambda note: note.shop):
            notes = list(of_shop)
            try:
                events = [make() for note in notes for make in note.makes]
                self._accept(shop, events)
            except Exception as error:  # a thread that ended would write nothing more
                # what pydantic says of an event would name a customer
                self._lose(notes, str(error) if isinstance(error, RepriseError) else type(error).__name__)

    def _accept(self, shop: str, events: Sequence[Event]) -> None:
        give_up_at = self._clock() + self._give_up_s
        while True:
            try:
                with time_limit(TRY_S):
                    self._storage.event_log(shop).accept(events, events[-1].occurred_at, self._bound, self._sender)
                break
            except (StoreUnavailableError, OverloadedError):
                if self._clock() >= give_up_at:
                    raise
                time.sleep(PAUSE_S)

    def _lose(self, notes: Sequence[_Note], detail: str) -> None:
        """Count notes of one shop that are lost; a second after a line in the log the next one tells all since."""
        shop, now = notes[0].shop, self._clock()
        with self._lock:
            self._written_once.difference_update(note.once for note in notes)
            tell_at, n = self._untold.get(shop, (now, 0))
            n += len(notes)
            self._untold[shop] = (tell_at, n) if now < tell_at else (now + TELL_S, 0)
        self._count_lost(len(notes))
        if now >= tell_at:
            self._logger.warning(self._message, shop=shop, n=n, detail=detail)

    def _count_lost(self, n_notes: int) -> None:
        if self._lost is not None:
            self._lost.inc(n_notes)
