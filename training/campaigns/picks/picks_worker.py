"""A worker that makes the picks of campaigns that were asked for through the service.

Blocks of customers are gone through in order, and each is saved with how far the job is: whatever ends a worker,
another one goes on with the block that was not saved. Picks are the same each time, so nobody is doubled or missed.
"""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from recommender.campaigns.context import CampaignContext
from recommender.campaigns.documents import LinkMaker, to_line
from recommender.campaigns.run import run_campaign
from recommender.campaigns.selection import Batch
from recommender.errors import RepriseError, StoreError, VersionNotFoundError
from recommender.storage.pick_jobs import PickJob, PickJobs

IDLE_S = 0.5
"""Pause when there is nothing to do."""


@dataclass(frozen=True)
class PicksWorker:
    """One worker of one shop.

    Attributes:
        name: unique among those that live.
        jobs: what was asked for.
        context: opens what picks are made from, for one job.
        links: makes the links of the rows.
        tell: shows a line to whoever runs the worker.
    """

    name: str
    jobs: PickJobs
    context: Callable[[], CampaignContext]
    links: LinkMaker
    tell: Callable[[str], None]

    def follow(self, stop: threading.Event, *, once: bool = False) -> None:
        """Work until `stop` is set, or, with `once`, until there is nothing to do. Redis may fail for a while."""
        failing = False
        while not stop.is_set():
            try:
                busy = self.work(stop)
                failing = False
            except StoreError as error:
                if not failing:
                    self.tell(f"{error}; waiting")
                busy, failing = False, True
            if once and not busy and not failing:
                return
            if not busy:
                stop.wait(IDLE_S)

    def work(self, stop: threading.Event) -> bool:
        """Take one job and go on with it until it ends, another one has it, or `stop` is set; whether there was one.

        Raises:
            StoreError: Redis failed; nothing is lost.
        """
        job = self.jobs.take(self.name)
        if job is None:
            return False
        try:
            for block in self._blocks(job):
                advanced = self._advance(job, block)
                if advanced is None or stop.is_set():
                    break
                job = advanced
        except RepriseError as error:
            if isinstance(error, StoreError) and not isinstance(error, VersionNotFoundError):
                raise
            self._fail(job, error)
        return True

    def _blocks(self, job: PickJob) -> Iterator[Batch]:
        return run_campaign(job.campaign, self.context(), blocks=range(job.blocks_done, job.blocks))

    def _advance(self, job: PickJob, block: Batch) -> PickJob | None:
        """The job with one more block done; None where it is not ours any more."""
        picked = [outcome.picks for outcome in block.outcomes if outcome.picks is not None]
        reasons = [outcome.reason for outcome in block.outcomes if outcome.reason is not None]
        rows = {
            one.customer_id: to_line(job.campaign, one, self.links.links(job.campaign, one)).rstrip(b"\n")
            for one in picked
        }
        done = job.advance(block.considered, len(rows), reasons)
        return done if self.jobs.save(done, self.name, block.number, rows) else None

    def _fail(self, job: PickJob, error: RepriseError) -> None:
        self.tell(f"campaign {job.campaign.campaign_id}: {error}")
        self.jobs.save(replace(job, failure=str(error)), self.name, job.blocks_done, {})
