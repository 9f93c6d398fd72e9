"""Results in Redis or Valkey: a hash of days, a hash of campaigns, and a hash that says what they were counted from.

For each campaign there is a hash of what it decided, a field for each block of customers, so that a block that is
decided again counts once, and one of the sums.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta

from recommender.connection.client import Command, RedisClient
from recommender.person import digest
from recommender.redis.keys import Keys
from recommender.redis.lua import load_script
from recommender.results.campaigns import CampaignResults
from recommender.results.placements import DayResults, PlacementRow
from recommender.results.store import DAYS_KEPT, MOST_CAMPAIGNS, CountedDay, Decided
from recommender.retention import KEPT_S

_NOTE_DECIDED = load_script("results/note_decided")
_CAMPAIGNS = "campaigns"
_COUNTED_AT = "counted_at"


class RedisResultStore:
    """The ResultStore of one shop. Safe to share between threads.

    Args:
        shop: the shop whose keys these are.
        client: with a long time-out: no page of the shop waits for it.
    """

    def __init__(self, shop: str, client: RedisClient) -> None:
        self._keys = Keys(shop)
        self._client = client

    def days(self, since: date, until: date) -> list[DayResults]:
        """See `ResultStore.days`."""
        wanted = [(since + timedelta(days=n)).isoformat() for n in range((until - since).days)]
        found = self._client.call("HMGET", self._keys.result_days, *wanted) if wanted else []
        days = (_to_day(day, text) for day, text in zip(wanted, found, strict=True) if text is not None)
        return [day for day in days if day is not None]

    def campaigns(self) -> list[CampaignResults]:
        """See `ResultStore.campaigns`."""
        found = [_to_campaign(text) for text in self._client.call("HVALS", self._keys.result_campaigns)]
        return sorted((one for one in found if one is not None), key=_begun, reverse=True)

    def campaign(self, campaign_id: str) -> CampaignResults | None:
        """See `ResultStore.campaign`."""
        text = self._client.call("HGET", self._keys.result_campaigns, campaign_id)
        return None if text is None else _to_campaign(text)

    def counted_at(self) -> datetime | None:
        """See `ResultStore.counted_at`."""
        text = self._client.call("HGET", self._keys.results, _COUNTED_AT)
        return None if text is None else datetime.fromisoformat(text.decode())

    def sources(self) -> dict[str, str]:
        """See `ResultStore.sources`."""
        found = self._client.call("HGETALL", self._keys.results)
        return {name.decode(): source.decode() for name, source in found.items() if name.decode() != _COUNTED_AT}

    def keep_days(self, days: Iterable[CountedDay]) -> None:
        """See `ResultStore.keep_days`. What they were counted from is written last: a kill midway is seen by it."""
        keys, commands = self._keys, list[Command]()
        for (day, rows), source in ((one.results.to_fields(), one.source) for one in days):
            text = json.dumps(rows, separators=(",", ":"))
            commands.append(("HSET", keys.result_days, day, text) if rows else ("HDEL", keys.result_days, day))
            commands.append(("HSET", keys.results, day, source))
        self._client.pipeline(commands)
        old = sorted(day for day in self.sources() if day != _CAMPAIGNS)[:-DAYS_KEPT]
        if old:
            self._client.pipeline([("HDEL", keys.result_days, *old), ("HDEL", keys.results, *old)])

    def keep_campaigns(self, campaigns: Iterable[CampaignResults], source: str) -> None:
        """See `ResultStore.keep_campaigns`."""
        key = self._keys.result_campaigns
        texts = {one.campaign_id: json.dumps(one.to_dict(), separators=(",", ":")) for one in campaigns}
        self._client.pipeline([("HSET", key, campaign_id, text) for campaign_id, text in texts.items()])
        if int(self._client.call("HLEN", key)) > MOST_CAMPAIGNS:
            old = [one.campaign_id for one in self.campaigns()[MOST_CAMPAIGNS:]]
            self._client.call("HDEL", key, *old)
        self._client.call("HSET", self._keys.results, _CAMPAIGNS, source)

    def note_count(self, at: datetime) -> None:
        """See `ResultStore.note_count`."""
        self._client.call("HSET", self._keys.results, _COUNTED_AT, at.isoformat())

    def clear(self) -> None:
        """See `ResultStore.clear`."""
        self._client.call("DEL", self._keys.results, self._keys.result_days, self._keys.result_campaigns)

    def note_decided(self, campaign_id: str, block: int, decided: Decided) -> None:
        """See `ResultStore.note_decided`."""
        keys = [self._keys.decided(part, digest(campaign_id)) for part in ("blocks", "sums")]
        text = json.dumps({variant: dict(counts) for variant, counts in decided.items()}, separators=(",", ":"))
        self._client.evaluate(_NOTE_DECIDED.text, keys, block, text, KEPT_S["mails"])

    def decided(self, campaign_id: str) -> dict[str, Mapping[str, int]]:
        """See `ResultStore.decided`."""
        sums: defaultdict[str, dict[str, int]] = defaultdict(dict)
        for name, n in self._client.call("HGETALL", self._keys.decided("sums", digest(campaign_id))).items():
            variant, _, reason = name.decode().partition(" ")
            sums[variant] |= {reason: int(n)} if int(n) else {}
        return dict(sums)


def _begun(results: CampaignResults) -> tuple[str, str]:
    return results.first_at or "", results.campaign_id


def _to_day(day: str, text: bytes) -> DayResults | None:
    """None for what cannot be read, as of a later release: it is counted again."""
    try:
        return DayResults(day, tuple(PlacementRow.from_list(fields) for fields in json.loads(text)))
    except (ValueError, TypeError):
        return None


def _to_campaign(text: bytes) -> CampaignResults | None:
    try:
        return CampaignResults.from_dict(json.loads(text))
    except (ValueError, TypeError, KeyError):
        return None
