"""Metrics of what a shop's jobs are doing: workers, waiting events, trainings, mails, pick jobs.

They are read from Redis in the background now and then, never by a request of /metrics; every worker shows the same.
"""

import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import get_args

from prometheus_client import Gauge

from recommender.storage.event_queue import IDLE_S
from recommender.storage.shops import JobState, ShopFigures, ShopStorage

READ_S = 5.0
"""Pause between two reads of the same shops."""
LOOK_S = 0.25
"""Seconds after which a call begins to read no further shop."""


def _gauge(name: str, tells: str, *labels: str) -> Gauge:
    return Gauge(f"reprise_{name}", tells, ("shop", *labels), multiprocess_mode="livemostrecent")


waiting = _gauge("events_waiting", "Accepted events that no worker has archived yet.")
dead = _gauge("dead_events", "Accepted events that could not be archived.")
oldest = _gauge(
    "oldest_waiting_event_seconds", "Age of the oldest accepted event that is not archived yet; 0 where none waits."
)
workers = _gauge("workers", f"Workers of `reprise worker` that were heard of in the last {IDLE_S:g} s.")
worker_seen = _gauge("worker_seen_timestamp_seconds", "When a worker was last heard of; 0: not in the last hour.")
trainings = _gauge(
    "training_timestamp_seconds", "When a training was last published, or refused by the gate; 0: never.", "verdict"
)
mails = _gauge("mails", "Mails that `reprise send` has settled so far, added at the end of each run.", "state")
pick_jobs = _gauge("pick_jobs", "Pick jobs asked for over HTTP, the latest ones, by their state.", "state")


class FiguresReader:
    """Reads the figures of shops every READ_S at most and shows them.

    Args:
        storage: of all shops.
        own_shop: is shown even while nobody asks for its lists.
        now: seconds since 1970.
        timer: seconds that only go forward.
    """

    def __init__(
        self,
        storage: ShopStorage,
        own_shop: str,
        now: Callable[[], float] = time.time,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._storage = storage
        self._own_shop = own_shop
        self._now = now
        self._timer = timer
        self._due_at = 0.0
        self._left: list[str] = []
        self._failed: dict[str, Exception] = {}
        """By shop why its figures could not be read the last time."""

    def follow(self, shops: Iterable[str]) -> None:
        """Read and show the figures of these shops, if it is time; two round trips each.

        After LOOK_S the others wait for the next call: whoever follows versions has other things to do. One shop that
        cannot be read stops no other; while there is one, its error is raised.
        """
        if not self._left and self._timer() >= self._due_at:
            self._due_at = self._timer() + READ_S
            self._left = list({self._own_shop, *shops})
            self._failed = {shop: error for shop, error in self._failed.items() if shop in self._left}
        give_up_at = self._timer() + LOOK_S
        while self._left and self._timer() < give_up_at:
            self._read(self._left.pop())
        for error in self._failed.values():
            raise error

    def _read(self, shop: str) -> None:
        try:
            show(shop, self._storage.figures(shop), self._now())
        except Exception as error:  # whatever is wrong with one shop
            self._failed[shop] = error
        else:
            self._failed.pop(shop, None)


def show(shop: str, figures: ShopFigures, now: float) -> None:
    """Set the gauges of a shop; `now` in seconds since 1970."""
    waiting.labels(shop).set(figures.backlog.waiting)
    dead.labels(shop).set(figures.backlog.dead_letters)
    oldest.labels(shop).set(figures.backlog.lag_s(datetime.fromtimestamp(now, UTC)))
    workers.labels(shop).set(sum(silent_s <= IDLE_S for silent_s in figures.workers))
    worker_seen.labels(shop).set(now - min(figures.workers) if figures.workers else 0)
    for verdict, at in figures.trainings.items():
        trainings.labels(shop, verdict).set(at)
    for settled, n in figures.mails.items():
        mails.labels(shop, settled).set(n)
    for state in get_args(JobState):
        pick_jobs.labels(shop, state).set(figures.jobs.get(state, 0))
