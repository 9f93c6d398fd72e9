"""Counters of results: the worker counts anew each day, and the campaigns, whose archived files are not those counted.

What is counted is a function of the archive alone. So an event that is archived twice counts once, a worker that is
killed at any moment leaves nothing wrong for longer than until the next count, and what Redis lost comes back. A part
of a day is in memory at a time, with what was seen in the week before it.
"""

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import blake2b
from pathlib import Path

import polars as pl

from recommender.data_dir import home_errors
from recommender.errors import RepriseError
from recommender.results.placements import WITHIN_DAYS, DayResults, PlacementRow
from recommender.results.store import DAYS_KEPT, MOST_CELLS, OTHER, CountedDay, ResultStore
from recommender.retention import CONTACTS_KEPT_DAYS
from recommender.storage.campaign import Campaign
from training.analytics.counters.campaign_results import (
    CampaignTally,
    add_up_campaigns,
    choose_experiments,
    tally_campaigns,
    to_money,
)
from training.analytics.results.placements import COUNTED, SHOWN, Tally, add_up, tally
from training.events.archive import Archive

PAUSE_S = 30.0
"""Between two counts, at least; and at least REST times as long as a count took."""
REST = 10
PART = 250_000
"""Events of a day that are in memory at a time, with what was seen before of the same answers."""
CAMPAIGN_PART = 500_000
"""The same of campaigns: events of mails to some customers, with what these bought."""
SETTLED_DAYS = 60
"""A day that was counted stays as it is once so many newer days are there: a shop may delete its old files."""
CAMPAIGN_DAYS = 2 * CONTACTS_KEPT_DAYS
"""A campaign may be run again for CONTACTS_KEPT_DAYS, and the hold-out of a quarter is as long."""
_OF_CAMPAIGNS = ("mail_sent", "mail_bounce", "mail_open", "mail_complaint", "unsubscribe", "exposure", "click")
_OF_MAIL = pl.col("campaign_id").is_not_null() | (pl.col("event_type") == "exposure")
_CAMPAIGNS = "campaigns"
_ANSWER, _CUSTOMER = pl.col("recommendation_id"), pl.col("customer_id")
_THEIRS = pl.concat_str("customer_id", "product_id", separator="\0")
"""A product of a customer; no id holds the separator."""
_ROW = ("placement", "kind", "reason", "ranks", "seen", "clicked", "carted", "bought", "units")


@dataclass(frozen=True)
class ResultCounter:
    """The counter of one shop.

    Attributes:
        archive: of the shop.
        store: gets the results.
        campaigns: gives those that began lately.
        clock: the aware moment.
        tell: shows a line on the worker's console.
    """

    archive: Archive
    store: ResultStore
    campaigns: Callable[[], Sequence[Campaign]]
    clock: Callable[[], datetime]
    tell: Callable[[str], None]

    def follow(self, stop: threading.Event, *, once: bool = False) -> None:
        """Count again and again until `stop` is set; with `once`, not at all: count when all is archived.

        Nothing is raised: what goes wrong here, whatever it is, must not stop who archives in the same process. It is
        said once, where it is the same at the next try: of what passes by itself, who archives tells.
        """
        tries = [_Try(self._count_days), _Try(self._count_campaigns)]
        while not once and not stop.wait(max(0.0, min(one.due for one in tries) - time.monotonic())):
            for one in tries:
                if one.due <= time.monotonic() and (line := one.make()):
                    self.tell(f"{line}; results are counted when it works again")

    def count(self) -> int:
        """Count what has changed in the archive; how many days that were.

        Raises:
            StoreError: Redis failed; what is counted already is kept.
            HomeError: the archive cannot be read.
        """
        n_days = self._count_days()
        self._count_campaigns()
        return n_days

    def _count_days(self) -> int:
        sources, days = self.store.sources(), self.archive.days()[-DAYS_KEPT:]
        digests = {day: _digest(self._files(day - timedelta(days=WITHIN_DAYS), day)) for day in days}
        settled = self._newest(days) - timedelta(days=SETTLED_DAYS)
        stale = [
            day
            for day, digest in digests.items()
            if sources.get(day.isoformat()) != digest and (day >= settled or day.isoformat() not in sources)
        ]
        for day in reversed(stale):  # what people look at first
            self.store.keep_days([CountedDay(DayResults(day.isoformat(), self._count(day)), digests[day])])
        self.store.note_count(self.clock())
        return len(stale)

    def _count(self, day: date) -> tuple[PlacementRow, ...]:
        led, parts = self._led_by(day), _parts(_ANSWER, self.archive.count(days=(day, day)), PART)
        counted = add_up([self._tally(day, led, mine) for mine in parts], WITHIN_DAYS)
        return _fold(
            PlacementRow(**{name: row[name] for name in _ROW}, money=to_money(row["money"]))
            for row in counted.to_dicts()
        )

    def _led_by(self, day: date) -> pl.Series:
        """The answers of the days before that may have led to what was put into the cart or bought on this day."""
        led = self.archive.read(["add_to_cart", "purchase"], days=(day, day))
        theirs = led.select(_THEIRS).to_series().drop_nulls().unique()
        of_theirs = _THEIRS.is_in(theirs.implode())
        seen = self.archive.distinct(["recommendation_id"], SHOWN, days=_days_before(day), where=of_theirs)
        return pl.concat([led["recommendation_id"], seen["recommendation_id"]]).drop_nulls().unique()

    def _tally(self, day: date, led: pl.Series, mine: pl.Expr) -> Tally:
        """What the answers of one part come to."""
        today = self.archive.read(COUNTED, days=(day, day), where=mine)
        before = self.archive.read(SHOWN, days=_days_before(day), where=mine & _ANSWER.is_in(led.implode()))
        return tally(pl.concat([before, today]), WITHIN_DAYS, day)

    def _count_campaigns(self) -> None:
        """Count the campaigns of the last CAMPAIGN_DAYS; what began before, and was counted, stays as it is."""
        source, days, today = self.store.sources().get(_CAMPAIGNS), self.archive.days(), self.clock().date()
        first = date.min if source is None else self._newest(days) - timedelta(days=CAMPAIGN_DAYS)
        begun = [one.campaign_id for one in self.campaigns()]
        decided = {one: counts for one in begun if (counts := self.store.decided(one))}
        # also the day: what is known of an effect changes when the days end in which orders count
        digest = _digest(self._files(first, date.max), f"{today} {decided}")
        if digest == source:
            return
        span = (first, date.max)
        parts = _parts(_CUSTOMER, self.archive.count(_OF_CAMPAIGNS, days=span, where=_OF_MAIL), CAMPAIGN_PART)
        chosen = choose_experiments(self.archive.distinct(["campaign_id", "experiment"], ["exposure"], days=span))
        tallies = (self._tally_campaigns(span, chosen, mine) for mine in parts)
        orders_known = bool(self.archive.count(["purchase"], days=span))
        results = add_up_campaigns(tallies, WITHIN_DAYS, today, decided, orders_known=orders_known)
        older = {one.campaign_id for one in self.store.campaigns() if one.first_at and one.first_at < first.isoformat()}
        self.store.keep_campaigns([one for one in results if one.campaign_id not in older], digest)

    def _tally_campaigns(self, span: tuple[date, date], chosen: pl.DataFrame, mine: pl.Expr) -> CampaignTally:
        """What the customers of one part come to."""
        events = self.archive.read(_OF_CAMPAIGNS, days=span, where=mine & _OF_MAIL)
        people = events["customer_id"].unique().implode()
        bought = self.archive.read(["purchase"], days=span, where=mine & _CUSTOMER.is_in(people))
        return tally_campaigns(pl.concat([events, bought]), WITHIN_DAYS, chosen)

    def _newest(self, days: Sequence[date]) -> date:
        """The last day that is archived; today, where a clock that was ahead had events of days that are to come."""
        return min(self.clock().date(), days[-1] if days else date.max)

    def _files(self, first: date, last: date) -> Iterable[Path]:
        return (file for day in self.archive.days(first, last) for file in self.archive.files(day))


def _parts(name: pl.Expr, n_events: int, most: int) -> list[pl.Expr]:
    """Filters that split events by a name into parts of about `most`; those without a name are in one of them."""
    n_parts = max(1, -(-n_events // most))
    return [name.hash() % n_parts == part for part in range(n_parts)]


def _days_before(day: date) -> tuple[date, date]:
    return day - timedelta(days=WITHIN_DAYS), day - timedelta(days=1)


@dataclass
class _Try:
    """One of the counts that `follow` makes again and again, each at its own pace.

    Attributes:
        count: what is made.
        due: when it is made next, in seconds of the monotonic clock.
        last: what went wrong the last time; "" for nothing.
        told: what of it was said.
    """

    count: Callable[[], object]
    due: float = 0.0
    last: str = ""
    told: str = ""

    def make(self) -> str | None:
        """Make it; a line to tell where it went wrong twice in the same way."""
        begun, last = time.monotonic(), self.last
        try:
            self.count()
            self.last = self.told = ""
        except Exception as error:
            kind = "" if isinstance(error, RepriseError) else f"unexpected {type(error).__name__}: "
            self.last = f"{kind}{error}"
        self.due = time.monotonic() + max(PAUSE_S, REST * (time.monotonic() - begun))
        if not self.last or self.last != last or self.last == self.told:
            return None
        self.told = self.last
        return self.told


def _digest(files: Iterable[Path], more: str = "") -> str:
    """Digest of files' names, sizes and times: what is rewritten without somebody who was erased is another file."""
    hashed = blake2b(more.encode(), digest_size=16)
    for file in files:
        with home_errors(f"look at {file}"):
            if file.exists():
                stat = file.stat()
                hashed.update(f"{file.parent.name}/{file.name} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    return hashed.hexdigest()


def _fold(rows: Iterable[PlacementRow]) -> tuple[PlacementRow, ...]:
    """The rows, those beyond MOST_CELLS that were seen least as one."""
    by_seen = sorted(rows, key=lambda row: -row.seen)
    rest = by_seen[MOST_CELLS:]
    if not rest:
        return tuple(by_seen)
    money: dict[str, float] = {}
    for row in rest:
        for currency, amount in row.money.items():
            money[currency] = round(money.get(currency, 0.0) + amount, 2)
    sums = {name: sum(getattr(row, name) for row in rest) for name in _ROW[4:]}
    return (*by_seen[:MOST_CELLS], PlacementRow(OTHER, None, None, "unknown", **sums, money=money))
