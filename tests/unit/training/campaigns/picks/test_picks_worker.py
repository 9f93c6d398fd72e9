"""A job that cannot be made fails alone, with its reason; whatever happens, the worker goes on."""

import threading
from dataclasses import replace

import pytest

from recommender.campaigns.documents import LinkMaker
from recommender.errors import StoreError, StoreUnavailableError
from recommender.settings import MailSettings
from recommender.storage.pick_jobs import MOST_TRIES, PickJob
from tests.fakes.jobs import MemoryJobs
from tests.support.campaigns import CampaignShop, Customer, make_version
from tests.support.mail_samples import TOLD
from training.campaigns.picks import picks_worker as module
from training.campaigns.picks.picks_worker import PicksWorker


class World:
    """Two campaigns of a shop that wait, and what the worker told."""

    def __init__(self) -> None:
        self.shop = CampaignShop(make_version({"ANNA": Customer(discover={"BREAD": 0.25})}, ["BREAD"]))
        self.jobs = MemoryJobs(lambda _: False)
        self.told: list[str] = []
        self.errors: list[Exception] = []
        for name in ("older", "younger"):
            self.jobs.add(PickJob(self.shop.begin(name, slots=2), 1))

    def context(self):
        if self.errors:
            raise self.errors.pop()
        return self.shop.context

    def follow(self) -> None:
        links = LinkMaker(MailSettings(), "default")
        PicksWorker("w", self.jobs, self.context, links, TOLD, self.told.append).follow(threading.Event(), once=True)

    def states(self) -> list[str]:
        return [self.jobs.find(name).state for name in ("older", "younger")]


@pytest.fixture
def world(monkeypatch) -> World:
    monkeypatch.setattr(module, "IDLE_S", 0.0)
    return World()


def test_a_job_with_a_bug_fails_alone_with_its_reason_after_some_tries(world):
    world.errors = [ZeroDivisionError("oops")] * MOST_TRIES
    world.follow()
    assert world.states() == ["failed", "done"]
    assert world.jobs.find("older").failure == "unexpected ZeroDivisionError: oops; report it"
    assert world.told == ["campaign older: unexpected ZeroDivisionError: oops; trying again"] * (MOST_TRIES - 1) + [
        "campaign older: unexpected ZeroDivisionError: oops; report it"
    ]


def test_a_bug_that_goes_away_fails_no_job(world):
    world.errors = [ZeroDivisionError("oops")] * (MOST_TRIES - 1)
    world.follow()
    assert world.states() == ["done", "done"]


def test_data_that_cannot_be_read_fails_its_job_at_once(world):
    world.errors = [StoreError("the version is of another format")]
    world.follow()
    assert world.states() == ["failed", "done"]
    assert world.told == ["campaign older: the version is of another format"]


def test_a_job_that_ends_its_workers_fails(world):
    for _ in range(MOST_TRIES):
        world.errors = [SystemExit()]  # type: ignore[list-item]
        with pytest.raises(SystemExit):
            world.follow()
    world.follow()
    assert world.states() == ["failed", "done"]
    assert "5 workers ended" in str(world.jobs.find("older").failure)


def test_a_redis_that_is_away_for_long_fails_no_job_and_is_told_once(world):
    world.errors = [StoreUnavailableError("Redis is away")] * (3 * MOST_TRIES)
    world.follow()
    assert world.states() == ["done", "done"]
    assert world.told == ["Redis is away; waiting"]


@pytest.mark.parametrize("method", ["take", "save", "excuse"])
def test_no_error_of_the_queue_ends_the_worker(world, monkeypatch, method):
    works, left = getattr(world.jobs, method), iter(range(3))

    def fail(*arguments):
        if next(left, None) is not None:
            raise RuntimeError("never heard of")
        return works(*arguments)

    monkeypatch.setattr(world.jobs, method, fail)
    world.errors = [StoreUnavailableError("Redis is away")]
    world.follow()
    assert world.states() == ["done", "done"]


def test_a_failure_is_kept_with_what_was_done(world):
    job = world.jobs.take("w")
    assert replace(job, tries=9) == job
    assert PickJob.from_json(job.to_json()) == job
    assert b"tries" not in job.to_json()
