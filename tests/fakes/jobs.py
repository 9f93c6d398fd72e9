"""Jobs without a server, for tests and for trying things out."""

import threading
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

from recommender.errors import UnknownCampaignError
from recommender.storage.pick_jobs import PickJob


class MemoryJobs:
    """See `Jobs`. A worker holds a job until it ends. Safe to share between threads.

    Args:
        is_erased: whether a customer asked to be forgotten.
    """

    def __init__(self, is_erased: Callable[[str], bool]) -> None:
        self._is_erased = is_erased
        self._jobs: dict[str, PickJob] = {}
        self._rows: dict[str, dict[int, dict[str, bytes]]] = {}
        self._holders: dict[str, str] = {}
        self._tries: Counter[str] = Counter()
        self._lock = threading.Lock()

    def add(self, job: PickJob) -> PickJob:
        """See `Jobs.add`."""
        return self._jobs.setdefault(job.campaign.campaign_id, job)

    def find(self, campaign_id: str) -> PickJob:
        """See `Jobs.find`."""
        if campaign_id not in self._jobs:
            raise UnknownCampaignError(f"no picks were asked for campaign {campaign_id!r}; POST its picks first")
        return self._jobs[campaign_id]

    def take(self, worker: str) -> PickJob | None:
        """See `Jobs.take`."""
        with self._lock:
            for name, job in sorted(self._jobs.items(), key=lambda named: named[1].campaign.begun_at):
                if not job.ended and self._holders.setdefault(name, worker) == worker:
                    self._tries[name] += 1
                    return replace(job, tries=self._tries[name])
        return None

    def excuse(self, worker: str) -> None:
        """See `Jobs.excuse`."""
        for name, holder in self._holders.items():
            if holder == worker:
                del self._tries[name]

    def save(self, job: PickJob, worker: str, block: int, rows: Mapping[str, bytes]) -> bool:
        """See `Jobs.save`."""
        name = job.campaign.campaign_id
        with self._lock:
            if self._holders.get(name) != worker or any(map(self._is_erased, rows)):
                return False
            self._jobs[name] = job
            del self._tries[name]
            self._rows.setdefault(name, {})[block] = dict(rows)
        return True

    def rows(self, campaign_id: str, blocks: Collection[int]) -> list[bytes]:
        """See `Jobs.rows`."""
        kept = self._rows.get(campaign_id, {})
        return [row for block in blocks for row in kept.get(block, {}).values()]

    def forget(self, customer_id: str) -> None:
        """See `Jobs.forget`."""
        with self._lock:
            for name, blocks in self._rows.items():
                if any(customer_id in rows for rows in blocks.values()):
                    blocks.clear()
                    self._holders.pop(name, None)
                    self._jobs[name] = self._jobs[name].again()
