"""Product overrides of every VersionStore, in memory and on real servers."""

import json
from collections.abc import Iterator

import pytest

from recommender.catalogue.overrides import NO_OVERRIDES, OVERRIDE_FIELDS, ProductChange, read_record
from recommender.errors import InvalidRequestError, StoreError, StoreUnavailableError
from recommender.publication.lists import WHOLE_SHOP, ListKey
from recommender.redis import catalogue
from recommender.redis.shops import RedisShopStorage
from recommender.redis.versions import RedisVersionStore
from recommender.slate.placements import DEFAULT_PLACEMENTS, Pin
from recommender.storage.cache import ListCache

POPULAR = ListKey("popular", WHOLE_SHOP)
IDS = ["p1", "a/b", "🧀", "{}", "'; --", "\n", "\udc80", "reprise:{x}:current"]


@pytest.fixture
def few_a_trip(monkeypatch):
    monkeypatch.setattr(catalogue, "_PER_TRIP", 3)
    monkeypatch.setattr(catalogue, "MOST_LOGGED", 5)


def put(product_id, **fields):
    return ProductChange(product_id, "put", fields)


def patch(product_id, **fields):
    return ProductChange(product_id, "patch", fields)


def overridden(store) -> dict[str, dict]:
    """Everything that a worker knows after a look."""
    overrides = followed(store)
    return {product_id: dict(read_record(overrides.said(product_id))) for product_id in overrides.records}


def followed(store):
    return store.follow().overrides


def test_a_shop_begins_without_overrides(store):
    assert followed(store) is NO_OVERRIDES
    assert store.update_products([]) == []


def test_something_is_said_of_so_many_products_and_no_more(store, monkeypatch):
    monkeypatch.setattr(catalogue, "MOST_OVERRIDDEN", 3)
    store.update_products([put("p1", price="1"), put("p2", price="1")])
    with pytest.raises(InvalidRequestError, match=r"something is said of .* products: take back"):
        store.update_products([put("p1", price="2"), put("p3", price="1"), put("p4", price="1")])
    assert overridden(store) == {"p1": {"price": "1"}, "p2": {"price": "1"}}
    store.update_products([put("p1", price="2"), put("p3", price="1"), ProductChange("p9", "delete")])
    store.update_products([ProductChange("p2", "delete")])
    store.update_products([put("p4", price="1")])
    assert overridden(store).keys() == {"p1", "p3", "p4"}


def test_an_override_comes_back_whole(store):
    fields = dict.fromkeys(OVERRIDE_FIELDS, "käse 🧀 / \" \\ \x00 'x'") | {"in_stock": False, "blocked": True}
    fields |= dict.fromkeys(("url", "image_url"), "/käse?q=ü")
    (text,) = store.update_products([put("p1", **fields)])
    assert json.loads(text) == fields
    assert overridden(store) == {"p1": fields}


def test_a_patch_changes_what_it_names_and_null_takes_back(store):
    store.update_products([put("p1", title="A/B 🧀", price="1.20", in_stock=True)])
    (text,) = store.update_products([patch("p1", in_stock=False, price=None)])
    assert json.loads(text) == {"title": "A/B 🧀", "in_stock": False}
    assert store.update_products([patch("p2", in_stock=False), patch("p2", in_stock=None)])[1] == b"{}"
    assert overridden(store) == {"p1": {"title": "A/B 🧀", "in_stock": False}, "p2": {}}


def test_what_is_taken_back_is_gone(store):
    store.update_products([put("p1", price="1"), put("p2", price="1")])
    followed(store)
    changes = [ProductChange("p1", "delete"), ProductChange("p9", "delete")]
    assert store.update_products(changes) == [None, None]
    assert overridden(store) == {"p2": {"price": "1"}}


def test_changes_of_one_call_are_made_in_their_order(store):
    store.update_products([put("p1", price="1"), ProductChange("p1", "delete"), patch("p1", price="3", title="x")])
    assert overridden(store) == {"p1": {"price": "3", "title": "x"}}


def test_what_changes_nothing_makes_no_new_overrides(store):
    store.update_products([put("p1", price="1", title="x")])
    before = followed(store)
    store.update_products([put("p1", price="1", title="x"), patch("p1", price="1"), ProductChange("p2", "delete")])
    assert followed(store) is before
    assert store.follow() == store.follow()
    store.update_products([patch("p1", price="2")])
    assert followed(store) is not before


@pytest.mark.parametrize("product_id", IDS)
def test_an_id_is_any_text(store, product_id):
    store.update_products([put(product_id, title="x")])
    store.update_products([patch(product_id, price="1")])
    assert overridden(store) == {product_id: {"title": "x", "price": "1"}}


@pytest.mark.usefixtures("few_a_trip")
@pytest.mark.parametrize("n", [1, 3, 4, 5, 6, 20])
def test_a_worker_far_behind_catches_up(store, n):
    store.update_products([put("p0", price="1"), put("gone", price="1")])
    followed(store)
    changes = [put(f"p{i}", price=str(i)) for i in range(n)]
    store.update_products([*changes, ProductChange("gone", "delete")])
    assert overridden(store) == {f"p{i}": {"price": str(i)} for i in range(n)}


@pytest.mark.usefixtures("few_a_trip")
def test_a_worker_that_starts_late_reads_everything(store, request, shop):
    store.update_products([put(f"p{i}", price=str(i)) for i in range(500)])
    store.update_products([ProductChange("p7", "delete")])
    late = store
    if isinstance(store, RedisVersionStore):
        late = RedisVersionStore(shop, store._reader, store._writer)
    assert overridden(late) == {f"p{i}": {"price": str(i)} for i in range(500) if i != 7}
    request.addfinalizer(late.close)


def test_products_of_no_version_are_new_until_one_has_them(store, make_publication):
    store.publish(make_publication("v1", {"similar": {"p1": [2]}, "popular": {WHOLE_SHOP: [1]}}), keep=3)
    store.update_products([put("p1", title="one"), put("A", title="A"), put("B", category="tea")])
    assert sorted(followed(store).new_products.known) == ["A", "B"]
    newest = followed(store).new_products._newest
    assert newest == {WHOLE_SHOP: ["B", "A"], "tea": ["B"]}
    store.publish(make_publication("v2", {"similar": {"p1": [2], "A": [1]}, "popular": {WHOLE_SHOP: [1]}}), keep=3)
    if isinstance(store, RedisVersionStore):  # in memory the products of a version count, of which this one has not A
        assert sorted(followed(store).new_products.known) == ["B"]
    assert overridden(store).keys() == {"p1", "A", "B"}


def test_two_workers_order_new_products_alike(store, shop):
    store.update_products([put(one, title=one) for one in "CAB"])
    early = followed(store)
    store.update_products([patch("C", price="1")])
    late = RedisVersionStore(shop, store._reader, store._writer) if isinstance(store, RedisVersionStore) else store
    assert early.new_products._newest[WHOLE_SHOP] == ["B", "A", "C"]
    assert (
        followed(store).new_products._newest[WHOLE_SHOP]
        == followed(late).new_products._newest[WHOLE_SHOP]
        == ["C", "B", "A"]
    )


def test_a_product_is_found_by_its_id(store, make_publication):
    publication = make_publication("v1", {"popular": {WHOLE_SHOP: [1]}})
    store.publish(publication, keep=3)
    assert store.find_products("v1", ["p1", "nope"]) == {"p1": publication.products[1].to_json()}
    assert store.find_products("v0", ["p1"]) == {}
    assert store.find_products("v1", []) == {}


class TestCache:
    """One worker's memory, on top."""

    def test_overrides_show_in_cached_lists_and_are_taken_back(self, store, make_publication):
        store.publish(make_publication("v1", {"similar": {"p1": [2]}, "popular": {WHOLE_SHOP: [1]}}), keep=3)
        cache = ListCache(store)
        cache.follow()
        cache.state.answers.keep("an answer", "x", 1)
        store.update_products([put("p1", price="9.90", title="overridden")])
        assert cache.read([POPULAR]).products[1].title == "v1 1"
        cache.follow()
        assert cache.read([POPULAR]).products[1].title == "overridden"
        assert cache.state.answers.get("an answer") is None
        store.update_products([ProductChange("p1", "delete")])
        cache.follow()
        assert cache.read([POPULAR]).products[1].title == "v1 1"

    def test_it_stands_through_a_publish(self, store, make_publication):
        lists = {"similar": {"p1": [2]}, "popular": {WHOLE_SHOP: [1]}}
        store.publish(make_publication("v1", lists), keep=3)
        store.update_products([put("p1", price="9.90")])
        store.publish(make_publication("v2", lists), keep=3)
        cache = ListCache(store)
        cache.follow()
        found = cache.read([POPULAR]).products[1]
        assert (found.title, found.price) == ("v2 1", "9.90")

    def test_lists_stay_cached_where_only_overrides_change(self, store, make_publication):
        store.publish(make_publication("v1", {"similar": {"p1": [2]}, "popular": {WHOLE_SHOP: [1]}}), keep=3)
        cache = ListCache(store)
        cache.follow()
        key = ListKey("similar", "p1")
        cache.read([key])
        store.update_products([put("p2", in_stock=False)])
        cache.follow()
        assert cache.state.find(key) is not None
        assert cache.read([key]).products[2].in_stock is False

    def test_a_pinned_product_is_found_trained_or_new(self, store, make_publication):
        store.publish(make_publication("v1", {"similar": {"p1": [2]}, "popular": {WHOLE_SHOP: [1]}}), keep=3)
        store.update_products([put("p3", price="3"), put("A", title="A")])
        pins = tuple(Pin(product_id=one, position=1) for one in ("p3", "A", "nope"))
        cache = ListCache(store, {"home": DEFAULT_PLACEMENTS["home"].model_copy(update={"pins": pins})})
        cache.follow()
        found = cache.state.find_pinned(["p3", "A", "nope"])
        assert {product_id: (one.title, one.price) for product_id, one in found.items()} == {
            "p3": ("v1 3", "3"),
            "A": ("A", None),
        }


class TestOutage:
    """Redis alone: what was followed last goes on to apply."""

    @pytest.fixture
    def redis_store(self, redis_shop) -> Iterator[RedisVersionStore]:
        store = RedisShopStorage(redis_shop.url, timeout_ms=5_000).store(redis_shop.shop)
        yield store
        store.close()

    def test_what_was_followed_last_goes_on_to_apply(self, redis_store, make_publication, monkeypatch):
        redis_store.publish(make_publication("v1", {"similar": {"p1": [2]}, "popular": {WHOLE_SHOP: [1]}}), keep=3)
        redis_store.update_products([put("p1", in_stock=False), put("A", title="A")])
        cache = ListCache(redis_store)
        cache.follow()

        def refuse(*_: object) -> None:
            raise StoreUnavailableError("down")

        with monkeypatch.context() as outage:
            for name in ("evaluate", "evaluate_cached", "call"):
                outage.setattr(redis_store._reader, name, refuse)
            with pytest.raises(StoreUnavailableError):
                cache.follow()
            reading = cache.read([POPULAR])
            assert reading.stale
            shown = [reading.products[record.product_index] for record in reading.lists[POPULAR]]
            assert [(one.product_id, one.in_stock) for one in shown] == [("p1", False), ("A", True)]
        redis_store.update_products([ProductChange("p1", "delete")])
        cache.follow()
        assert cache.read([POPULAR]).products[1].in_stock

    def test_a_server_that_knows_less_than_the_last_one_counts(self, redis_store, redis_shop):
        """A replica took over that had not seen the last changes: its numbers are lower."""
        redis_store.update_products([put("p1", price="1"), put("p2", price="1")])
        followed(redis_store)
        redis_shop.client.call("DEL", *[key for key in redis_shop.list_keys() if ":catalogue" in key])
        redis_store.update_products([put("p1", price="2")])
        assert overridden(redis_store) == {"p1": {"price": "2"}}

    def test_after_an_outage_everything_is_read_anew(self, redis_store, redis_shop, monkeypatch):
        redis_store.update_products([put("p1", price="1")])
        followed(redis_store)
        redis_shop.client.call("HSET", f"reprise:{{{redis_shop.shop}}}:catalogue", "p1", '1 {"price":"5"}')
        assert overridden(redis_store) == {"p1": {"price": "1"}}

        def refuse(*_: object) -> None:
            raise StoreUnavailableError("down")

        with monkeypatch.context() as outage:
            outage.setattr(redis_store._reader, "evaluate", refuse)
            with pytest.raises(StoreUnavailableError):
                redis_store.follow()
        assert overridden(redis_store) == {"p1": {"price": "5"}}

    @pytest.mark.parametrize("nonsense", ["nonsense", "x {}", "", "5", "1 [2]", "1 {", b"\xff \xff"])
    def test_an_unreadable_override_counts_for_none_and_can_be_set_again(self, redis_store, redis_shop, nonsense):
        key = f"reprise:{{{redis_shop.shop}}}:catalogue"
        redis_store.update_products([put("p1", price="1"), put("p2", price="2")])
        redis_shop.client.call("HSET", key, "p1", nonsense)
        assert overridden(redis_store) == {"p1": {}, "p2": {"price": "2"}}
        redis_store.update_products([patch("p1", price="3")])
        assert overridden(redis_store)["p1"] == {"price": "3"}

    def test_an_id_that_is_none_is_an_error_of_the_store(self, redis_store, redis_shop):
        redis_store.update_products([put("p1", price="1")])
        redis_shop.client.call("HSET", f"reprise:{{{redis_shop.shop}}}:catalogue", b"\xff", "1 {}")
        with pytest.raises(StoreError, match="product overrides"):
            redis_store.follow()

    def test_its_keys_are_three_and_share_the_slot(self, redis_store, redis_shop):
        redis_store.update_products([put(f"p{i}", price="1") for i in range(50)])
        prefix = f"reprise:{{{redis_shop.shop}}}:catalogue"
        assert redis_shop.list_keys() == {prefix, f"{prefix}:sequence", f"{prefix}:log"}

    def test_the_log_is_bounded(self, redis_store, redis_shop, monkeypatch):
        monkeypatch.setattr(catalogue, "MOST_LOGGED", 5)
        redis_store.update_products([put(f"p{i}", price="1") for i in range(50)])
        assert redis_shop.client.call("LLEN", f"reprise:{{{redis_shop.shop}}}:catalogue:log") == 5
