"""The archive of a shop's events: Parquet files, a folder for each day on which something happened (UTC).

    ledger/shop=default/day=2026-11-20/1795369799204-0_1795369801007-3_9f31c0de.parquet

A file holds one batch of a worker and is named after it, so that a batch that is archived again after a crash takes
the place of its first copy. A batch that was cut otherwise the second time leaves an event in two files: whoever reads
takes each event once (see `recommender.retention.EVENT_ID_KEPT_S`). Small files of a day are joined into one when there
are many.
"""

import fcntl
import os
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import blake2b
from itertools import groupby
from pathlib import Path

import polars as pl

from recommender.data_dir import home_errors, make_folder
from recommender.errors import HomeError
from recommender.events.event import Event
from recommender.retention import EVENT_ID_KEPT_S
from training.frame_files import error_line, write_frame

EVENTS = pl.Schema(
    {
        "event_id": pl.String(),
        "event_type": pl.String(),
        "customer_id": pl.String(),
        "session_id": pl.String(),
        "product_id": pl.String(),
        "occurred_at": pl.Datetime("us", "UTC"),
        "quantity": pl.Float64(),
        "unit_price": pl.Float64(),
        "currency": pl.String(),
        "order_id": pl.String(),
        "placement": pl.String(),
        "recommendation_id": pl.String(),
        "rank": pl.Int32(),
        "kind": pl.String(),
        "reason": pl.String(),
        "campaign_id": pl.String(),
        "experiment": pl.String(),
        "variant": pl.String(),
        "accepted_at": pl.Datetime("ms", "UTC"),
    }
)
"""The fields of an event, and when it was accepted, by the clock of Redis."""
MANY_FILES = 200
"""Small files in one day's folder that are worth joining."""
SMALL_BYTES = 8 << 20
SAME_EVENT = timedelta(seconds=EVENT_ID_KEPT_S)
LEFTOVER_S = 60.0
"""What a worker began to write so long ago, it does not go on with: it was killed."""


@dataclass(frozen=True, slots=True)
class Archived:
    """An event with the fields of its stream entry."""

    entry_id: str
    accepted_at: datetime
    event: Event


class Archive:
    """The archive of one shop under `folder`, which is made when something is written."""

    def __init__(self, folder: Path, shop: str) -> None:
        self.folder = folder / f"shop={shop}"

    def write(self, batch: Sequence[Archived], leave_out: Collection[str] = frozenset()) -> None:
        """Write a batch of events; when this returns, it survives a power cut.

        Args:
            batch: any events, in the order of the stream.
            leave_out: customers whose events are not written; files that an earlier call wrote of the same batch lose
                them.

        Raises:
            HomeError: the disk is full or cannot be written; each day of the batch is there whole or as before.
        """
        in_days = sorted(batch, key=_day)  # stable: within a day the stream's order stays
        for day, events in groupby(in_days, key=_day):
            self._write_day(day, list(events), leave_out)

    def read(
        self,
        event_types: Collection[str] | None = None,
        *,
        days: tuple[date, date] | None = None,
        where: pl.Expr | None = None,
    ) -> pl.DataFrame:
        """Each archived event once: of those that are the same by EVENT_ID_KEPT_S, the one that was accepted first.

        Args:
            event_types: None reads all.
            days: the first and the last UTC day on which it happened; None reads all.
            where: what else must hold of an event.

        Returns:
            Schema EVENTS, sorted by accepted_at, then event_id; no rows where nothing was archived.

        Raises:
            HomeError: a file cannot be read.
        """
        with self._locked(fcntl.LOCK_SH):
            files = self.files() if days is None else self._files_of(days)
            return _each_once(_read(files, event_types, where=where))

    def days(self, first: date = date.min, last: date = date.max) -> list[date]:
        """The UTC days from `first` to `last` of which there are events, oldest first."""
        days = (date.fromisoformat(one.name.removeprefix("day=")) for one in sorted(self.folder.glob("day=*")))
        return [day for day in days if first <= day <= last]

    def count(
        self, event_types: Collection[str] | None = None, *, days: tuple[date, date], where: pl.Expr | None = None
    ) -> int:
        """How many events `read` would look at, each as often as it is archived. Raises as `read`."""
        with self._locked(fcntl.LOCK_SH):
            return len(_read(self._files_of(days), event_types, ["event_type"], where))

    def distinct(
        self, columns: Sequence[str], event_types: Collection[str], *, days: tuple[date, date],
        where: pl.Expr | None = None,
    ) -> pl.DataFrame:  # fmt: skip
        """What some columns hold in the events that `read` would give, each row once. Raises as `read`."""
        with self._locked(fcntl.LOCK_SH):
            return _read(self._files_of(days), event_types, columns, where).unique()

    def values(self, column: str) -> frozenset[str]:
        """Every value of one column of text, such as `customer_id`. Raises as `read`."""
        with self._locked(fcntl.LOCK_SH):
            return frozenset(_read(self.files(), columns=[column])[column].drop_nulls())

    def files(self, day: date | None = None) -> list[Path]:
        """The files of a day, or of all days, oldest day first."""
        return sorted(self.folder.glob(f"day={day or '*'}/*.parquet"))

    def _files_of(self, days: tuple[date, date]) -> list[Path]:
        return [one for day in self.days(*days) for one in self.files(day)]

    def join_small_files(self, most: int = MANY_FILES) -> int:
        """Join the small files of each day that has more than `most` of them; how many went.

        Nothing is done while another process reads or rewrites. After a crash midway some events are in two files.

        Raises:
            HomeError: the disk is full or cannot be written.
        """
        gone = 0
        with suppress(BlockingIOError), self._locked(fcntl.LOCK_EX | fcntl.LOCK_NB):
            for day in sorted(self.folder.glob("day=*")):
                with home_errors(f"look through {day}"):
                    small = [file for file in sorted(day.glob("*.parquet")) if file.stat().st_size < SMALL_BYTES]
                if len(small) > most:
                    gone += self._join(day, small)
        return gone

    def forget(self, customer_ids: Collection[str]) -> int:
        """Write anew each file with events of these customers, without them; how many events went.

        What killed workers left half-written goes, too.

        Raises:
            HomeError: a file cannot be read or written; it is as before then.
        """
        gone = 0
        with self._locked(fcntl.LOCK_EX):
            for file in self.files():
                events = _read([file])
                kept = events.filter(~pl.col("customer_id").is_in(list(customer_ids)).fill_null(value=False))
                if len(kept) < len(events):
                    gone += len(events) - len(kept)
                    _replace(file, kept)
            self._delete_leftovers()
        return gone

    def _delete_leftovers(self) -> None:
        for leftover in self.folder.glob("day=*/.*"):
            with home_errors(f"delete {leftover}"), suppress(FileNotFoundError):
                if time.time() - leftover.stat().st_mtime > LEFTOVER_S:
                    leftover.unlink()

    def _write_day(self, day: str, batch: Sequence[Archived], leave_out: Collection[str]) -> None:
        # two batches may begin and end alike: an entry between them can be in another worker's hand
        digest = blake2b("\0".join(one.entry_id for one in batch).encode(), digest_size=8).hexdigest()
        file = self.folder / day / f"{batch[0].entry_id}_{batch[-1].entry_id}_{digest}.parquet"
        kept = [one for one in batch if one.event.customer_id not in leave_out]
        _replace(file, _to_frame(kept))

    def _join(self, day: Path, small: Sequence[Path]) -> int:
        joined = _read(small).unique(maintain_order=True)  # what is the same event, all days together decide
        ends = (small[0].name.partition("_")[0], small[-1].name.split("_")[1])
        digest = blake2b("\0".join(file.name for file in small).encode(), digest_size=8).hexdigest()
        _replace(day / f"{ends[0]}_{ends[1]}_{digest}.parquet", joined)
        for file in small:
            with home_errors(f"delete {file}"):
                file.unlink(missing_ok=True)
        return len(small)

    @contextmanager
    def _locked(self, how: int) -> Iterator[None]:
        """Files go away under LOCK_EX alone, so a holder of LOCK_SH finds what it listed. Writing needs no lock.

        Raises BlockingIOError with LOCK_NB where another process holds it.
        """
        make_folder(self.folder)
        with home_errors(f"lock {self.folder}"):  # who reads must write there, too
            lock = (self.folder / "files.lock").open("a")
        with lock:
            fcntl.flock(lock, how)
            yield


def _day(one: Archived) -> str:
    return f"day={one.event.occurred_at:%Y-%m-%d}"


def why_unfit(one: Archived) -> str | None:
    """The kind of error that keeps an event from being a row of the archive; None where it can be one."""
    try:
        _to_frame([one])
    except Exception as error:
        return type(error).__name__
    return None


def _to_frame(batch: Iterable[Archived]) -> pl.DataFrame:
    rows = [{**one.event.model_dump(), "accepted_at": one.accepted_at} for one in batch]
    return pl.DataFrame(rows, schema=EVENTS)


def _replace(file: Path, events: pl.DataFrame) -> None:
    """Write `file` so that it survives a power cut; no events: it goes."""
    if events.is_empty():
        with home_errors(f"delete {file}"):
            file.unlink(missing_ok=True)
        return
    is_new = not file.parent.exists()
    with write_frame(file) as whole:
        events.write_parquet(whole)
    for folder in (file.parent, *(file.parent.parents[:3] if is_new else ())):
        with home_errors(f"sync {folder}"):
            _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    """Without it a file that was renamed may be gone after a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _each_once(events: pl.DataFrame) -> pl.DataFrame:
    order = ("accepted_at", "event_id", "occurred_at")
    left, kept = events.sort(order), []
    while True:  # once, and once more for each time that an id was used again later
        first = left.unique("event_id", keep="first", maintain_order=True)
        kept.append(first)
        if len(first) == len(left):
            return pl.concat(kept).sort(order) if len(kept) > 1 else first
        left = left.join(first.select("event_id", first_at="accepted_at"), on="event_id", maintain_order="left")
        left = left.filter(pl.col("accepted_at") - pl.col("first_at") >= SAME_EVENT).drop("first_at")


def _read(
    files: Sequence[Path],
    event_types: Collection[str] | None = None,
    columns: Collection[str] = EVENTS,
    where: pl.Expr | None = None,
) -> pl.DataFrame:
    if not files:
        return pl.DataFrame(schema=EVENTS).select(list(columns))
    wanted = pl.lit(value=True) if event_types is None else pl.col("event_type").is_in(list(event_types))
    try:
        # a file of an earlier or later release may have fewer or more columns
        scan = pl.scan_parquet(list(files), schema=EVENTS, missing_columns="insert", extra_columns="ignore", glob=False)
        wanted = wanted if where is None else wanted & where
        return scan.filter(wanted).select(list(columns)).collect()
    except (OSError, pl.exceptions.PolarsError) as error:
        raise HomeError(f"the archive under {files[0].parent.parent} cannot be read: {error_line(error)}") from None
