"""What one worker caches of one shop, in bounded memory.

A version never changes, so its lists are kept as long as it answers. What may change is followed in the background and
not asked for with every answer: an answer costs one round trip at most, and none where all its lists are cached.
Where the server does not answer, the last copies stand in, and nobody waits until it answers again.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from recommender.catalogue.catalogue import Catalogue, decode_product, entry_bytes
from recommender.catalogue.overrides import OverriddenCatalogue
from recommender.errors import StoreError, StoreUnavailableError
from recommender.events.recent import RecentActivity
from recommender.publication.lists import PERSONAL, ListKey, PublishedList
from recommender.publication.product import Product
from recommender.slate.candidates import FALLBACK_KEYS
from recommender.slate.placements import Placement
from recommender.slate.reading import FetchedLists
from recommender.storage.lru import LruCache
from recommender.storage.run_sync import run_sync
from recommender.storage.versions import ListQuery, Reader, StoreState

MAX_LIST_BYTES = 3 << 20
"""About 4,000 lists of 50 products; lists of 500 are fewer."""
MAX_ANSWER_BYTES = 5 << 20
"""About 1,300 answers of 6 products."""
MAX_REPEAT_BYTES = 5 << 20
"""About 430 answers of 12 products for one person each."""
MAX_CATALOGUE_BYTES = 8 << 20
"""About 32,000 products. Of a larger shop, the products travel with each list, which costs time and no memory."""
_NO_TEXTS: Mapping[int, bytes] = MappingProxyType({})
_NO_PLACEMENTS: Mapping[str, Placement] = MappingProxyType({})
_Fetch = Callable[[ListQuery], Awaitable[FetchedLists | None]]


@dataclass(frozen=True, slots=True)
class CachedList:
    """One list, and the text of its products by product_index where not all are cached anyway."""

    published: PublishedList
    texts: Mapping[int, bytes]


@dataclass(frozen=True, eq=False)
class CacheState:
    """What is cached at one position. It is replaced as a whole, so one answer never mixes two positions.

    Attributes:
        position: what it belongs to.
        placements: those of the settings, and in their place those of the position, by name.
        lists: CachedList by ListKey, of the position's version.
        catalogue: all products of that version; None where they are too many, or not read yet.
        answers: whatever the service made of this very position, by its own keys.
        repeats: likewise, of single persons.
        fallbacks: the lists of FALLBACK_KEYS, which are never forgotten.
        pinned: products that a placement pins, by id, as the version that was followed last knows them; None for those
            that it does not know.
        before: the last catalogue that was cached of an earlier version, until this one's is; for links of mails.
    """

    position: StoreState
    placements: Mapping[str, Placement]
    catalogue: Catalogue | None = None
    lists: LruCache = field(default_factory=lambda: LruCache(MAX_LIST_BYTES))
    answers: LruCache = field(default_factory=lambda: LruCache(MAX_ANSWER_BYTES))
    repeats: LruCache = field(default_factory=lambda: LruCache(MAX_REPEAT_BYTES))
    fallbacks: dict[ListKey, CachedList] = field(default_factory=dict)
    pinned: Mapping[str, Product | None] = field(default_factory=dict)
    before: Catalogue | None = None

    def find(self, key: ListKey) -> CachedList | None:
        """The cached list; None where it is not cached."""
        held: CachedList | None = self.fallbacks.get(key) or self.lists.get(key)
        return held

    def find_pinned(self, product_ids: Iterable[str]) -> dict[str, Product]:
        """Products of `pinned`, and those that no training has seen, by id, with the shop's overrides."""
        live, trained = self.position.overrides, {one: self.pinned.get(one) for one in product_ids}
        known = (
            (one, live.new_product(one) if found is None else live.apply_to(found)) for one, found in trained.items()
        )
        return {one: product for one, product in known if product is not None}

    def keep(self, reading: FetchedLists) -> None:
        """Keep what was read. That an owner has no list is not kept: made-up ids must not drive out real lists."""
        texts = _NO_TEXTS if reading.products is self.catalogue else reading.products.texts
        for key, published in reading.lists.items():
            if published is None:
                continue
            own = {i: texts[i] for i in published.indices() if i in texts} if texts else _NO_TEXTS
            if key in FALLBACK_KEYS:
                self.fallbacks[key] = CachedList(published, own)
            else:
                n_bytes = len(published.wire) + sum(map(entry_bytes, own.values()))
                self.lists.keep(key, CachedList(published, own), n_bytes)


class ListCache:
    """One shop's cached lists, in front of its store. Safe to share between threads.

    Args:
        store: where the lists are.
        placements: those of the settings, by name.
    """

    def __init__(self, store: Reader, placements: Mapping[str, Placement] = _NO_PLACEMENTS) -> None:
        self.store = store
        self.state = CacheState(StoreState(), placements)
        self.answering = True
        """Whether the server answered when it was last asked. While not, only `follow` asks it."""
        self.emptied = False
        """Whether it answered that it holds no version any more."""
        self._configured = placements
        self._catalogue_of: str | None = None
        """The version whose catalogue was asked for last, whether or not it was small enough."""
        self._pinned_of: str | None = None
        """The version that was asked for what placements pin."""

    def follow(self, *, catalogue: bool = True) -> None:
        """Look what has changed; the catalogue, many round trips of a large shop, may wait for the next time.

        Raises StoreError; what is cached stays.
        """
        try:
            position = self.store.follow()
            pinned = self._find_pinned(position)
        except Exception:
            self.answering = False
            raise
        # nobody takes a version back: where there is none any more, what was published is lost
        self.emptied = position.version is None and self.state.position.version is not None
        if self.emptied:
            self.answering = False
            raise StoreUnavailableError("Redis was emptied: the last copies stand in until the next publish")
        self._move(position, pinned)
        self._load_fallbacks()
        self.answering = True
        if catalogue:
            self._load_catalogue()

    def read(
        self, keys: Sequence[ListKey], people: Sequence[str] = (), version: str | None = None
    ) -> FetchedLists | None:
        """As `read_async`, for a thread, which waits."""
        return run_sync(self.read_async(keys, people, version, in_loop=False))

    async def read_async(
        self,
        keys: Sequence[ListKey],
        people: Sequence[str] = (),
        version: str | None = None,
        *,
        in_loop: bool = True,
    ) -> FetchedLists | None:
        """The named lists, all of one version, in one round trip at most; None before any version.

        While the server does not answer, they are the last copies of the current version, FALLBACK_KEYS among them.

        Args:
            keys: the lists.
            people: whose recent events count, by `digest_of_person`; they are never cached.
            version: read where it is kept; None, or where it is not, is the current one. Of another than the current
                one nothing is cached.
            in_loop: whether an event loop waits, which does other things meanwhile; else the thread waits.

        Raises:
            StoreUnavailableError: the server does not answer and nothing was ever read.
        """
        fetch = self.store.read_async if in_loop else self._fetch_blocking
        overrides = self.state.position.overrides
        if not overrides.records:
            return await self._read_published(fetch, keys, people, version)
        keys = [*keys, *overrides.new_products.keys_behind(keys)]
        reading = await self._read_published(fetch, keys, people, version)
        if reading is None:
            return None
        products = OverriddenCatalogue(reading.products, overrides)
        return reading._replace(lists=overrides.new_products.complete(reading.lists), products=products)

    async def _fetch_blocking(self, query: ListQuery) -> FetchedLists | None:
        return self.store.read(query)

    async def _read_published(
        self, fetch: _Fetch, keys: Sequence[ListKey], people: Sequence[str], version: str | None
    ) -> FetchedLists | None:
        if not self.answering:
            return self._recall(keys)
        try:
            if version in (None, self.state.position.version):
                return await self._read_current(fetch, keys, people)
            return await fetch(ListQuery(keys, version, None, people))
        except StoreError as error:
            if isinstance(error, StoreUnavailableError):
                self.answering = False
            return self._recall(keys)

    async def _read_current(self, fetch: _Fetch, keys: Sequence[ListKey], people: Sequence[str]) -> FetchedLists | None:
        """What is not cached is read, and kept but for persons' lists."""
        state = self.state
        version = state.position.version
        held: dict[ListKey, CachedList | None] = {}
        missing: list[ListKey] = []
        for key in keys:
            held[key] = None if key.name in PERSONAL else state.find(key)
            if held[key] is None:
                missing.append(key)
        if not missing and not people:
            return _join(state, held, None)
        reading = await fetch(ListQuery(missing, version, state.catalogue, people))
        if reading is not None and reading.version != version and len(missing) < len(keys):
            # what is cached is of a version that is no longer kept
            reading = await fetch(ListQuery(keys, reading.version, None, people))
        if reading is None:
            return None if version is None else self._recall(keys)
        if reading.version != version:
            state, held = self._move(replace(state.position, version=reading.version), state.pinned), {}
        state.keep(reading)
        return _join(state, held, reading)

    def _recall(self, keys: Sequence[ListKey]) -> FetchedLists:
        state = self.state
        if state.position.version is None:
            raise StoreUnavailableError("Redis does not answer, and nothing was read from it before")
        return _join(state, {key: state.find(key) for key in (*keys, *FALLBACK_KEYS)}, None)._replace(stale=True)

    def _move(self, position: StoreState, pinned: Mapping[str, Product | None]) -> CacheState:
        state, placements = self.state, {**self._configured, **position.placements}
        if position.version != state.position.version:
            state = CacheState(position, placements, pinned=pinned, before=state.catalogue or state.before)
        elif position.erasures != state.position.erasures:  # a last copy may be of somebody who is to be forgotten
            state = CacheState(position, placements, state.catalogue, fallbacks=state.fallbacks, pinned=pinned)
        elif position != state.position or pinned is not state.pinned:
            kept = state.catalogue, state.lists
            state = CacheState(position, placements, *kept, fallbacks=state.fallbacks, pinned=pinned)
        self.state = state
        return state

    def _find_pinned(self, position: StoreState) -> Mapping[str, Product | None]:
        """What the placements pin, as the version of `position` knows it; only what was not known before is read."""
        before = self.state.position
        if (position.version, position.version) == (self._pinned_of, before.version) and (
            position.placements is before.placements
        ):
            return self.state.pinned
        placements = {**self._configured, **position.placements}.values()
        known = self.state.pinned if position.version == self._pinned_of else {}
        missing = sorted({pin.product_id for one in placements for pin in one.pins} - known.keys())
        texts = self.store.find_products(position.version, missing) if missing and position.version else {}
        self._pinned_of = position.version
        return {**known, **{one: decode_product(texts.get(one)) for one in missing}} if missing else known

    def _load_fallbacks(self) -> None:
        state = self.state
        if state.position.version is not None and not state.fallbacks:
            try:
                reading = self.store.read(ListQuery(FALLBACK_KEYS, state.position.version))
            except StoreUnavailableError:
                self.answering = False
                raise
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


def _join(state: CacheState, held: Mapping[ListKey, CachedList | None], reading: FetchedLists | None) -> FetchedLists:
    """Lists from memory and those that were read besides, in the order of `held`, with their products."""
    lists = {key: None if found is None else found.published for key, found in held.items()}
    live: Mapping[str, RecentActivity] = {}
    if reading is not None:
        lists |= reading.lists
        live = reading.live
    products = state.catalogue
    if products is None:
        texts = dict(reading.products.texts) if reading is not None else {}
        for found in held.values():
            texts |= {} if found is None else found.texts
        products = Catalogue(texts)
    return FetchedLists(state.position.version or "", lists, products, live)
