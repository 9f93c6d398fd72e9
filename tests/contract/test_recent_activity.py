"""Recent activity as every VersionStore reads it, in memory and on real servers: the same from the same events."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from recommender.errors import StoreError
from recommender.events.event import Event
from recommender.events.recent import LEADS, NEIGHBOURS, RecentActivity
from recommender.person import digest_of_person
from recommender.publication.lists import ListKey, PublishedList, fold
from recommender.redis.keys import Keys
from recommender.redis.shops import RedisShopStorage
from recommender.slate.reading import FetchedLists
from recommender.storage.event_log import MOST_SHOWN_A_DAY, EventLog, to_daily
from recommender.storage.versions import ListQuery, VersionStore
from tests.fakes.shops import MemoryShopStorage

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
NOTHING = RecentActivity([], [], [])
ANN, SESSION = digest_of_person("ann", None), digest_of_person(None, "s1")
LISTS = {
    "together": {f"p{i}": [(i + 1) % 40, (i + 2) % 40] for i in range(40)},
    "similar": {f"p{i}": [(i + j) % 40 for j in range(1, 21)] for i in range(40)},
    "discover": {"ann": [1]},
}


@dataclass(frozen=True)
class Shop:
    """One shop's store and events.

    Attributes:
        fold_in: keeps a person's folded list.
    """

    store: VersionStore
    log: EventLog
    fold_in: Callable[[str, bytes], object]

    def accept(self, *events: Event) -> None:
        self.log.accept(events, NOW, 10_000)

    def read(self, *people: str) -> FetchedLists:
        reading = self.store.read(ListQuery([], people=people))
        assert reading is not None
        return reading

    def recent(self, person: str = ANN) -> RecentActivity:
        return self.read(person).live.get(person, NOTHING)


@pytest.fixture(params=["memory", "embedded", "other"])
def shop_with_events(request: pytest.FixtureRequest, shop: str, make_publication) -> Iterator[Shop]:
    if request.param == "memory":
        memory = MemoryShopStorage()
        made = Shop(memory.store(shop), memory.event_log(shop), memory.event_log(shop).folded.__setitem__)
        made.store.publish(make_publication("v1", LISTS, n_products=40), keep=3)
        yield made
        return
    url = request.getfixturevalue("redis_url" if request.param == "embedded" else "other_redis_url")
    client = request.getfixturevalue("connect")(url)
    storage = RedisShopStorage(url, timeout_ms=5_000)
    keys = Keys(shop)

    def fold_in(person: str, folded: bytes) -> None:
        client.call("SET", keys.of("folded", person), folded)

    made = Shop(storage.store(shop), storage.event_log(shop), fold_in)
    made.store.publish(make_publication("v1", LISTS, n_products=40), keep=3)
    yield made
    storage.close()
    client.call("DEL", "none", *client.call("KEYS", keys.current.replace("current", "*")))


def event(number: int, event_type: str, product_id: str | None = "p1", **fields) -> Event:
    known = {"customer_id": "ann", "occurred_at": NOW - timedelta(hours=1), "product_id": product_id}
    return Event(event_id=f"{event_type}-{number}", event_type=event_type, **{**known, **fields})


def test_of_a_person_who_did_nothing_there_is_nothing(shop_with_events):
    assert shop_with_events.recent() == NOTHING


def test_nobody_is_read_unasked(shop_with_events):
    shop_with_events.accept(event(1, "purchase"))
    assert shop_with_events.read().live == {}


def test_events_come_back_newest_first_by_what_they_are(shop_with_events):
    orders = [event(1, "purchase"), event(2, "refund")]
    session = [event(3, "view"), event(4, "add_to_cart"), event(5, "remove_from_cart"), event(6, "click")]
    shown = [event(7, "impression"), event(8, "impression"), event(9, "impression", "p2", session_id="s")]
    shop_with_events.accept(*orders, *session, *shown, event(10, "not_interested", "p7"), event(11, "mail_open", None))
    found = shop_with_events.recent()
    daily = [to_daily(one) for one in shown[1:]]
    for wires, expected in ((found.orders, orders), (found.session, session), (found.shown, daily)):
        assert [Event.from_json(wire) for wire in wires] == expected[::-1]
    assert found.hidden == {"p7"}


def test_of_what_is_shown_in_a_day_as_much_is_kept_that_the_days_before_stay(shop_with_events):
    for day in (3, 2, 1, 0):
        at = NOW - timedelta(days=day, hours=1)
        shop_with_events.accept(*(event(100 * day + i, "impression", f"p{i}", occurred_at=at) for i in range(60)))
    kept = [Event.from_json(wire) for wire in shop_with_events.recent().shown]
    days = Counter(one.event_id for one in kept)
    assert days == dict.fromkeys(["2026-11-17", "2026-11-18", "2026-11-19", "2026-11-20"], MOST_SHOWN_A_DAY)


def test_people_do_not_see_each_others(shop_with_events):
    shop_with_events.accept(event(1, "view", customer_id=None, session_id="s1"), event(2, "view", customer_id="ben"))
    reading = shop_with_events.read(ANN, SESSION)
    assert [(person, len(one.session)) for person, one in reading.live.items()] == [(SESSION, 1)]


def test_a_customer_and_a_session_of_one_name_are_two(shop_with_events):
    shop_with_events.accept(event(1, "view", customer_id=None, session_id="ann"))
    assert shop_with_events.recent() == NOTHING


def test_lists_of_what_was_bought_put_into_the_cart_and_viewed_come_along(shop_with_events):
    shop_with_events.accept(
        event(1, "purchase", "p1"),
        event(2, "add_to_cart", "p2"),
        event(3, "add_to_cart", "p3"),
        event(4, "remove_from_cart", "p3"),
        event(5, "view", "p4"),
        event(6, "click", "p5"),
    )
    reading = shop_with_events.read(ANN)
    found = reading.live[ANN].neighbours
    assert set(found) == {ListKey("together", "p1"), ListKey("together", "p2"), ListKey("similar", "p4")}
    assert [record.product_index for record in found[ListKey("together", "p1")]] == [2, 3]
    assert [record.product_index for record in found[ListKey("similar", "p4")]] == list(range(5, 5 + NEIGHBOURS))
    assert {product.product_id for product in reading.products.values()} == {f"p{i}" for i in range(1, 15)}


def test_only_the_latest_lead_to_lists(shop_with_events):
    shop_with_events.accept(*(event(i, event_type, f"p{i}") for event_type in ("purchase", "view") for i in range(20)))
    found = shop_with_events.recent().neighbours
    latest = [f"p{i}" for i in range(19, 19 - LEADS, -1)]
    assert set(found) == {ListKey(name, product_id) for name in ("together", "similar") for product_id in latest}


def test_the_index_of_what_was_bought_or_leads_is_found(shop_with_events):
    shop_with_events.accept(*(event(i, "purchase", f"p{i}") for i in range(30)), event(31, "refund", "p35"))
    shop_with_events.accept(event(1, "purchase", "NEW"), event(2, "add_to_cart", "p38"), event(3, "click", "p39"))
    assert shop_with_events.recent().indices == {f"p{i}": i for i in (*range(30), 35, 38)}


@pytest.mark.parametrize(
    "product_id", ["a/b", "{tag}", 'quo"te', "back\\slash", "nul\0nul", "☕🥐", "line\nline", "00123"]
)
def test_any_string_is_a_product_id(shop_with_events, make_publication, product_id):
    publication = make_publication("v2", {"together": {product_id: [3]}})
    publication.products[4] = type(publication.products[4])(product_id)
    shop_with_events.store.publish(publication, keep=3)
    shop_with_events.accept(event(1, "purchase", product_id), event(2, "not_interested", product_id))
    found = shop_with_events.recent()
    assert found.indices == {product_id: 4}
    assert list(found.neighbours) == [ListKey("together", product_id)]
    assert found.hidden == {product_id}


def test_a_folded_list_comes_with_its_products(shop_with_events):
    folded = fold("v1", b"\0\x0a\0\0\0\0\x38")  # product 10: the byte is a line end too
    shop_with_events.fold_in(ANN, folded)
    reading = shop_with_events.read(ANN)
    assert reading.live[ANN].folded == folded
    assert reading.products[10].product_id == "p10"


def test_it_comes_with_the_lists_of_the_answer(shop_with_events):
    shop_with_events.accept(event(1, "purchase", "p1"))
    key = ListKey("discover", "ann")
    reading = shop_with_events.store.read(ListQuery([key], "v1", people=[ANN]))
    assert isinstance(reading.lists[key], PublishedList)
    assert reading.live[ANN].indices == {"p1": 1}


def test_an_erased_customer_has_no_recent_activity(shop_with_events):
    shop_with_events.accept(event(1, "purchase"), event(2, "view"), event(3, "impression"), event(4, "not_interested"))
    shop_with_events.fold_in(ANN, fold("v1", b"\0"))
    shop_with_events.log.erase("ann", NOW)
    assert shop_with_events.recent() == NOTHING


class TestInRedis:
    @pytest.fixture
    def storage(self, redis_shop) -> Iterator[RedisShopStorage]:
        storage = RedisShopStorage(redis_shop.url, timeout_ms=5_000)
        yield storage
        storage.close()

    @pytest.fixture
    def read(self, storage, redis_shop, make_publication) -> Callable[[], RecentActivity]:
        store = storage.store(redis_shop.shop)
        store.publish(make_publication("v1", LISTS, n_products=40), keep=3)
        query = ListQuery([ListKey("discover", "ann")], people=[ANN])
        return lambda: store.read(query).live.get(ANN, NOTHING)

    def test_a_reading_is_one_round_trip(self, read, storage, redis_shop):
        storage.event_log(redis_shop.shop).accept([event(1, "purchase"), event(2, "view")], NOW, 10)
        read()  # teaches the server the script
        before = redis_shop.client.call("INFO", "commandstats")
        read()
        after = redis_shop.client.call("INFO", "commandstats")
        assert after["cmdstat_evalsha"]["calls"] == before["cmdstat_evalsha"]["calls"] + 1
        assert set(after) == set(before)

    def test_a_version_of_an_earlier_release_has_no_indices(self, read, storage, redis_shop):
        redis_shop.client.call("DEL", Keys(redis_shop.shop).version("v1", "indices"))
        storage.event_log(redis_shop.shop).accept([event(1, "purchase")], NOW, 10)
        found = read()
        assert (found.indices, len(found.orders)) == ({}, 1)

    @pytest.mark.parametrize(
        ("part", "nonsense"), [("together", b"\x07nonsense"), ("together", b""), ("indices", b"x")]
    )
    def test_a_version_that_cannot_be_read_is_an_error_of_the_store(self, read, storage, redis_shop, part, nonsense):
        storage.event_log(redis_shop.shop).accept([event(1, "purchase")], NOW, 10)
        redis_shop.client.call("HSET", Keys(redis_shop.shop).version("v1", part), "p1", nonsense)
        with pytest.raises(StoreError, match="cannot be read"):
            read()

    def test_nonsense_among_the_events_is_passed_over(self, read, storage, redis_shop):
        storage.event_log(redis_shop.shop).accept([event(1, "purchase")], NOW, 10)
        key = Keys(redis_shop.shop).of("orders", ANN)
        for nonsense in (b"", b"{", b"[]", b"3", b'"text"', b"null", b'{"product_id":{}}', b'{"product_id":7}'):
            redis_shop.client.call("LPUSH", key, nonsense)
        assert read().indices == {"p1": 1}
