"""The time limit of a request at a real Redis: its trips share it, and what comes late changes nothing."""

import math
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from recommender.connection import client
from recommender.connection.client import RedisClient
from recommender.connection.time_limit import left_s, time_limit
from recommender.data_dir import DataDirectory
from recommender.errors import OverloadedError, StoreUnavailableError, UnansweredError
from recommender.events.event import Event
from recommender.redis.shops import RedisShopStorage
from recommender.suppression_list import SuppressionList
from tests.support.middleman import middleman
from tests.support.redis_servers import RedisServer, redis_server

PATIENT_S = 30.0
SET = "return redis.call('SET', KEYS[1], ARGV[1])"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    with redis_server(tmp_path) as server:
        yield server


@pytest.fixture
def own(server: RedisServer) -> Iterator[RedisClient]:
    own = RedisClient(server.url, connect_timeout_s=PATIENT_S, timeout_s=PATIENT_S)
    yield own
    own.close()


def test_the_trips_of_a_request_share_it(server: RedisServer, own: RedisClient):
    own.call("PING")
    server.pause()
    with time_limit(0.2):
        with pytest.raises(UnansweredError, match=r"did not answer within 0\.2 s"):
            own.call("SET", "key", "1")
        with pytest.raises(OverloadedError, match="no time was left"):
            own.call("SET", "key", "2")
        assert left_s() == 0


def test_one_that_is_over_sends_nothing(server: RedisServer, own: RedisClient):
    with time_limit(1.0, began_at=0.0), pytest.raises(OverloadedError):
        own.call("SET", "key", "1")
    assert server.call("EXISTS", "key") == 0


def test_without_one_the_clients_own_time_out_counts(server: RedisServer):
    own = RedisClient(server.url, connect_timeout_s=PATIENT_S, timeout_s=0.2)
    own.call("PING")
    server.pause()
    with time_limit(PATIENT_S), pytest.raises(UnansweredError, match=r"within 0\.2 s"):
        own.call("PING")
    own.close()


def test_what_was_not_sent_was_not_done(server: RedisServer, own: RedisClient):
    server.pause()  # the system connects for it, and nobody greets
    with time_limit(0.2), pytest.raises(StoreUnavailableError) as hung:
        own.call("SET", "key", "1")
    server.resume()
    own.call("PING")
    server.kill()
    own.close()
    with pytest.raises(StoreUnavailableError) as gone:
        own.call("SET", "key", "1")
    assert {type(one.value) for one in (hung, gone)} == {StoreUnavailableError}


def test_a_connection_lost_in_the_middle_leaves_the_outcome_open(server: RedisServer):
    with middleman(server.port) as between:
        own = RedisClient(between.url, connect_timeout_s=PATIENT_S, timeout_s=PATIENT_S)
        own.call("PING")
        between.hangs_up = True
        with pytest.raises(UnansweredError, match="cannot be reached"):
            own.call("SET", "key", "1")
        own.close()


def test_a_change_that_the_server_comes_to_late_is_not_made(server: RedisServer, own: RedisClient, monkeypatch):
    evaluate = own.evaluate

    def pause_after_the_clock(script, keys, *arguments):
        answer = evaluate(script, keys, *arguments)
        if script is client._CLOCK:
            server.pause()
        return answer

    monkeypatch.setattr(own, "evaluate", pause_after_the_clock)
    with time_limit(0.2), pytest.raises(UnansweredError):
        own.evaluate_in_time(SET, ["key"], "late")
    server.resume()
    monkeypatch.undo()
    assert own.call("GET", "key") is None
    own.evaluate_in_time(SET, ["key"], "in time")
    assert own.call("GET", "key") == b"in time"


def test_a_request_waits_no_longer_than_its_limit_for_a_locked_list_of_suppressions(server, tmp_path, monkeypatch):
    waits: list[float] = []
    monkeypatch.setattr(SuppressionList, "add", lambda _self, _some, within_s=math.inf: waits.append(within_s))
    now = datetime.now(UTC)
    gone = Event(event_id="1", event_type="unsubscribe", customer_id="ANN", occurred_at=now)
    with closing(RedisShopStorage(server.url, 5_000, DataDirectory(tmp_path / "home"))) as storage:
        log = storage.event_log("shop")
        with time_limit(PATIENT_S):
            log.tell_reader(gone)
            log.erase("ANN", now)
    assert all(0 < wait < PATIENT_S for wait in waits)
    assert len(waits) == 2
