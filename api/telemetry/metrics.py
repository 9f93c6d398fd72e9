"""Prometheus metrics, summed over several workers, and the timed reads of Redis that feed them.

No label holds the id of a customer, a product or a key, and none a path: routes are labelled by their rule. Where
`PROMETHEUS_MULTIPROC_DIR` is set before the first import, as `reprise serve` does, the workers of a server add up.
"""

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path
from typing import TypeVar, get_args

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from api.telemetry.metrics_folder import metrics_folder
from recommender.catalogue.catalogue import Catalogue
from recommender.data_dir import make_folder
from recommender.errors import StoreError
from recommender.publication.manifest import version_as_of
from recommender.slate.placements import Limit
from recommender.slate.plans import FallbackReason
from recommender.slate.reading import FetchedLists
from recommender.storage.versions import ListQuery, Reader, StoreState

_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
_SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
RULE = "reprise.rule"
"""Where the WSGI environment holds the rule of the route that answered."""
_UNMATCHED = "unmatched"
"""The route of a request that no rule fits."""
_OTHER_METHOD = "OTHER"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

requests = Counter("reprise_requests", "Requests answered.", ("route", "method", "status"))
seconds = Histogram("reprise_request_seconds", "From request to answer.", ("route",), buckets=_SECONDS)
answers = Counter("reprise_answers", "Slates by where their lists came from.", ("source",))
fallbacks = Counter("reprise_fallbacks", "Slates that are not what was asked for.", ("reason",))
items = Counter("reprise_slate_items", "Products shown.", ("placement",))
room = Counter("reprise_slate_room", "Products that the limits would have allowed.", ("placement",))
events = Counter(
    "reprise_events",
    "Events sent to the service: accepted, duplicate, or rejected with the code that the answer names.",
    ("result", "code"),
)
product_changes = Counter(
    "reprise_product_changes", "Products of bulk requests to change them: accepted or rejected.", ("result",)
)
clamped = Counter("reprise_limits_clamped", "Requests for more products than the cap.", ("placement",))
store_seconds = Histogram("reprise_store_seconds", "Round trips to Redis.", ("operation",), buckets=_SECONDS)
store_errors = Counter("reprise_store_errors", "Round trips to Redis that failed.", ("operation",))
store_answers = Gauge(
    "reprise_store_answers", "1 while every worker reaches Redis, else 0.", multiprocess_mode="livemin"
)
version_as_of_seconds = Gauge(
    "reprise_version_as_of_timestamp_seconds",
    "The moment up to which the answering version knows the history.",
    ("shop",),
    multiprocess_mode="livemin",
)

waited_s: ContextVar[float] = ContextVar("waited_s", default=0.0)
"""Seconds that the request which is being answered has waited for Redis."""

REJECTIONS = ("invalid_event", "in_the_future", "wrong_currency", "erased", "not_from_browsers", "other_customer")
"""Codes of rejected events."""

_Metric = TypeVar("_Metric", Counter, Histogram)


@lru_cache(maxsize=4_096)
def _labelled(metric: _Metric, *labels: object) -> _Metric:
    """`metric.labels`, which locks and looks for them each time."""
    return metric.labels(*labels)


def start_at_zero(placements: Iterable[str]) -> None:
    """Give every metric whose labels are known a value before anything has happened: a rate of nothing is no 0."""
    for status in (404, 429, 500, 503):
        _labelled(requests, _UNMATCHED, "GET", status)
    _labelled(seconds, _UNMATCHED)
    for name in placements:
        for of_placement in (items, room, clamped):
            _labelled(of_placement, name)
    for source in ("kept", "memory", "redis"):
        _labelled(answers, source)
    for reason in get_args(FallbackReason):
        _labelled(fallbacks, reason)
    for operation in ("read", "follow"):
        _labelled(store_seconds, operation)
        _labelled(store_errors, operation)
    for result, code in (("accepted", ""), ("duplicate", ""), *(("rejected", code) for code in REJECTIONS)):
        _labelled(events, result, code)
    for result in ("accepted", "rejected"):
        _labelled(product_changes, result)


def count_events(accepted: int, duplicates: int, rejected: Iterable[str]) -> None:
    """Count the events of one request; `rejected` has the code of each that was."""
    _labelled(events, "accepted", "").inc(accepted)
    _labelled(events, "duplicate", "").inc(duplicates)
    for code in rejected:
        _labelled(events, "rejected", code).inc()


def count_product_changes(accepted: int, rejected: int) -> None:
    """Count the products of one bulk request."""
    _labelled(product_changes, "accepted").inc(accepted)
    _labelled(product_changes, "rejected").inc(rejected)


def count_request(rule: str | None, method: str, status: int, elapsed_s: float) -> None:
    """Count one answered request."""
    route = rule or _UNMATCHED
    _labelled(requests, route, method if method in _METHODS else _OTHER_METHOD, status).inc()
    _labelled(seconds, route).observe(elapsed_s)


def count_answer(placement: str, limit: Limit, n_items: int, fallback_reason: str | None) -> None:
    """Count one slate that was built, or sent again; with the reason where it is not what was asked for."""
    _labelled(answers, "redis" if waited_s.get() else "memory").inc()
    _labelled(items, placement).inc(n_items)
    _labelled(room, placement).inc(limit.applied)
    if (limit.requested or 0) > limit.cap:
        _labelled(clamped, placement).inc()
    if fallback_reason is not None:
        _labelled(fallbacks, fallback_reason).inc()


def count_kept_answer() -> None:
    """Count one slate that a worker had answered before."""
    _labelled(answers, "kept").inc()


@contextmanager
def shared_metrics() -> Iterator[None]:
    """Have the workers that are started within the block add up: see PROMETHEUS_MULTIPROC_DIR, which is emptied.

    Where it is not set it is a folder that goes with the block.
    """
    with ExitStack() as until_the_end:
        folder = os.environ.get(_FOLDER) or str(until_the_end.enter_context(metrics_folder()))
        make_folder(Path(folder))
        for left_behind in Path(folder).glob("*.db"):
            left_behind.unlink()
        os.environ[_FOLDER] = folder
        yield


def expose() -> bytes:
    """All metrics in the Prometheus text format, of every worker."""
    return generate_latest(_registry())


def sum_slates() -> tuple[int, dict[str, int]]:
    """Slates that all workers made since the server started, and how many of them, by the reason, were a fallback."""
    n_slates, by_reason = 0, dict[str, int]()
    for metric in _registry().collect():
        totals = [one for one in metric.samples if one.name.endswith("_total")]
        if metric.name == "reprise_answers":
            n_slates = round(sum(one.value for one in totals))
        elif metric.name == "reprise_fallbacks":
            by_reason = {one.labels["reason"]: round(one.value) for one in totals}
    return n_slates, by_reason


def _registry() -> CollectorRegistry:
    folder = os.environ.get(_FOLDER)
    if folder is None:
        return REGISTRY
    registry = CollectorRegistry()
    MultiProcessCollector(registry, folder)  # type: ignore[no-untyped-call]
    return registry


def forget_dead_workers() -> None:
    """Take back the states of workers that are gone; what they counted stays."""
    folder = os.environ.get(_FOLDER)
    for file in Path(folder).glob("gauge_live*_*.db") if folder else ():
        pid = int(file.stem.rpartition("_")[2])
        if not Path(f"/proc/{pid}").exists():
            mark_process_dead(pid, folder)  # type: ignore[no-untyped-call]


class timed:  # noqa: N801 - reads as a function; `contextmanager` takes 3 µs of every answer
    """Times what happens in the block, and adds that to `waited_s` as it was before."""

    def __init__(self, operation: str) -> None:
        self._operation = operation

    def __enter__(self) -> None:
        self._waited_s = waited_s.get()  # other requests of the same thread may change it until the end
        self._started = time.perf_counter()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        elapsed_s = time.perf_counter() - self._started
        if kind is not None and issubclass(kind, StoreError):
            store_errors.labels(self._operation).inc()
        _labelled(store_seconds, self._operation).observe(elapsed_s)
        waited_s.set(self._waited_s + elapsed_s)


class TimedReader:
    """A shop's store with timed reads; their seconds are added to `waited_s` of the answer that waits."""

    def __init__(self, store: Reader, shop: str) -> None:
        self._store = store
        self._shop = shop

    def read(self, query: ListQuery) -> FetchedLists | None:
        """See `Reader.read`."""
        with timed("read"):
            return self._store.read(query)

    async def read_async(self, query: ListQuery) -> FetchedLists | None:
        """See `Reader.read_async`."""
        with timed("read"):
            return await self._store.read_async(query)

    def catalogue(self, version: str, most_bytes: int) -> Catalogue | None:
        """See `Reader.catalogue`."""
        return self._store.catalogue(version, most_bytes)

    def find_products(self, version: str, product_ids: Sequence[str]) -> dict[str, bytes]:
        """See `Reader.find_products`."""
        with timed("read"):
            return self._store.find_products(version, product_ids)

    def follow(self) -> StoreState:
        """See `Reader.follow`."""
        with timed("follow"):
            position = self._store.follow()
        if position.version is not None:
            version_as_of_seconds.labels(self._shop).set(version_as_of(position.version).timestamp())
        return position
