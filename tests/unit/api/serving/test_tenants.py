import gc
import io
import json
import threading
import weakref
from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from api.security.rate_limits import RateLimits
from api.serving import tenants as shops_module
from api.serving.tenants import NO_SHOP, Tenants
from api.telemetry.logs import make_logger
from recommender.errors import StoreUnavailableError
from recommender.publication.lists import ListKey
from recommender.storage.api_keys import ApiKey
from recommender.storage.versions import StoreState
from tests.fakes.shops import MemoryShopStorage
from tests.fakes.versions import MemoryVersionStore
from tests.support import small_shop

KEY = ApiKey("id", "a", "secret", ("read",), (), "0" * 64, "2026-11-20T00:00:00Z")


class FragileStore(MemoryVersionStore):
    """Raises what it is told to when it is followed."""

    def __init__(self) -> None:
        super().__init__()
        self.failure: Exception | None = None
        self.looks = 0

    def follow(self) -> StoreState:
        self.looks += 1
        if self.failure is not None:
            raise self.failure
        return super().follow()

    def lose_everything(self) -> None:
        self._current = None


class FragileStorage(MemoryShopStorage):
    """Raises what it is told to when it is asked for the keys."""

    failure: Exception | None = None

    def lose_keys(self) -> None:
        self._keys.clear()

    def api_keys(self) -> Mapping[str, ApiKey]:
        if self.failure is not None:
            raise self.failure
        return super().api_keys()


@pytest.fixture
def stores() -> dict[str, FragileStore]:
    stores = {name: FragileStore() for name in ("a", "b", "c")}
    for store in stores.values():
        store.publish(small_shop.publication(), keep=3)
    return stores


@pytest.fixture
def storage(stores) -> FragileStorage:
    return FragileStorage(stores)


@pytest.fixture
def log() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def lines(log) -> Callable[[], list[tuple[str, str]]]:
    return lambda: [(line["event"], line["subject"]) for line in map(json.loads, log.getvalue().splitlines())]


@pytest.fixture
def shops(storage, log) -> Tenants:
    shops = Tenants(storage, make_logger("info", log), RateLimits({}), {})
    shops.follow()
    for name in ("a", "b", "c"):
        shops.cache(name)
    return shops


@pytest.mark.parametrize("failure", [StoreUnavailableError("down"), ValueError("nonsense"), AttributeError("a bug")])
def test_a_failure_is_told_when_it_begins_and_when_it_ends(shops, storage, lines, failure):
    storage.failure = failure
    for _ in range(3):
        shops.follow()
    assert [subject for _, subject in lines()] == ["(API keys)"]
    storage.failure = None
    for _ in range(3):
        shops.follow()
    assert lines()[1:] == [("store_answers_again", "(API keys)")]


def test_a_bug_is_told_with_its_traceback_and_a_down_server_without(shops, stores, log):
    stores["a"].failure, stores["b"].failure = ValueError("nonsense"), StoreUnavailableError("down")
    shops.follow()
    told = {line["subject"]: line for line in map(json.loads, log.getvalue().splitlines())}
    assert (told["a"]["event"], told["b"]["event"]) == ("unexpected_error", "store_unavailable")
    assert "ValueError: nonsense" in told["a"]["exception"]
    assert "exception" not in told["b"]


def test_while_the_keys_cannot_be_read_no_shop_is_asked(shops, storage, stores):
    storage.failure = StoreUnavailableError("down")
    before = [store.looks for store in stores.values()]
    shops.follow()
    assert [store.looks for store in stores.values()] == before
    assert not any(shops.cache(name).answering for name in stores)
    shops.cache("new")
    assert not shops.cache("new").answering
    storage.failure = None
    shops.follow()
    assert all(shops.cache(name).answering for name in [*stores, "new"])


def test_one_shop_that_cannot_be_read_does_not_stop_the_others(shops, stores):
    stores["b"].failure = ValueError("nonsense")
    for store in stores.values():
        store.publish(small_shop.publication("20261121T020000Z-0000"), keep=3)
    shops.follow()
    assert [shops.cache(name).answering for name in "abc"] == [True, False, True]
    versions = [shops.cache(name).state.position.version for name in "abc"]
    assert versions == ["20261121T020000Z-0000", small_shop.VERSION, "20261121T020000Z-0000"]


def test_a_look_that_takes_long_goes_on_with_the_other_shops_in_the_next(shops, stores, monkeypatch):
    monkeypatch.setattr(shops_module, "LOOK_S", 0.0)
    before = {name: store.looks for name, store in stores.items()}
    for _ in range(3):
        shops.follow()
    assert {name: store.looks - before[name] for name, store in stores.items()} == {"a": 1, "b": 1, "c": 1}


def test_an_emptied_server_leaves_the_last_copies_and_the_keys(shops, storage, stores):
    storage.add_api_key(KEY)
    shops.follow()
    storage.lose_keys()
    for store in stores.values():
        store.lose_everything()
    shops.follow()
    assert set(shops.api_keys) == {"id"}
    cache = shops.cache("a")
    assert (cache.emptied, cache.answering) == (True, False)
    reading = cache.read([ListKey("popular", "")])
    assert reading.stale
    assert reading.version == small_shop.VERSION
    assert reading.lists[ListKey("popular", "")] is not None
    stores["a"].publish(small_shop.publication("20261121T020000Z-0000"), keep=3)
    shops.follow()
    assert (cache.emptied, cache.answering) == (False, True)
    assert set(shops.api_keys) == {"id"}, "there are no others yet"


class TestKeysThatWereLost:
    """A worker that was started after Redis lost all keys must not take whoever asks for an administrator."""

    @pytest.fixture
    def make_tenants(self, storage, log, tmp_path) -> Callable[[], Tenants]:
        keys_made = tmp_path / "home" / "keys-made"
        return lambda: Tenants(storage, make_logger("info", log), RateLimits({}), {}, keys_made)

    def test_where_there_never_were_any_there_are_none(self, make_tenants):
        tenants = make_tenants()
        tenants.follow()
        assert tenants.api_keys == {}

    def test_a_worker_started_since_knows_that_it_does_not_know_them(self, make_tenants, storage, log, tmp_path):
        storage.add_api_key(KEY)
        make_tenants().follow()
        storage.lose_keys()
        tenants = make_tenants()
        tenants.follow()
        assert tenants.api_keys is None
        assert str(tmp_path / "home" / "keys-made") in log.getvalue(), "the remedy names the file"

    def test_shops_are_read_all_the_same_for_links_of_mails(self, make_tenants, storage):
        storage.add_api_key(KEY)
        make_tenants().follow()
        storage.lose_keys()
        tenants = make_tenants()
        tenants.follow()
        assert tenants.cache("a").answering
        tenants.follow()
        assert (tenants.cache("a").answering, tenants.is_down, tenants.api_keys) == (True, False, None)

    def test_where_nothing_can_be_written_keys_open_all_the_same(self, storage, log, tmp_path):
        (tmp_path / "file").touch()
        tenants = Tenants(storage, make_logger("info", log), RateLimits({}), {}, tmp_path / "file" / "keys-made")
        storage.add_api_key(KEY)
        for _ in range(2):
            tenants.follow()
        assert set(tenants.api_keys) == {"id"}
        assert log.getvalue().count("keys_not_remembered") == 1

    def test_new_keys_or_no_file_end_it(self, make_tenants, storage, tmp_path):
        storage.add_api_key(KEY)
        make_tenants().follow()
        storage.lose_keys()
        tenants = make_tenants()
        tenants.follow()
        storage.add_api_key(KEY)
        tenants.follow()
        assert set(tenants.api_keys) == {"id"}
        storage.lose_keys()
        (tmp_path / "home" / "keys-made").unlink()
        later = make_tenants()
        later.follow()
        assert later.api_keys == {}


def test_those_whose_key_cannot_be_looked_up_find_an_empty_shop(shops):
    with pytest.raises(StoreUnavailableError):
        shops.cache(NO_SHOP).read([ListKey("popular", "")])
    shops.follow()
    assert not shops.cache(NO_SHOP).answering


def test_a_log_that_cannot_be_written_does_not_end_the_thread(storage, stores, monkeypatch):
    looked = threading.Semaphore(0)

    class ClosedLog(io.StringIO):
        def write(self, _: str) -> int:
            looked.release()
            raise BrokenPipeError

    monkeypatch.setattr(shops_module, "FOLLOW_S", 0.0)
    shops = Tenants(storage, make_logger("info", ClosedLog()), RateLimits({}), {})
    shops.keep_following()
    for _ in range(3):
        storage.failure = StoreUnavailableError("down")
        assert looked.acquire(timeout=30), "the failure was told"
        storage.failure = None
        assert looked.acquire(timeout=30), "the recovery was told, so the thread lives"


def test_the_thread_ends_with_its_shops(storage, log, monkeypatch):
    monkeypatch.setattr(shops_module, "FOLLOW_S", 0.0)
    shops = Tenants(storage, make_logger("info", log), RateLimits({}), {})
    shops.keep_following()
    (thread,) = [thread for thread in threading.enumerate() if thread.name == "follow"][-1:]
    gone = weakref.ref(shops)
    del shops
    gc.collect()
    thread.join(timeout=30)
    assert not thread.is_alive()
    assert gone() is None


def test_a_placement_that_cannot_be_read_is_told_once(shops, stores, lines, monkeypatch):
    look = stores["a"].follow
    monkeypatch.setattr(stores["a"], "follow", lambda: replace(look(), unreadable=frozenset({"home"})))
    for _ in range(3):
        shops.follow()
    assert lines() == [("placement_unreadable", "a")]
