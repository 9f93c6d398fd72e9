"""The picks worker: makes the picks of campaigns requested through the service.

Batches of customers are made in order, and each is saved with the job's progress: when a worker dies, another one goes
on with the batch that was not saved. Picks are deterministic, so no customer is doubled or missed.
"""

import threading
from collections.abc import Callable
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
    """A worker of one shop.

    Attributes:
        name: unique among the workers that run.
        jobs: queue of requested campaigns.
        context: opens the campaign context of one job.
        links: makes the links of the rows.
        tell: shows a line on the worker's console.
    """

    name: str
    jobs: PickJobs
    context: Callable[[], CampaignContext]
    links: LinkMaker
    tell: Callable[[str], None]

    def follow(self, stop: threading.Event, *, once: bool = False) -> None:
        """Run jobs until `stop` is set, or, with `once`, until there is none. Redis may fail for a while."""
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
        """Run one job until it ends, another worker has it, or `stop` is set; whether there was a job.

        Raises:
            StoreError: Redis failed; nothing is lost.
        """
        job = self.jobs.take(self.name)
        if job is None:
            return False
        try:
            remaining = range(job.blocks_done, job.blocks)
            for batch in run_campaign(job.campaign, self.context(), blocks=remaining):
                advanced = self._advance(job, batch)
                if advanced is None or stop.is_set():
                    break
                job = advanced
        except RepriseError as error:
            if isinstance(error, StoreError) and not isinstance(error, VersionNotFoundError):
                raise
            self._fail(job, error)
        return True

    def _advance(self, job: PickJob, batch: Batch) -> PickJob | None:
        """The job with one more batch saved; None where another worker has the job now."""
        picked = [decision.picks for decision in batch.outcomes if decision.picks is not None]
        reasons = [decision.reason for decision in batch.outcomes if decision.reason is not None]
        rows = {
            one.customer_id: to_line(job.campaign, one, self.links.links(job.campaign, one)).rstrip(b"\n")
            for one in picked
        }
        done = job.advance(batch.considered, len(rows), reasons)
        return done if self.jobs.save(done, self.name, batch.number, rows) else None

    def _fail(self, job: PickJob, error: RepriseError) -> None:
        self.tell(f"campaign {job.campaign.campaign_id}: {error}")
        self.jobs.save(replace(job, failure=str(error)), self.name, job.blocks_done, {})
