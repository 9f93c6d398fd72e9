"""What one worker keeps at hand of one shop, in bounded memory.

A version never changes, so its lists are kept as long as it answers. What may change is followed in the background and
not asked for with every answer: an answer costs one round trip at most, and none where all its lists are at hand.
Where the server does not answer, the last copies stand in, and nobody waits until it answers again.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from recommender.asking import Asking, Question, wait_for
from recommender.catalogue import Catalogue, entry_bytes
from recommender.errors import StoreError, StoreUnavailableError
from recommender.live_catalogue import LiveProducts
from recommender.publication import PERSONAL, WHOLE_SHOP, ListKey, Product, PublishedList
from recommender.store import Position, Reader, Reading

MAX_LIST_BYTES = 3 << 20
"""About 4,000 lists of 50 products; lists of 500 are fewer."""
MAX_ANSWER_BYTES = 5 << 20
"""About 1,300 answers of 6 products."""
MAX_REPEAT_BYTES = 5 << 20
"""About 430 answers of 12 products for one person each."""
MAX_CATALOGUE_BYTES = 8 << 20
"""About 32,000 products. Of a larger shop, the products travel with each list, which costs time and no memory."""
KEPT_S = 3_600.0
"""A copy that nobody asked for in this time is forgotten, and so is one that a long outage made old."""
FALLBACK_KEYS = (ListKey("trending", WHOLE_SHOP), ListKey("popular", WHOLE_SHOP))
"""Always at hand: what is shown where nothing else can be."""
_NO_TEXTS: Mapping[int, bytes] = MappingProxyType({})
_ENTRY_BYTES = 500
"""What the objects around an entry of a memory take, about."""


class Memory:
    """A mapping that forgets the least recently used, and what is older than KEPT_S. Safe between threads.

    Args:
        most_bytes: memory that the entries may take, by what `keep` is told of each, and _ENTRY_BYTES besides.
        timer: seconds from any moment on.
    """

    def __init__(self, most_bytes: int, timer: Callable[[], float] = time.monotonic) -> None:
        self.n_bytes = 0
        self._most_bytes = most_bytes
        self._timer = timer
        self._entries: OrderedDict[Hashable, tuple[Any, int, float]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> Any:
        """What is kept under `key`; None for nothing."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None or self._timer() > entry[2]:
                return None
            self._entries.move_to_end(key)
            return entry[0]

    def keep(self, key: Hashable, value: Any, n_bytes: int) -> None:
        """Keep `value`, which takes `n_bytes`, in place of what was there."""
        n_bytes += _ENTRY_BYTES
        with self._lock:
            replaced = self._entries.pop(key, None)
            self.n_bytes += n_bytes - (replaced[1] if replaced else 0)
            self._entries[key] = value, n_bytes, self._timer() + KEPT_S
            while self.n_bytes > self._most_bytes:
                self.n_bytes -= self._entries.popitem(last=False)[1][1]

    def __len__(self) -> int:
        return len(self._entries)


@dataclass(frozen=True, slots=True)
class HeldList:
    """One list, and the text of its products by product_index where they are not all at hand anyway."""

    published: PublishedList
    texts: Mapping[int, bytes]

    @property
    def n_bytes(self) -> int:
        """Memory that it takes, about."""
        return len(self.published.wire) + sum(map(entry_bytes, self.texts.values()))


@dataclass(frozen=True, eq=False)
class ShelfState:
    """What is at hand at one position. It is replaced as a whole, so one answer never mixes two positions.

    Attributes:
        position: what it belongs to.
        lists: HeldList by ListKey, of the position's version.
        catalogue: all products of that version; None where they are too many, or not read yet.
        answers: whatever the service made of this very position, by its own keys.
        repeats: likewise, of single persons.
        fallbacks: the lists of FALLBACK_KEYS, which are never forgotten.
        pinned: products of that version that a placement pins, by id; None for those that it does not know.
        before: the last catalogue that was at hand of an earlier version, until this one's is; for links of mails.
    """

    position: Position
    catalogue: Catalogue | None = None
    lists: Memory = field(default_factory=lambda: Memory(MAX_LIST_BYTES))
    answers: Memory = field(default_factory=lambda: Memory(MAX_ANSWER_BYTES))
    repeats: Memory = field(default_factory=lambda: Memory(MAX_REPEAT_BYTES))
    fallbacks: dict[ListKey, HeldList] = field(default_factory=dict)
    pinned: dict[str, Product | None] = field(default_factory=dict)
    before: Catalogue | None = None

    def find(self, key: ListKey) -> HeldList | None:
        """The list at hand, if it is."""
        held: HeldList | None = self.fallbacks.get(key) or self.lists.get(key)
        return held

    def look_up(self, product_id: str) -> Product | None:
        """A product of `pinned`, or one that no training has seen, with what the shop said of it."""
        live, trained = self.position.live_catalogue, self.pinned.get(product_id)
        return live.newcomer(product_id) if trained is None else live.amend(trained)

    def keep(self, reading: Reading) -> None:
        """Keep what was read. That an owner has no list is not kept: made-up ids must not drive out real lists."""
        for key, published in reading.lists.items():
            if published is not None:
                held = HeldList(published, self._texts(published, reading.products))
                if key in FALLBACK_KEYS:
                    self.fallbacks[key] = held
                else:
                    self.lists.keep(key, held, held.n_bytes)

    def _texts(self, published: PublishedList, products: Catalogue) -> Mapping[int, bytes]:
        if products is self.catalogue:
            return _NO_TEXTS
        texts, indices = products.texts, [record.product_index for record in published]
        return {index: texts[index] for index in indices if index in texts}


class Shelf:
    """One shop's lists at hand, in front of its store. Safe to share between threads."""

    def __init__(self, store: Reader) -> None:
        self.store = store
        self.state = ShelfState(Position())
        self.answering = True
        """Whether the server answered when it was last asked. While not, only `follow` asks it."""
        self.emptied = False
        """Whether it answered that it holds no version any more."""
        self._catalogue_of: str | None = None
        """The version whose catalogue was asked for last, whether or not it was small enough."""

    def follow(self) -> None:
        """Look what has changed. Raises StoreError; what is at hand stays."""
        try:
            position = self.store.follow()
        except Exception:
            self.answering = False
            raise
        # nobody takes a version back: where there is none any more, what was published is lost
        self.emptied = position.version is None and self.state.position.version is not None
        self.answering = not self.emptied
        if self.emptied:
            raise StoreUnavailableError("Redis was emptied: the last copies stand in until the next publish")
        self._move(position)
        self._load_fallbacks()
        self._load_catalogue()

    def read(self, keys: Sequence[ListKey], people: Sequence[str] = ()) -> Reading | None:
        """As `reading`, for a thread."""
        return wait_for(self.reading(keys, people))

    def reading(self, keys: Sequence[ListKey], people: Sequence[str] = ()) -> Asking[Reading | None]:
        """The named lists of the version that answers, all of one version; None before any.

        Args:
            keys: the lists.
            people: whose live events count, by `digest_of_person`; they are never at hand.

        Raises:
            StoreUnavailableError: the server does not answer and nothing was ever read.
        """
        live = self.state.position.live_catalogue
        reading = yield from self._read([*keys, *live.newcomers.keys_behind(keys)], people)
        if reading is None or not live.records:
            return reading
        return replace(
            reading, lists=live.newcomers.complete(reading.lists), products=LiveProducts(reading.products, live)
        )

    def finding(self, product_ids: Sequence[str]) -> Asking[dict[str, Product]]:
        """Those of the products that are known to the version that answers or to the shop since, by id.

        One round trip for those that nobody asked for before; while the server does not answer, they are not known.
        """
        state = self.state
        version = state.position.version
        missing = [one for one in product_ids if one not in state.pinned]
        if missing and self.answering and version is not None:
            try:
                texts = yield Question(lambda: self.store.find_products(version, missing))
            except StoreUnavailableError:
                self.answering = False
            else:
                found = {product_id: Product.from_json(text) for product_id, text in texts.items()}
                state.pinned.update((one, found.get(one)) for one in missing)
        known = ((one, state.look_up(one)) for one in product_ids)
        return {one: product for one, product in known if product is not None}

    def _read(self, keys: Sequence[ListKey], people: Sequence[str]) -> Asking[Reading | None]:
        if not self.answering:
            return self._recall(keys)
        state = self.state
        held = {key: state.find(key) for key in keys if key.name not in PERSONAL}
        missing = [key for key in keys if held.get(key) is None]
        if not missing and not people:
            return _join(state, held, None)
        try:
            reading = yield from self._ask(missing, state.position.version, state.catalogue, people)
            if reading is not None and reading.version != state.position.version and len(missing) < len(keys):
                held = {}  # it is of a version that is no longer kept
                reading = yield from self._ask(keys, reading.version, None, people)
        except StoreError:
            return self._recall(keys)
        if reading is None:
            return None if state.position.version is None else self._recall(keys)
        if reading.version != state.position.version:
            state, held = self._move(replace(state.position, version=reading.version)), {}
        state.keep(reading)
        return _join(state, held, reading)

    def _ask(
        self,
        keys: Sequence[ListKey],
        version: str | None,
        catalogue: Catalogue | None = None,
        people: Sequence[str] = (),
    ) -> Asking[Reading | None]:
        asked, store = (keys, version, catalogue, people), self.store
        try:
            return (yield Question(lambda: store.read(*asked), lambda: store.read_soon(*asked)))  # type: ignore[no-any-return]
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
            state = ShelfState(position, before=state.catalogue or state.before)
        elif position.erasures != state.position.erasures:  # a last copy may be of somebody who is to be forgotten
            state = ShelfState(position, state.catalogue, fallbacks=state.fallbacks, pinned=state.pinned)
        elif position != state.position:
            state = ShelfState(position, state.catalogue, state.lists, fallbacks=state.fallbacks, pinned=state.pinned)
        self.state = state
        return state

    def _load_fallbacks(self) -> None:
        state = self.state
        if state.position.version is not None and not state.fallbacks:
            reading = wait_for(self._ask(FALLBACK_KEYS, state.position.version))
            if reading is not None and reading.version == state.position.version:
                state.keep(reading)

    def _load_catalogue(self) -> None:
        state = self.state
        version = state.position.version
        if version is not None and version != self._catalogue_of:
            catalogue = self.store.catalogue(version, MAX_CATALOGUE_BYTES)
            self._catalogue_of = version
            if self.state.position.version == version:  # nobody has moved on meanwhile
                self.state = replace(self.state, catalogue=catalogue, before=None)


def _join(state: ShelfState, held: Mapping[ListKey, HeldList | None], reading: Reading | None) -> Reading:
    lists = {key: None if found is None else found.published for key, found in held.items()}
    if reading is not None:
        lists |= reading.lists
    products = state.catalogue or _join_products(held, reading)
    return Reading(state.position.version or "", lists, products, reading.live if reading is not None else {})


def _join_products(held: Mapping[ListKey, HeldList | None], reading: Reading | None) -> Catalogue:
    texts: dict[int, bytes] = {}
    for found in held.values():
        texts |= found.texts if found else {}
    if reading is not None:
        texts |= reading.products.texts
    return Catalogue(texts)
