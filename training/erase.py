"""Erasure of customers from files: archived events, versions, quarantined and kept rows, outboxes, unfinished picks."""

import shutil
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from recommender.data_dir import DataDirectory, training_lock
from recommender.errors import HomeError
from recommender.person import digest_of_person
from recommender.publication.erasure import leave_out
from training.artifacts import load, save, saved_versions
from training.campaigns.mail.outbox import forget_customers
from training.campaigns.picks.parts import forget_in_parts
from training.databases.kept_rows import forget_in_readings
from training.events.archive import Archive
from training.flat_files import as_written
from training.quarantine import write_quarantine
from training.tables.workspace import delete_leftovers


@dataclass(frozen=True)
class Forgotten:
    """Numbers of what was erased from the files.

    Attributes:
        archived_events: how many events of the archive.
        versions: the saved versions that were written anew.
        quarantined_rows: how many bad rows.
        mails: what the outboxes knew of how many mails.
        unfinished_picks: how many picks files whose parts a killed run left.
        kept_rows: how many rows that were kept of databases (`--since-last`).
    """

    archived_events: int
    versions: tuple[str, ...]
    quarantined_rows: int
    mails: int
    unfinished_picks: int = 0
    kept_rows: int = 0


def forget(home: DataDirectory, shop: str, erased: Collection[str]) -> Forgotten:
    """Write every file anew that holds an erased customer; the others stay as they are. May be called again.

    Args:
        home: whose files.
        shop: whose archive.
        erased: `digest_of_person` of each customer: their ids are not known any more, and need not be.

    Raises:
        BusyError: a training is at work, which may be about to save a version, or a campaign is being sent.
        HomeError: a file cannot be read or written; it is as before then.
    """
    archive = Archive(home.ledger, shop)
    gone = [one for one in archive.values("customer_id") if digest_of_person(one, None) in erased]
    archived = archive.forget(gone) if erased else 0
    rows = sum(_forget_rows(file, erased) for file in sorted(home.quarantine.glob("*.csv")))
    mails = forget_customers(home.root, shop, lambda one: digest_of_person(one, None) in erased) if erased else 0
    picks = forget_in_parts(home, erased)
    kept = forget_in_readings(home, shop, lambda one: digest_of_person(one, None) in erased)
    delete_leftovers(home.work)
    return Forgotten(archived, tuple(_forget_lists(home, erased)), rows, mails, picks, kept)


def _forget_lists(home: DataDirectory, erased: Collection[str]) -> list[str]:
    rewritten = []
    with training_lock(home):
        for leftover in (home.training, *home.models.glob(".unfinished-*")):
            shutil.rmtree(leftover, ignore_errors=True)
        for version in saved_versions(home) if erased else ():
            publication = load(version, home)
            left = leave_out(publication, erased)
            if left is not publication:
                save(left, home)
                rewritten.append(version)
    return rewritten


def _forget_rows(file: Path, erased: Collection[str]) -> int:
    """In a broken line the customer may stand in any cell."""
    try:
        bad = pl.read_csv(file, infer_schema=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise HomeError(f"{file} cannot be read ({type(error).__name__}); delete it") from None
    named = [_names(row, erased) for row in bad.rows()]
    if any(named):
        write_quarantine(file, bad.filter(~pl.Series(named)))
    return sum(named)


def _names(row: Sequence[str | None], erased: Collection[str]) -> bool:
    return any(cell is not None and digest_of_person(as_written(cell), None) in erased for cell in row)
