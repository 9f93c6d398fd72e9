"""Where results are kept: documents of days and campaigns, which the worker counts and pages and commands read."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import NamedTuple, Protocol

from recommender.results.campaigns import CampaignResults
from recommender.results.placements import DayResults

DAYS_KEPT = 400
"""Days of which results are kept: a year, and the same month of the year before."""
MOST_CELLS = 1_000
"""Rows of one day; what is beyond them, seen least, is added up as one placement OTHER: strangers can make up names."""
MOST_CAMPAIGNS = 1_000
"""Campaigns of which results are kept, the latest."""
OTHER = "(other)"

Decided = Mapping[str, Mapping[str, int]]
"""Variant → `selected`, how many customers of the audience are in it, and reason → how many of these got no mail."""


class CountedDay(NamedTuple):
    """One day as it was counted.

    Attributes:
        results: of the day.
        source: digest of the archived files that it was counted from.
    """

    results: DayResults
    source: str


class ResultStore(Protocol):
    """The results of one shop. Every method raises StoreUnavailableError."""

    def days(self, since: date, until: date) -> list[DayResults]:
        """The results of each day from `since` to before `until` on which there were any, oldest first."""

    def campaigns(self) -> list[CampaignResults]:
        """The results of all campaigns, the latest first; what cannot be read is left out."""

    def campaign(self, campaign_id: str) -> CampaignResults | None:
        """The results of one; None where nothing is counted yet."""

    def counted_at(self) -> datetime | None:
        """When the worker counted last, aware; None where it never did."""

    def sources(self) -> Mapping[str, str]:
        """Day → digest of the files that it was counted from; "campaigns" → that of campaigns."""

    def keep_days(self, days: Iterable[CountedDay]) -> None:
        """Keep days in place of what was kept of them; those without rows, and the oldest beyond DAYS_KEPT, go."""

    def keep_campaigns(self, campaigns: Iterable[CampaignResults], source: str) -> None:
        """Keep campaigns in place of what was kept of them; the oldest beyond MOST_CAMPAIGNS go."""

    def note_count(self, at: datetime) -> None:
        """Keep that all was counted at `at`, aware."""

    def clear(self) -> None:
        """Forget all, so that it is counted again from the archive."""

    def note_decided(self, campaign_id: str, block: int, decided: Decided) -> None:
        """Keep what a campaign decided about one block of customers, in place of what was kept of it."""

    def decided(self, campaign_id: str) -> Decided:
        """The sums over all blocks; {} where nothing is known."""
