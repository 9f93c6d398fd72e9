"""What one worker keeps at hand of one shop, in bounded memory.

A version never changes, so its lists are kept as long as it answers. What may change is followed in the background and
not asked for with every answer: an answer costs one round trip at most, and none where all its lists are at hand.
Where the server does not answer, the last copies stand in, and nobody waits until it answers again.
"""

import threading
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from cachetools import TTLCache

from recommender.errors import StoreUnavailableError
from recommender.publication import WHOLE_SHOP, DecodedList, ListKey, Product
from recommender.store import Position, Reading, Store

MAX_LISTS = 4_000
MAX_ANSWERS = 4_000
KEPT_S = 3_600.0
"""A copy that nobody asked for in this time is forgotten, and so is one that a long outage made old."""
FALLBACK_KEYS = (ListKey("trending", WHOLE_SHOP), ListKey("popular", WHOLE_SHOP))
"""Always at hand: what is shown where nothing else can be."""
_PERSONAL = frozenset({"buy_again", "discover"})


class Memory:
    """A bounded mapping that forgets the least recently used, and what is older than KEPT_S. Safe between threads."""

    def __init__(self, most: int) -> None:
        self._entries: TTLCache[Hashable, Any] = TTLCache(most, KEPT_S)
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> Any:
        """What is kept under `key`; None for nothing."""
        with self._lock:
            return self._entries.get(key)

    def keep(self, key: Hashable, value: Any) -> None:
        """Keep `value` in place of what was there."""
        with self._lock:
            self._entries[key] = value


@dataclass(frozen=True)
class HeldList:
    """One list with its products by product_index."""

    decoded: DecodedList
    products: Mapping[int, Product]


@dataclass(frozen=True, eq=False)
class ShelfState:
    """What is at hand at one position. It is replaced as a whole, so one answer never mixes two positions.

    Attributes:
        position: what it belongs to.
        lists: HeldList by ListKey, of the position's version.
        answers: whatever the service made of this very position, by its own keys.
        fallbacks: the lists of FALLBACK_KEYS, which are never forgotten.
    """

    position: Position
    lists: Memory = field(default_factory=lambda: Memory(MAX_LISTS))
    answers: Memory = field(default_factory=lambda: Memory(MAX_ANSWERS))
    fallbacks: dict[ListKey, HeldList] = field(default_factory=dict)

    def find(self, key: ListKey) -> HeldList | None:
        """The list at hand, if it is."""
        held: HeldList | None = self.fallbacks.get(key) or self.lists.get(key)
        return held

    def keep(self, reading: Reading) -> None:
        """Keep what was read. That an owner has no list is not kept: made-up ids must not drive out real lists."""
        for key, decoded in reading.lists.items():
            if decoded is not None:
                products = {r.product_index: reading.products[r.product_index] for r in decoded.records}
                if key in FALLBACK_KEYS:
                    self.fallbacks[key] = HeldList(decoded, products)
                else:
                    self.lists.keep(key, HeldList(decoded, products))


class Shelf:
    """One shop's lists at hand, in front of its store. Safe to share between threads."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.state = ShelfState(Position())
        self.answering = True
        """Whether the server answered when it was last asked. While not, only `follow` asks it."""

    def follow(self) -> None:
        """Look what has changed. Raises StoreUnavailableError; what is at hand stays."""
        try:
            self._move(self.store.follow())
            self._load_fallbacks()
        except StoreUnavailableError:
            self.answering = False
            raise
        self.answering = True

    def read(self, keys: Sequence[ListKey]) -> Reading | None:
        """The named lists of the version that answers, all of one version; None before any.

        Raises:
            StoreUnavailableError: the server does not answer and nothing was ever read.
        """
        state = self.state
        held = {key: state.find(key) for key in keys if key.name not in _PERSONAL}
        missing = [key for key in keys if held.get(key) is None]
        if not missing:
            return _join(state, held, None)
        try:
            reading = self._ask(missing, state.position.version)
        except StoreUnavailableError:
            return self._recall(keys)
        if reading is not None and reading.version != state.position.version:
            state = self._move(replace(state.position, version=reading.version))
            held = {}
            if len(missing) < len(keys):  # what was at hand is of a version that is no longer kept
                reading = self._ask(keys, reading.version)
        if reading is None:
            return None
        state.keep(reading)
        return _join(state, held, reading)

    def _ask(self, keys: Sequence[ListKey], version: str | None) -> Reading | None:
        if not self.answering:
            raise StoreUnavailableError("Redis did not answer a moment ago; it is asked again in the background")
        try:
            return self.store.read(keys, version)
        except StoreUnavailableError:
            self.answering = False
            raise

    def _recall(self, keys: Sequence[ListKey]) -> Reading:
        state = self.state
        if state.position.version is None:
            raise StoreUnavailableError("Redis does not answer, and nothing was read from it before")
        return replace(_join(state, {key: state.find(key) for key in keys}, None), stale=True)

    def _move(self, position: Position) -> ShelfState:
        state = self.state
        if position.version != state.position.version:
            state = ShelfState(position)
        elif position != state.position:
            state = ShelfState(position, lists=state.lists, fallbacks=state.fallbacks)
        self.state = state
        return state

    def _load_fallbacks(self) -> None:
        state = self.state
        if state.position.version is not None and not state.fallbacks:
            reading = self.store.read(FALLBACK_KEYS, state.position.version)
            if reading is not None and reading.version == state.position.version:
                state.keep(reading)


def _join(state: ShelfState, held: Mapping[ListKey, HeldList | None], reading: Reading | None) -> Reading:
    lists: dict[ListKey, DecodedList | None] = {
        key: None if found is None else found.decoded for key, found in held.items()
    }
    products: dict[int, Product] = {}
    for found in held.values():
        products |= found.products if found else {}
    if reading is not None:
        lists |= reading.lists
        products |= reading.products
    return Reading(state.position.version or "", lists, products)
