"""What every EventLog promises, in memory and on real servers."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from recommender.errors import BackPressureError
from recommender.events.event import Event
from recommender.person import digest, digest_of_person
from recommender.redis.event_log import RedisEventLog
from recommender.redis.keys import Keys
from recommender.retention import EVENT_ID_KEPT_S, MOST_HIDDEN, PUBLIC_EVENT_ID_KEPT_S
from recommender.storage.event_log import EventLog, Verdict
from tests.fakes.event_log import MemoryEventLog

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ACCEPTED, DUPLICATE = Verdict.ACCEPTED, Verdict.DUPLICATE


def purchase(event_id: str, customer_id: str = "ANNA", product_id: str = "MILK", **fields) -> Event:
    fields = {"event_type": "purchase", "occurred_at": NOW - timedelta(hours=1), **fields}
    return Event(event_id=event_id, customer_id=customer_id, product_id=product_id, **fields)


def impression(event_id: str, **fields) -> Event:
    return purchase(event_id, **{"customer_id": None, "session_id": "s", "event_type": "impression", **fields})


def hidden_of(log: EventLog, customer_id: str = "ANNA") -> frozenset[str]:
    person = digest_of_person(customer_id, None)
    if isinstance(log, MemoryEventLog):
        return log.read_person(person)[3]
    return frozenset(one.decode() for one in log._client.call("SMEMBERS", log._keys.of("hidden", person)))


@pytest.fixture(params=["memory", "embedded", "other"])
def log(request: pytest.FixtureRequest, shop: str) -> Iterator[EventLog]:
    if request.param == "memory":
        yield MemoryEventLog()
        return
    url = request.getfixturevalue("redis_url" if request.param == "embedded" else "other_redis_url")
    client = request.getfixturevalue("connect")(url)
    yield RedisEventLog(shop, client)
    client.call("DEL", "none", *client.call("KEYS", Keys(shop).current.replace("current", "*")))


def test_each_event_is_accepted_once(log):
    assert log.accept([purchase("1"), purchase("2"), purchase("1")], NOW, 100) == [ACCEPTED, ACCEPTED, DUPLICATE]
    assert log.accept([purchase("2"), purchase("3")], NOW, 100) == [DUPLICATE, ACCEPTED]


def test_an_id_is_known_for_as_long_as_it_is_the_same_event_and_then_is_another(redis_shop):
    log, seen = RedisEventLog(redis_shop.shop, redis_shop.client), Keys(redis_shop.shop).of("seen", digest("1"))
    assert log.accept([purchase("1")], NOW, 100) == [ACCEPTED]
    kept_s = redis_shop.client.call("TTL", seen)
    assert EVENT_ID_KEPT_S - 600 < kept_s <= EVENT_ID_KEPT_S
    assert log.accept([purchase("1")], NOW, 100) == [DUPLICATE]
    assert redis_shop.client.call("TTL", seen) <= kept_s, "a repetition does not make it longer"
    redis_shop.client.call("DEL", seen)
    assert log.accept([purchase("1")], NOW, 100) == [ACCEPTED]


def test_an_id_is_whatever_the_shop_makes_of_it(log):
    ids = ["{x}", "a:b", "*", "..", "\n", "a\x00b", "käse 🧀", "}:v:1"]
    assert log.accept([purchase(event_id, event_id, event_id) for event_id in ids], NOW, 100) == [ACCEPTED] * len(ids)
    assert log.accept([purchase(event_id, event_id, event_id) for event_id in ids], NOW, 100) == [DUPLICATE] * len(ids)


def test_more_than_may_wait_are_refused_as_a_whole(log):
    assert log.accept([purchase("1"), purchase("2")], NOW, 3) == [ACCEPTED] * 2
    with pytest.raises(BackPressureError, match="reprise worker"):
        log.accept([purchase("3"), purchase("4")], NOW, 3)
    assert log.accept([purchase("3")], NOW, 3) == [ACCEPTED]


@pytest.mark.parametrize("n_more", [0, 1, 50])
def test_a_person_hides_so_many_products_and_no_more(log, n_more):
    def hide(number: int) -> Event:
        return purchase(str(number), product_id=f"P{number}", event_type="not_interested")

    most = MOST_HIDDEN + n_more
    log.accept([hide(number) for number in range(most)], NOW, 10_000)
    log.accept([purchase("again", product_id=f"P{most - 1}", event_type="not_interested")], NOW, 10_000)
    hidden = hidden_of(log)
    assert (len(hidden), f"P{most - 1}" in hidden) == (MOST_HIDDEN, True)


class TestInRedis:
    @pytest.fixture
    def keys(self, redis_shop):
        return Keys(redis_shop.shop)

    @pytest.fixture
    def log(self, redis_shop) -> RedisEventLog:
        return RedisEventLog(redis_shop.shop, redis_shop.client)

    def test_an_event_waits_in_the_stream_as_it_was(self, redis_shop, keys, log):
        log.accept([purchase("1")], NOW, 10)
        ((_, fields),) = redis_shop.client.call("XRANGE", keys.events, "-", "+")
        assert Event.from_json(dict(fields)[b"e"]) == purchase("1")

    def test_no_id_is_part_of_a_key(self, redis_shop, log):
        log.accept([purchase("EVENT-ID", "CUSTOMER-ID", "PRODUCT-ID")], NOW, 10)
        found = redis_shop.list_keys()
        assert len(found) == 3
        assert not [key for key in found if "-ID" in key]

    def test_every_key_but_the_stream_has_a_life(self, redis_shop, keys, log):
        session = {"event_type": "view", "customer_id": None, "session_id": "s"}
        log.accept([purchase("1"), Event(**{**dict(purchase("2")), **session})], NOW, 10)
        log.accept([purchase("3", event_type="not_interested")], NOW, 10)
        lives = {key: redis_shop.client.call("TTL", key) for key in redis_shop.list_keys()}
        assert sorted(key.split(":")[2] for key, life in lives.items() if life < 0) == ["events"]

    def test_a_session_that_anybody_may_have_made_up_costs_nothing_but_what_waits(self, redis_shop, keys, log):
        shown = [impression(f"rec:{n}", session_id=f"made-up-{n}") for n in range(100)]
        assert log.accept(shown, NOW, 1000, "service") == [ACCEPTED] * 100
        assert redis_shop.list_keys() == {keys.events}

    def test_what_browsers_tell_has_a_short_life_or_none(self, redis_shop, keys, log):
        shown = [impression(f"i{n}", session_id=f"made-up-{n}") for n in range(10)]
        assert log.accept(shown, NOW, 1000, "browser") == [ACCEPTED] * 10
        assert log.accept(shown, NOW, 1000, "browser") == [DUPLICATE] * 10
        seen = redis_shop.list_keys() - {keys.events}
        assert {key.split(":")[2] for key in seen} == {"seen"}
        assert len(seen) == 10
        assert all(0 < redis_shop.client.call("TTL", key) <= PUBLIC_EVENT_ID_KEPT_S for key in seen)

    def test_what_was_shown_counts_for_a_session_that_did_something(self, redis_shop, keys, log):
        log.accept([impression("1", event_type="view")], NOW, 100)
        log.accept([impression(f"rec:{n}", placement="home", rank=n) for n in (1, 2)], NOW, 100, "service")
        parts = sorted(key.split(":")[2] for key in redis_shop.list_keys())
        assert parts == ["events", "seen", "session", "shown"]
        kept = redis_shop.client.call("LRANGE", keys.of("shown", digest_of_person(None, "s")), 0, -1)
        assert [Event.from_json(one).product_id for one in kept] == ["MILK"]
        assert {Event.from_json(one).placement for one in kept} == {None}
        archived = [dict(fields)[b"e"] for _, fields in redis_shop.client.call("XRANGE", keys.events, "-", "+")]
        assert [Event.from_json(one).placement for one in archived] == [None, "home", "home"]

    def test_only_the_latest_are_recent_activity(self, redis_shop, log):
        log.accept([purchase(str(n)) for n in range(250)], NOW, 1000)
        (key,) = (key for key in redis_shop.list_keys() if ":orders:" in key)
        kept = [Event.from_json(text).event_id for text in redis_shop.client.call("LRANGE", key, 0, -1)]
        assert kept == [str(n) for n in range(249, 49, -1)]

    def test_an_old_event_is_kept_but_is_no_recent_activity(self, redis_shop, log):
        assert log.accept([purchase("1", occurred_at=NOW - timedelta(days=61))], NOW, 10) == [ACCEPTED]
        assert not [key for key in redis_shop.list_keys() if ":orders:" in key]
