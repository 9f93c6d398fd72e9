"""A person's answer is sent again, under an id of its own, while nothing that it was made of has changed.

Redis is asked each time: what it says of the person must be what it said when the answer was made. All else that an
answer depends on is part of the shelf's state, which is replaced when it changes, but for the time: an answer is made
anew each minute.
"""

from collections.abc import Callable
from typing import NamedTuple

from api.serving.slates import SlateBuilder, SlateResult
from api.telemetry.metrics import count_answer
from api.web.responses import Prepared
from recommender.events.recent import RecentActivity
from recommender.publication.lists import PERSONAL, PublishedList
from recommender.slate.placements import Limit
from recommender.slate.plans import FallbackReason
from recommender.slate.reading import FetchedLists

KEPT_S = 60
_OBJECTS_BYTES = 2_000
"""What the objects around the bytes take, about."""


def is_of_nobody(reading: FetchedLists) -> bool:
    """Whether nothing is known of the person that it was read for."""
    for key, published in reading.lists.items():
        if published is not None and key.name in PERSONAL:
            return False
    return not reading.live


class CachedAnswer(NamedTuple):
    """An answer for one person, and what it was made of.

    Attributes:
        reading: what was read.
        until: seconds since 1970 from which on it would be another.
        counted: what `count_answer` is told of it.
        before: the body up to the answer's own id.
        after: the body from there on.
        headers: as they were.
    """

    reading: FetchedLists
    until: float
    counted: tuple[str, Limit, int, FallbackReason | None]
    before: bytes
    after: bytes
    headers: list[tuple[str, str]]

    def holds(self, reading: FetchedLists, now: float) -> bool:
        """Whether it is what would be made of `reading` at `now`, which is of the same person or of nobody as well."""
        return now < self.until and _told(self.reading) == _told(reading)

    def prepare(self, name: str) -> Prepared:
        """The same answer under the id `name`, which is as long as the first one."""
        count_answer(*self.counted)
        return Prepared(b"".join((self.before, name.encode(), self.after)), self.headers, None)


def repeat(
    builder: SlateBuilder, key: str, reading: FetchedLists, name: str, make: Callable[[], tuple[SlateResult, Prepared]]
) -> Prepared:
    """The answer that is kept under `key`, under the id `name`; as `make` makes it where it would be another now.

    What is made is kept. `reading` is of a server that answers.
    """
    memory, now = builder.state.repeats, builder.as_of.timestamp()
    kept: CachedAnswer | None = memory.get(key)
    if kept is not None and kept.holds(reading, now):
        return kept.prepare(name)
    result, prepared = make()
    before, _, after = prepared.body.partition(name.encode())
    minute = (now // KEPT_S + 1) * KEPT_S
    until = min(minute, result.slate.until or minute)
    n_bytes = _OBJECTS_BYTES + len(prepared.body)
    for published in reading.lists.values():
        n_bytes += 0 if published is None else len(published.wire)
    memory.keep(key, CachedAnswer(reading, until, result.counted, before, after, prepared.headers), n_bytes)
    return prepared


def _told(reading: FetchedLists) -> tuple[str, list[PublishedList | None], list[RecentActivity]]:
    """All of a reading but whose it is."""
    return reading.version, list(reading.lists.values()), list(reading.live.values())
