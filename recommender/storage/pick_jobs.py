"""Campaigns whose picks are made in the background: asked for over HTTP, made by a worker, fetched in pages."""

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Protocol

from recommender.storage.campaign import Campaign

LEASE_S = 10
"""A worker that saved nothing for so long is taken for dead: another one goes on where it stopped."""
MOST_TRIES = 5
"""A job that was taken this often without a block being saved fails: it ends workers, or a bug stops it."""


_APART = ("campaign", "tries")
"""Fields of a job that are not in its JSON as they are."""


@dataclass(frozen=True, slots=True)
class PickJob:
    """One campaign's picks, as far as they are made.

    Attributes:
        campaign: what was asked for.
        blocks: of customers, to go through; they are gone through in order.
        blocks_done: how many have their rows.
        considered: customers looked at.
        picked: customers who get a mail, a row each.
        reasons: why the others get none → how many of them.
        failure: why it cannot go on; None while it can.
        tries: how often it was taken since its last block was saved, this time included; 0 where it was not taken.
    """

    campaign: Campaign
    blocks: int
    blocks_done: int = 0
    considered: int = 0
    picked: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)
    failure: str | None = None
    tries: int = field(default=0, compare=False)

    @property
    def ended(self) -> bool:
        """Whether no worker has anything left to do."""
        return self.failure is not None or self.blocks_done == self.blocks

    @property
    def state(self) -> str:
        """`waiting`, `running`, `done` or `failed`."""
        if self.failure is not None:
            return "failed"
        return "done" if self.ended else "running" if self.blocks_done else "waiting"

    def advance(self, considered: int, picked: int, reasons: Sequence[str]) -> "PickJob":
        """The same with one more block done."""
        return replace(
            self,
            tries=0,
            blocks_done=self.blocks_done + 1,
            considered=self.considered + considered,
            picked=self.picked + picked,
            reasons=dict(sorted((Counter(self.reasons) + Counter(reasons)).items())),
        )

    def again(self) -> "PickJob":
        """The same as it began."""
        return PickJob(self.campaign, self.blocks)

    def to_json(self) -> bytes:
        """Compact JSON."""
        fields: dict[str, Any] = {name: value for name, value in asdict(self).items() if name not in _APART}
        return json.dumps({"campaign": self.campaign.to_json().decode(), **fields}, separators=(",", ":")).encode()

    @classmethod
    def from_json(cls, text: bytes) -> "PickJob":
        """The inverse of `to_json`. Raises ValueError, TypeError or KeyError where `text` is no job."""
        fields = json.loads(text)
        return cls(**fields | {"campaign": Campaign.from_json(fields["campaign"].encode())})


class PickJobs(Protocol):
    """The jobs of one shop. Every method raises StoreUnavailableError."""

    def add(self, job: PickJob) -> PickJob:
        """Have a job made; where its campaign has one already, that one is given back."""

    def find(self, campaign_id: str) -> PickJob:
        """The job of a campaign. Raises UnknownCampaignError."""

    def take(self, worker: str) -> PickJob | None:
        """The oldest job that nobody works on, held for `worker` for LEASE_S; None where there is none.

        One that cannot be read is passed over.
        """

    def excuse(self, worker: str) -> None:
        """Count no tries of the jobs that `worker` holds: it is alive, and it was not they that failed."""

    def save(self, job: PickJob, worker: str, block: int, rows: Mapping[str, bytes]) -> bool:
        """Keep how far a job is with the rows of one block, in one step, and hold it for LEASE_S again.

        Nothing is kept, and the answer is False, where another worker holds the job, or where the customer of a row
        asked to be forgotten: take it again then.

        Args:
            job: as it is now.
            worker: who took it.
            block: the one just done, or the one at which it failed.
            rows: by customer_id, in order; one line of JSON each.
        """

    def rows(self, campaign_id: str, blocks: Collection[int]) -> list[bytes]:
        """The rows of these blocks, in order, as far as they are done."""

    def forget(self, customer_id: str) -> None:
        """Delete the rows of every job that has picks for a customer; it is made again without them."""
