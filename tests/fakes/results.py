"""Results in memory, for tests: gone with the process."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, datetime

from recommender.results.campaigns import CampaignResults
from recommender.results.placements import DayResults
from recommender.results.store import DAYS_KEPT, MOST_CAMPAIGNS, CountedDay, Decided


class MemoryResults:
    """A ResultStore without a server."""

    def __init__(self) -> None:
        self._decided: dict[str, dict[int, Decided]] = {}
        self.clear()

    def days(self, since: date, until: date) -> list[DayResults]:
        """See `ResultStore.days`."""
        inside = (day for day in self._days if since.isoformat() <= day < until.isoformat())
        return [self._days[day].results for day in sorted(inside) if self._days[day].results.rows]

    def campaigns(self) -> list[CampaignResults]:
        """See `ResultStore.campaigns`."""
        return sorted(self._campaigns.values(), key=lambda one: (one.first_at or "", one.campaign_id), reverse=True)

    def campaign(self, campaign_id: str) -> CampaignResults | None:
        """See `ResultStore.campaign`."""
        return self._campaigns.get(campaign_id)

    def counted_at(self) -> datetime | None:
        """See `ResultStore.counted_at`."""
        return self._counted_at

    def sources(self) -> dict[str, str]:
        """See `ResultStore.sources`."""
        return {**{day: one.source for day, one in self._days.items()}, **self._sources}

    def keep_days(self, days: Iterable[CountedDay]) -> None:
        """See `ResultStore.keep_days`."""
        self._days |= {one.results.day: one for one in days}
        for day in sorted(self._days)[:-DAYS_KEPT]:
            del self._days[day]

    def keep_campaigns(self, campaigns: Iterable[CampaignResults], source: str) -> None:
        """See `ResultStore.keep_campaigns`."""
        self._campaigns |= {one.campaign_id: one for one in campaigns}
        self._sources["campaigns"] = source
        for old in self.campaigns()[MOST_CAMPAIGNS:]:
            del self._campaigns[old.campaign_id]

    def note_count(self, at: datetime) -> None:
        """See `ResultStore.note_count`."""
        self._counted_at = at

    def clear(self) -> None:
        """See `ResultStore.clear`."""
        self._days: dict[str, CountedDay] = {}
        self._campaigns: dict[str, CampaignResults] = {}
        self._sources: dict[str, str] = {}
        self._counted_at: datetime | None = None

    def note_decided(self, campaign_id: str, block: int, decided: Decided) -> None:
        """See `ResultStore.note_decided`."""
        self._decided.setdefault(campaign_id, {})[block] = decided

    def decided(self, campaign_id: str) -> dict[str, Mapping[str, int]]:
        """See `ResultStore.decided`."""
        sums: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for decided in self._decided.get(campaign_id, {}).values():
            for variant, counts in decided.items():
                sums[variant].update(counts)
        return {variant: dict(counts) for variant, counts in sums.items()}
