"""What a worker keeps at hand: bounded memory, one version at a time, last copies while Redis does not answer."""

import sys

import pytest

from recommender.catalogue.catalogue import Catalogue
from recommender.errors import StoreUnavailableError
from recommender.publication.lists import WHOLE_SHOP, ListKey
from recommender.slate.placements import DEFAULT_PLACEMENTS, Pin, Placement
from recommender.storage.cache import MAX_LIST_BYTES, ListCache
from recommender.storage.lru import KEPT_S, LruCache
from tests.fakes.versions import MemoryVersionStore

SIMILAR, POPULAR, ANN = ListKey("similar", "p1"), ListKey("popular", WHOLE_SHOP), ListKey("discover", "ann")
LISTS = {"similar": {"p1": [2], "p3": [4]}, "popular": {WHOLE_SHOP: [5]}, "discover": {"ann": [1, 2]}}
N_IDS = 100_000


class Watched(MemoryVersionStore):
    """Counts the reads, may be down, and gives catalogues as Redis does."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[list[ListKey]] = []
        self.searched: list[list[str]] = []
        self.down = False
        self.texts: dict[str, Catalogue] = {}

    def read(self, query):
        if self.down:
            raise StoreUnavailableError("Redis does not answer")
        self.asked.append(list(query.keys))
        return super().read(query)

    def follow(self):
        if self.down:
            raise StoreUnavailableError("Redis does not answer")
        return super().follow()

    def find_products(self, version, product_ids):
        self.searched.append(list(product_ids))
        return super().find_products(version, product_ids)

    def catalogue(self, version, most_bytes):
        return self.texts.get(version)


@pytest.fixture
def store(make_publication) -> Watched:
    store = Watched()
    store.publish(make_publication("v1", LISTS), keep=1)
    return store


@pytest.fixture
def cache(store) -> ListCache:
    cache = ListCache(store)
    cache.follow()
    store.asked.clear()
    return cache


class Clock:
    """Seconds that pass when they are told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class TestMemory:
    def test_keeps_what_it_was_told_last(self):
        memory = LruCache(10_000)
        memory.keep("a", 1, 10)
        memory.keep("a", 2, 10)
        assert (memory.get("a"), memory.get("b"), len(memory)) == (2, None, 1)

    def test_forgets_what_nobody_asked_for_longest(self):
        memory = LruCache(2_500)
        for key in ("a", "b"):
            memory.keep(key, key, 500)
        memory.get("a")
        memory.keep("c", "c", 500)
        assert [memory.get(key) for key in "abc"] == ["a", None, "c"]

    def test_what_is_larger_than_all_of_it_is_not_kept(self):
        memory = LruCache(1_000)
        memory.keep("a", "a", 5_000)
        assert (memory.get("a"), memory.n_bytes) == (None, 0)

    def test_forgets_what_is_old(self):
        clock = Clock()
        memory = LruCache(10_000, clock)
        memory.keep("a", 1, 10)
        clock.now = KEPT_S
        assert memory.get("a") == 1
        clock.now = KEPT_S + 1
        assert memory.get("a") is None

    def test_stays_within_its_bytes_whatever_comes(self):
        memory = LruCache(1_000_000)
        for i in range(N_IDS):
            memory.keep(f"key {i}", i, i % 3_000)
            assert memory.n_bytes <= 1_000_000
        assert len(memory) < 2_000

    def test_replacing_counts_once(self):
        memory = LruCache(10_000)
        for n_bytes in (100, 900, 200):
            memory.keep("a", 1, n_bytes)
        other = LruCache(10_000)
        other.keep("a", 1, 200)
        assert memory.n_bytes == other.n_bytes


class TestBounds:
    def test_100_000_customers_fit_the_bound(self, store, cache, make_publication):
        lists = {"discover": {f"c{i}": [1, 2, 3] for i in range(N_IDS)}}
        store.publish(make_publication("v2", lists), keep=1)
        cache.follow()
        for i in range(N_IDS):
            cache.read([ListKey("discover", f"c{i}")])
        memory = cache.state.lists
        assert memory.n_bytes <= MAX_LIST_BYTES
        assert 0 < len(memory) < N_IDS / 4

    def test_what_is_stated_of_a_list_is_about_what_it_takes(self, store, cache):
        cache.read([ANN])
        held = cache.state.find(ANN)
        real = sum(map(sys.getsizeof, (held, held.published, held.published.wire, held.texts, *held.texts.values())))
        assert real / 2 < cache.state.lists.n_bytes < real * 4

    def test_unknown_ids_are_not_kept(self, cache):
        for i in range(1_000):
            cache.read([ListKey("similar", f"nope {i}"), ListKey("discover", f"nobody {i}")])
        assert len(cache.state.lists) == 0


class TestAtHand:
    def test_a_products_list_is_asked_for_once(self, store, cache):
        first, second = cache.read([SIMILAR]), cache.read([SIMILAR])
        assert store.asked == [[SIMILAR]]
        assert first.lists == second.lists
        assert dict(first.products) == dict(second.products)

    def test_what_sells_is_never_asked_for(self, store, cache):
        assert cache.read([POPULAR]).lists[POPULAR].records[0].product_index == 5
        assert store.asked == []

    def test_a_persons_list_is_asked_for_each_time(self, store, cache):
        cache.read([ANN])
        cache.read([ANN, POPULAR])
        assert store.asked == [[ANN], [ANN]]

    def test_with_all_products_at_hand_none_are_kept_with_the_lists(self, store, cache, make_publication):
        publication = make_publication("v2", LISTS)
        store.publish(publication, keep=1)
        store.texts["v2"] = Catalogue({i: one.to_json() for i, one in enumerate(publication.products)})
        cache.follow()
        reading = cache.read([ANN, SIMILAR])
        assert [reading.products[i].title for i in (1, 2)] == ["v2 1", "v2 2"]
        assert cache.state.catalogue is store.texts["v2"]

    def test_a_catalogue_goes_with_its_version(self, store, cache, make_publication):
        store.texts["v1"] = Catalogue({})
        cache = ListCache(store)
        cache.follow()
        assert cache.state.catalogue is store.texts["v1"]
        store.publish(make_publication("v2", LISTS), keep=1)
        cache.follow()
        assert cache.state.catalogue is None
        assert cache.read([ANN]).products[1].title == "v2 1"


class TestVersions:
    def test_a_publish_replaces_everything_at_hand(self, store, cache, make_publication):
        cache.read([SIMILAR])
        before = cache.state
        store.publish(make_publication("v2", LISTS), keep=2)
        assert cache.read([SIMILAR]).version == "v1"  # not followed yet, and still kept
        cache.follow()
        assert cache.state is not before
        assert cache.read([SIMILAR]).version == cache.read([POPULAR]).version == "v2"

    def test_one_reading_never_mixes_two_versions(self, store, cache, make_publication):
        cache.read([SIMILAR])
        store.publish(make_publication("v2", LISTS), keep=1)  # the version that is followed is gone
        reading = cache.read([SIMILAR, POPULAR, ANN])
        assert reading.version == "v2"
        assert {product.title for product in reading.products.values()} == {"v2 1", "v2 2", "v2 5"}

    def test_an_answer_of_an_old_state_is_not_found_in_the_new_one(self, store, cache, make_publication):
        old = cache.state
        store.publish(make_publication("v2", LISTS), keep=1)
        cache.follow()
        old.answers.keep("/v1/popular?", "an answer made from v1", 100)
        assert cache.state.answers.get("/v1/popular?") is None


def pinning(*product_ids: str) -> Placement:
    pins = tuple(Pin(product_id=one, position=1) for one in product_ids)
    return DEFAULT_PLACEMENTS["home"].model_copy(update={"pins": pins})


class TestPins:
    @pytest.fixture
    def cache(self, store) -> ListCache:
        cache = ListCache(store, {"home": pinning("p3", "nope")})
        cache.follow()
        return cache

    def titles(self, cache: ListCache, *product_ids: str) -> list[str | None]:
        return [product.title for product in cache.state.find_pinned(product_ids).values()]

    def test_what_the_settings_pin_is_asked_for_once_a_version(self, store, cache, make_publication):
        cache.follow()
        assert (self.titles(cache, "p3", "nope"), store.searched) == (["v1 3"], [["nope", "p3"]])
        store.publish(make_publication("v2", LISTS), keep=1)
        cache.follow()
        cache.follow()
        assert (self.titles(cache, "p3"), store.searched[1:]) == (["v2 3"], [["nope", "p3"]])

    def test_of_a_placement_that_is_set_later_only_what_is_new_is_asked_for(self, store, cache):
        store.place("cart", pinning("p3", "p1"))
        cache.follow()
        assert (self.titles(cache, "p1", "p3"), store.searched[1:]) == (["v1 1", "v1 3"], [["p1"]])

    def test_those_of_the_version_before_stand_in_until_the_next_is_followed(self, store, cache, make_publication):
        store.publish(make_publication("v2", LISTS), keep=1)
        assert cache.read([SIMILAR]).version == "v2"
        assert self.titles(cache, "p3") == ["v1 3"]
        cache.follow()
        assert self.titles(cache, "p3") == ["v2 3"]


class TestOutage:
    def test_last_copies_stand_in_and_nobody_waits(self, store, cache):
        cache.read([ANN, SIMILAR])
        store.down = True
        with pytest.raises(StoreUnavailableError):
            cache.follow()
        store.asked.clear()
        reading = cache.read([ANN, SIMILAR, ListKey("similar", "p3")])
        assert reading.stale
        assert reading.lists[ANN].records[0].product_index == 1
        assert reading.lists[ListKey("similar", "p3")] is None
        assert reading.lists[POPULAR].records[0].product_index == 5  # unasked, as what sells stands in
        assert store.asked == []

    def test_without_any_copy_it_says_so(self):
        store = Watched()
        store.down = True
        cache = ListCache(store)
        with pytest.raises(StoreUnavailableError):
            cache.follow()
        with pytest.raises(StoreUnavailableError):
            cache.read([ANN])
