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
from recommender.errors import RepriseError, StoreFullError, StoreUnavailableError
from recommender.slate.item_json import Presentation
from recommender.storage.pick_jobs import MOST_TRIES, PickJob, PickJobs

IDLE_S = 0.5
"""Pause when there is nothing to do."""
TEMPORARY = (StoreUnavailableError, StoreFullError)
"""Errors that are no fault of a job."""


@dataclass(frozen=True)
class PicksWorker:
    """A worker of one shop.

    Attributes:
        name: unique among the workers that run.
        jobs: queue of requested campaigns.
        context: opens the campaign context of one job.
        links: makes the links of the rows.
        told: their language and currency.
        tell: shows a line on the worker's console.
    """

    name: str
    jobs: PickJobs
    context: Callable[[], CampaignContext]
    links: LinkMaker
    told: Presentation
    tell: Callable[[str], None]

    def follow(self, stop: threading.Event, *, once: bool = False) -> None:
        """Run jobs until `stop` is set, or, with `once`, until there is none.

        Nothing is raised: Redis may fail for a while, and a job that cannot be made fails alone.
        """
        failing = False
        while not stop.is_set():
            try:
                if failing:  # also what was taken while the answer was lost
                    self.jobs.excuse(self.name)
                busy = self.work(stop)
                failing = False
            except Exception as error:  # a thread that ended would make no picks any more
                if not failing:
                    self.tell(f"{_describe(error)}; waiting")
                busy, failing = False, True
            if once and not busy and not failing:
                return
            if not busy:
                stop.wait(IDLE_S)

    def work(self, stop: threading.Event) -> bool:
        """Run one job until it ends, another worker has it, or `stop` is set; whether there was a job.

        Raises:
            StoreUnavailableError, StoreFullError: Redis failed; nothing is lost.
        """
        job = self.jobs.take(self.name)
        if job is None:
            return False
        if job.tries > MOST_TRIES:
            self._fail(job, f"{job.tries - 1} workers ended while they made it; ask again under another id")
            return True
        try:
            remaining = range(job.blocks_done, job.blocks)
            for batch in run_campaign(job.campaign, self.context(), blocks=remaining):
                advanced = self._advance(job, batch)
                if advanced is None or stop.is_set():
                    break
                job = advanced
        except TEMPORARY:
            raise
        except RepriseError as error:
            self._fail(job, str(error))
        except Exception as error:
            self._try_again_or_fail(job, error, stop)
        return True

    def _try_again_or_fail(self, job: PickJob, error: Exception, stop: threading.Event) -> None:
        if job.tries >= MOST_TRIES:
            self._fail(job, f"{_describe(error)}; report it")
            return
        self.tell(f"campaign {job.campaign.campaign_id}: {_describe(error)}; trying again")
        stop.wait(IDLE_S)

    def _advance(self, job: PickJob, batch: Batch) -> PickJob | None:
        """The job with one more batch saved; None where another worker has the job now."""
        picked = [decision.picks for decision in batch.outcomes if decision.picks is not None]
        reasons = [decision.reason for decision in batch.outcomes if decision.reason is not None]
        rows = {
            one.customer_id: to_line(job.campaign, one, self.links.links(job.campaign, one), self.told).rstrip(b"\n")
            for one in picked
        }
        done = job.advance(batch.considered, len(rows), reasons)
        return done if self.jobs.save(done, self.name, batch.number, rows) else None

    def _fail(self, job: PickJob, reason: str) -> None:
        self.tell(f"campaign {job.campaign.campaign_id}: {reason}")
        self.jobs.save(replace(job, failure=reason), self.name, job.blocks_done, {})


def _describe(error: Exception) -> str:
    return str(error) if isinstance(error, RepriseError) else f"unexpected {type(error).__name__}: {error}"
