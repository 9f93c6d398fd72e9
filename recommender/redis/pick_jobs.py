"""Pick jobs in Redis or Valkey.

For each campaign a string (the job), a hash (block → its rows, a line each, after a line of the customers' digests),
a lease while a worker makes it, and how often it was taken without progress; for all campaigns a sorted set of them,
oldest first.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Literal

from recommender.connection.client import Argument, RedisClient
from recommender.errors import StoreError, UnknownCampaignError
from recommender.person import digest, digest_of_person
from recommender.redis.keys import Keys
from recommender.redis.lua import load_script
from recommender.retention import JOB_KEPT_S
from recommender.storage.pick_jobs import LEASE_S, PickJob

_ADD = load_script("pick_jobs/add")
_TAKE = load_script("pick_jobs/take")
_SAVE = load_script("pick_jobs/save")
_RESTART = load_script("pick_jobs/restart")
_EXCUSE = load_script("pick_jobs/excuse")
_FIND_PERSON = load_script("pick_jobs/find_person")

_CAMPAIGNS_PER_TRIP = 200

_PARTS: tuple[Literal["job", "lease", "rows", "tries"], ...] = ("job", "lease", "rows", "tries")


class RedisPickJobs:
    """The PickJobs of one shop. Safe to share between threads."""

    def __init__(self, shop: str, client: RedisClient) -> None:
        self._keys = Keys(shop)
        self._client = client

    def add(self, job: PickJob) -> PickJob:
        """See `PickJobs.add`."""
        campaign = digest(job.campaign.campaign_id)
        keys = [self._keys.jobs, self._keys.of_job("job", campaign)]
        place = int(job.campaign.begun_at.timestamp())
        return _decode(self._client.evaluate(_ADD.text, keys, campaign, job.to_json(), JOB_KEPT_S, place))

    def find(self, campaign_id: str) -> PickJob:
        """See `PickJobs.find`."""
        found = self._client.call("GET", self._keys.of_job("job", digest(campaign_id)))
        if found is None:
            raise UnknownCampaignError(f"no picks were asked for campaign {campaign_id!r}; POST its picks first")
        return _decode(found)

    def take(self, worker: str) -> PickJob | None:
        """See `PickJobs.take`."""
        what: list[Argument] = [*self._heads("job", "lease", "tries"), worker, LEASE_S, JOB_KEPT_S]
        unreadable: list[bytes] = []
        while found := self._client.evaluate(_TAKE.text, [self._keys.jobs], *what, *unreadable):
            campaign, text, tries = found
            try:
                return replace(_decode(text), tries=tries)
            except StoreError:  # as of a later release; `find` says so
                unreadable.append(campaign)
        return None

    def excuse(self, worker: str) -> None:
        """See `PickJobs.excuse`."""
        self._client.evaluate(_EXCUSE.text, [self._keys.jobs], *self._heads("lease", "tries"), worker)

    def save(self, job: PickJob, worker: str, block: int, rows: Mapping[str, bytes]) -> bool:
        """See `PickJobs.save`."""
        campaign, people = digest(job.campaign.campaign_id), [digest_of_person(one, None) for one in rows]
        wire = b"\n".join([" ".join(people).encode(), *rows.values()])
        what = (worker, job.to_json(), block, wire, JOB_KEPT_S, LEASE_S)
        return bool(self._client.evaluate(_SAVE.text, [*self._keys_of(campaign), self._keys.erased], *what, *people))

    def rows(self, campaign_id: str, blocks: Collection[int]) -> list[bytes]:
        """See `PickJobs.rows`."""
        found = self._client.call("HMGET", self._keys.of_job("rows", digest(campaign_id)), *blocks) if blocks else []
        return [row for wire in found if wire for row in wire.split(b"\n")[1:]]

    def forget(self, customer_id: str) -> None:
        """See `PickJobs.forget`. One round trip for each _CAMPAIGNS_PER_TRIP, and one for each that is made again."""
        person, campaigns = digest_of_person(customer_id, None), self._client.call("ZRANGE", self._keys.jobs, 0, -1)
        for first in range(0, len(campaigns), _CAMPAIGNS_PER_TRIP):
            some = [self._keys_of(one.decode()) for one in campaigns[first : first + _CAMPAIGNS_PER_TRIP]]
            looks = [("EVAL", _FIND_PERSON.text, 2, keys[0], keys[2], person) for keys in some]
            for keys, job in zip(some, self._client.pipeline(looks), strict=True):
                if job is not None:
                    self._restart(keys, job)

    def _restart(self, keys: Sequence[str], job: bytes) -> None:
        try:
            begun = _decode(job).again().to_json()
        except StoreError:  # nobody could make it again
            self._client.call("DEL", *keys)
            return
        self._client.evaluate(_RESTART.text, keys[:3], begun, JOB_KEPT_S)

    def _heads(self, *parts: Literal["job", "lease", "rows", "tries"]) -> list[str]:
        """Keys of parts up to the digest of the campaign."""
        return [self._keys.of_job(part, "") for part in parts]

    def _keys_of(self, campaign: str) -> list[str]:
        return [self._keys.of_job(part, campaign) for part in _PARTS]


def _decode(wire: bytes) -> PickJob:
    try:
        return PickJob.from_json(wire)
    except (ValueError, TypeError, KeyError, AttributeError):
        raise StoreError(
            "Redis holds a campaign's job that cannot be read; ask for its picks under another id"
        ) from None
