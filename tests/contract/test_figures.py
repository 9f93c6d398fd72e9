"""What the metrics are told of a shop's jobs, in memory and on real servers."""

from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from recommender.events.event import Event
from recommender.redis.keys import Keys
from recommender.redis.shops import RedisShopStorage
from recommender.storage.campaign import Campaign
from recommender.storage.pick_jobs import PickJob
from recommender.storage.shops import ShopStorage
from tests.fakes.shops import MemoryShopStorage

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
NOBODY = {"sent": 0, "bounced": 0, "refused": 0, "unknown": 0, "no_address": 0}


def accept(storage: ShopStorage, shop: str, *event_ids: str) -> None:
    fields = {"event_type": "view", "session_id": "s", "product_id": "MILK", "occurred_at": NOW}
    storage.event_log(shop).accept([Event(event_id=one, **fields) for one in event_ids], NOW, 100)


def test_a_new_shop_has_nothing_but_zeros(storage: ShopStorage, shop: str):
    figures = storage.figures(shop)
    assert (figures.backlog.waiting, list(figures.workers), figures.jobs) == (0, [], {})
    assert (figures.trainings, figures.mails) == ({"published": 0.0, "refused": 0.0}, NOBODY)


def test_events_wait_until_they_are_settled(storage: ShopStorage, shop: str):
    accept(storage, shop, "1", "2", "3")
    assert storage.figures(shop).backlog.waiting == 3
    queue = storage.event_log(shop).queue
    queue.join()
    queue.settle([entry.entry_id for entry in queue.take("a", 2)])
    assert storage.figures(shop).backlog.waiting == 1


def test_the_latest_training_with_each_verdict_is_known(storage: ShopStorage, shop: str):
    storage.note_training(shop, "published", NOW)
    storage.note_training(shop, "refused", NOW - timedelta(days=3))
    storage.note_training(shop, "refused", NOW + timedelta(seconds=0.5))
    assert storage.figures(shop).trainings == {"published": NOW.timestamp(), "refused": NOW.timestamp() + 0.5}
    assert storage.figures(f"{shop}-b").trainings == {"published": 0.0, "refused": 0.0}


def test_mails_add_up(storage: ShopStorage, shop: str):
    storage.count_mails(shop, {"sent": 3, "bounced": 1})
    storage.count_mails(shop, {"sent": 2})
    storage.count_mails(shop, {})
    assert storage.figures(shop).mails == NOBODY | {"sent": 5, "bounced": 1}


def test_jobs_are_counted_by_state(storage: ShopStorage, shop: str):
    jobs = storage.jobs(shop)
    for number in range(5):
        at = NOW + timedelta(seconds=number)
        jobs.add(PickJob(Campaign(f"c{number}", "due_soon", 4, "20261120T020000Z-3f2a", at), blocks=2))
    for state in ("done", "running", "failed"):
        job = jobs.take(state)
        assert job is not None
        saved = {"done": replace(job, blocks_done=2), "running": replace(job, blocks_done=1)}
        assert jobs.save(saved.get(state, replace(job, failure="no version")), state, 0, {})
    assert storage.figures(shop).jobs == {"done": 1, "running": 1, "failed": 1, "waiting": 2}


def test_a_job_that_cannot_be_read_counts_as_failed(redis_url: str, connect, shop: str):
    with closing(RedisShopStorage(redis_url, 5_000)) as storage:
        storage.jobs(shop).add(PickJob(Campaign("good", "due_soon", 4, "20261120T020000Z-3f2a", NOW), blocks=2))
        for number, text in enumerate(("no JSON", "[]", "{}", '"text"')):
            connect(redis_url).call("SET", Keys(shop).of_job("job", f"bad{number}"), text)
            connect(redis_url).call("ZADD", Keys(shop).jobs, number, f"bad{number}")
        assert storage.figures(shop).jobs == {"waiting": 1, "failed": 4}


def test_workers_are_known_by_what_they_take(storage: ShopStorage, shop: str):
    if isinstance(storage, MemoryShopStorage):
        storage.workers = [1.0]
        assert storage.figures(shop).workers == [1.0]
        return
    assert isinstance(storage, RedisShopStorage)
    queue = storage.event_log(shop).queue
    queue.join()
    accept(storage, shop, "1", "2")
    for name in ("a", "b"):
        queue.take(name, 1)
    heard = storage.figures(shop).workers
    assert len(heard) == 2
    assert all(0 <= one < 60 for one in heard)
