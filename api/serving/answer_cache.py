"""Cache of personal answers, which are sent again under a new id while nothing that they were made of has changed.

Redis is read each time, and the person's data must equal those that the answer was made of. All else that an answer
depends on is part of the cache's state, which is replaced when it changes, but for the time: an answer is made anew
each minute.
"""

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


def is_of_unknown_person(reading: FetchedLists) -> bool:
    """Whether the person that it was read for has neither lists nor recent activity."""
    for key, published in reading.lists.items():
        if published is not None and key.name in PERSONAL:
            return False
    return not reading.live


class CachedAnswer(NamedTuple):
    """A personal answer and the reading that it was made of.

    Attributes:
        reading: what was read.
        until: seconds since 1970 from which on it would be another.
        counted: the arguments of `count_answer`.
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
        """Whether `reading`, of the same person or of an unknown one as well, would give the same answer at `now`."""
        return now < self.until and _content(self.reading) == _content(reading)

    def prepare(self, name: str) -> Prepared:
        """The answer under another id, which has the length of the first one."""
        count_answer(*self.counted)
        return Prepared(b"".join((self.before, name.encode(), self.after)), self.headers, None)


def find_kept(builder: SlateBuilder, key: str, reading: FetchedLists) -> CachedAnswer | None:
    """The answer kept under `key`, if `reading`, which comes from a server that answers, would give the same."""
    kept: CachedAnswer | None = builder.state.repeats.get(key)
    return kept if kept is not None and kept.holds(reading, builder.as_of.timestamp()) else None


def keep(
    builder: SlateBuilder, key: str, reading: FetchedLists, result: SlateResult, prepared: Prepared, *, name: str
) -> None:
    """Keep an answer with the id `name` under `key`, with the `reading` that it was made of."""
    before, _, after = prepared.body.partition(name.encode())
    minute = (builder.as_of.timestamp() // KEPT_S + 1) * KEPT_S
    until = min(minute, result.slate.until or minute)
    n_bytes = _OBJECTS_BYTES + len(prepared.body)
    for published in reading.lists.values():
        n_bytes += 0 if published is None else len(published.wire)
    n_bytes += sum(recent.n_bytes for recent in reading.live.values())
    answer = CachedAnswer(reading, until, result.counted, before, after, prepared.headers)
    builder.state.repeats.keep(key, answer, n_bytes)


def _content(reading: FetchedLists) -> tuple[str, list[PublishedList | None], list[RecentActivity]]:
    """The content of a reading without its owner."""
    return reading.version, list(reading.lists.values()), list(reading.live.values())
