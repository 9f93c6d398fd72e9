"""What every PickJobs promises, in memory and on real servers."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from recommender.errors import StoreError, UnknownCampaignError
from recommender.person import digest, digest_of_person
from recommender.redis.event_log import RedisEventLog
from recommender.redis.keys import Keys
from recommender.redis.pick_jobs import RedisPickJobs
from recommender.storage.campaign import Campaign
from recommender.storage.event_log import EventLog
from recommender.storage.pick_jobs import PickJob, PickJobs
from tests.fakes.event_log import MemoryEventLog
from tests.fakes.jobs import MemoryJobs

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def job(campaign_id: str = "reorder", blocks: int = 3, begun_at: datetime = NOW) -> PickJob:
    return PickJob(Campaign(campaign_id, "due_soon", 4, "20261120T020000Z-3f2a", begun_at), blocks)


class MemoryWorld:
    def __init__(self) -> None:
        self.log: EventLog = MemoryEventLog()
        self.jobs: PickJobs = MemoryJobs(lambda one: digest_of_person(one, None) in self.log.erased())

    def end_lease(self, campaign_id: str) -> None:
        self.jobs._holders.pop(campaign_id)


class RedisWorld:
    def __init__(self, shop: str, client) -> None:
        self.client, self.keys = client, Keys(shop)
        self.log: EventLog = RedisEventLog(shop, client)
        self.jobs: PickJobs = RedisPickJobs(shop, client)

    def end_lease(self, campaign_id: str) -> None:
        assert self.client.call("DEL", self.keys.of_job("lease", digest(campaign_id)))


@pytest.fixture(params=["memory", "embedded", "other"])
def world(request: pytest.FixtureRequest, shop: str) -> Iterator[MemoryWorld | RedisWorld]:
    if request.param == "memory":
        yield MemoryWorld()
        return
    url = request.getfixturevalue("redis_url" if request.param == "embedded" else "other_redis_url")
    client = request.getfixturevalue("connect")(url)
    yield RedisWorld(shop, client)
    client.call("DEL", "none", *client.call("KEYS", Keys(shop).current.replace("current", "*")))


@pytest.fixture
def jobs(world: MemoryWorld | RedisWorld) -> PickJobs:
    return world.jobs


@pytest.fixture
def save(jobs: PickJobs) -> Callable[..., bool]:
    """Save the next block of a job as `worker`, with a row for each of these customers."""

    def save(worker: str, of: PickJob, *customers: str) -> bool:
        done = of.advance(64, len(customers), ["too_often"])
        rows = {one: f'{{"customer_id":"{one}"}}'.encode() for one in customers}
        return jobs.save(done, worker, of.blocks_done, rows)

    return save


def test_nobody_asked_for_it(jobs):
    with pytest.raises(UnknownCampaignError, match="'reorder'"):
        jobs.find("reorder")
    assert jobs.take("w1") is None
    assert jobs.rows("reorder", range(3)) == []


def test_a_job_is_added_once_under_its_campaign(jobs):
    assert jobs.add(job()) == job()
    assert jobs.add(job(blocks=9)) == job(), "the first one is kept"
    assert jobs.find("reorder") == job()
    assert jobs.find("reorder").state == "waiting"


def test_a_job_goes_through_its_blocks_and_ends(jobs, save):
    jobs.add(job())
    for customers in (["ann", "ben"], [], ["cy"]):
        taken = jobs.take("w1")
        assert save("w1", taken, *customers)
    done = jobs.find("reorder")
    assert (done.state, done.considered, done.picked, done.reasons) == ("done", 192, 3, {"too_often": 3})
    assert jobs.take("w1") is None
    assert jobs.rows("reorder", range(2)) == [b'{"customer_id":"ann"}', b'{"customer_id":"ben"}']
    assert jobs.rows("reorder", [2, 3]) == [b'{"customer_id":"cy"}']


def test_one_worker_at_a_time_has_a_job_and_the_oldest_goes_first(jobs):
    younger, older = job("younger", begun_at=NOW + timedelta(hours=1)), job("older")
    jobs.add(younger)
    jobs.add(older)
    assert jobs.take("w1") == older
    assert jobs.take("w2") == younger
    assert jobs.take("w3") is None
    assert jobs.take("w1") == older, "who has a job gets it again"


def test_another_worker_goes_on_where_a_dead_one_stopped(world, jobs, save):
    jobs.add(job())
    assert save("w1", jobs.take("w1"), "ann")
    stale = jobs.take("w1")
    world.end_lease("reorder")
    taken = jobs.take("w2")
    assert taken.blocks_done == 1
    assert not save("w1", stale, "ben"), "the first one came back too late"
    assert save("w2", taken, "ben")
    assert jobs.rows("reorder", range(3)) == [b'{"customer_id":"ann"}', b'{"customer_id":"ben"}']


def test_a_failed_job_is_left_alone_and_keeps_its_rows(jobs, save):
    jobs.add(job())
    assert save("w1", jobs.take("w1"), "ann")
    failed = replace(jobs.take("w1"), failure="no version '20261120T020000Z-3f2a' is kept")
    assert jobs.save(failed, "w1", 1, {})
    assert jobs.find("reorder").state == "failed"
    assert jobs.take("w1") is None
    assert jobs.rows("reorder", range(2)) == [b'{"customer_id":"ann"}']


def test_rows_of_an_erased_customer_are_not_saved(world, jobs, save):
    jobs.add(job())
    taken = jobs.take("w1")
    world.log.erase("ann", NOW)
    assert not save("w1", taken, "ann", "ben")
    assert jobs.find("reorder").blocks_done == 0
    assert save("w1", taken, "ben")


def test_whoever_is_forgotten_is_in_no_row_and_the_job_begins_again(jobs, save):
    jobs.add(job("older"))
    jobs.add(job("younger", begun_at=NOW + timedelta(hours=1)))
    assert save("w1", jobs.take("w1"), "ann")
    assert save("w2", jobs.take("w2"), "ben")
    jobs.forget("ann")
    assert jobs.find("older") == job("older")
    assert jobs.rows("older", range(3)) == []
    assert jobs.find("younger").blocks_done == 1, "others go on"
    assert jobs.rows("younger", range(3)) == [b'{"customer_id":"ben"}']


def test_an_erasure_looks_through_many_campaigns_in_a_few_trips(redis_url, connect, shop, monkeypatch):
    jobs, asked = RedisPickJobs(shop, connect(redis_url)), []
    for number in range(450):
        jobs.add(job(f"c{number}", begun_at=NOW + timedelta(seconds=number)))
    for number in range(450):
        person, taken = "ann" if number in (0, 449) else "ben", jobs.take("w")
        rows = {person: f'{{"customer_id":"{person}"}}'.encode()}
        assert jobs.save(replace(taken, blocks_done=3), "w", 0, rows)
    ask = jobs._client._ask
    monkeypatch.setattr(jobs._client, "_ask", lambda *asking: (asked.append(1), ask(*asking))[1])
    jobs.forget("ann")
    assert len(asked) == 1 + 3 + 2
    assert [jobs.find(f"c{number}").blocks_done for number in (0, 1, 448, 449)] == [0, 3, 3, 0]
    assert [len(jobs.rows(f"c{number}", [0])) for number in (0, 1, 448, 449)] == [0, 1, 1, 0]


def test_tries_are_counted_until_a_block_is_saved_or_they_are_excused(world, jobs, save):
    jobs.add(job())
    assert [jobs.take("w1").tries for _ in range(3)] == [1, 2, 3]
    world.end_lease("reorder")
    taken = jobs.take("w2")
    assert taken.tries == 4
    jobs.excuse("w1")
    assert jobs.take("w2").tries == 5
    jobs.excuse("w2")
    assert jobs.take("w2").tries == 1
    assert save("w2", taken, "ann")
    assert jobs.take("w2").tries == 1


@pytest.mark.parametrize("text", [b"{", b"[]", b"7", b"{}", b'{"failure":null,"blocks":"x","blocks_done":0}', None])
def test_a_job_that_cannot_be_read_blocks_none_behind_it_and_no_erasure(redis_url, connect, shop, text):
    client, keys = connect(redis_url), Keys(shop)
    jobs, old = RedisPickJobs(shop, client), digest("old")
    jobs.add(job("old", begun_at=NOW - timedelta(hours=1)))
    jobs.add(job())
    assert jobs.save(job("old").advance(1, 1, ()), "w0", 0, {"ann": b"{}"}) is False
    taken = jobs.take("w1")
    assert jobs.save(taken.advance(1, 1, ()), "w1", 0, {"ann": b"{}"})
    later = text or client.call("GET", keys.of_job("job", old)).replace(b'"audience', b'"of a later release')
    client.call("SET", keys.of_job("job", old), later)
    for _ in range(2):
        assert jobs.take("w1") == job()
    assert client.call("GET", keys.of_job("lease", old)) != (b"w1" if text is None else None), "another may read it"
    with pytest.raises(StoreError, match="cannot be read"):
        jobs.find("old")
    jobs.forget("ann")
    with pytest.raises(UnknownCampaignError):
        jobs.find("old")
    assert jobs.rows("old", [0]) == []


def test_nonsense_on_the_server_is_said(redis_url, connect, shop):
    client = connect(redis_url)
    client.call("SET", Keys(shop).of_job("job", digest("reorder")), b"{")
    with pytest.raises(StoreError, match="cannot be read"):
        RedisPickJobs(shop, client).find("reorder")
