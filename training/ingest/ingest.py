"""Ingest of purchases: files and archived events become the ledger, with refunds netted and tills left out.

Rows are judged inside polars' streaming scan, so that only what the ledger needs is ever held in memory. Bad rows go
to a quarantine file; rows that are normal in a format and no purchase by a customer are left out and counted.
"""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path

import polars as pl

from recommender.cli.progress import Progress
from recommender.customer_salt import make_salt
from recommender.data_dir import DataDirectory
from recommender.errors import UsageError
from recommender.person import digest_of_person
from recommender.reading import ReadingOptions
from recommender.settings import Settings
from training.cells.findings import refuse_questions
from training.databases.local_files import LocalFiles, Queries, local_files
from training.dataset.freed import give_back
from training.dataset.ledger_order import sort_ledger
from training.ingest.archived_events import add_earlier, read_ledger, to_part
from training.ingest.bots import RULE, find_suspects
from training.ingest.formats.format import Format
from training.ingest.formats.known import find_format
from training.ingest.ingest_report import (
    IngestReport,
    check_report,
    find_questions,
    ledger_facts,
    reading_facts,
    refund_facts,
)
from training.ingest.ledger_notes import ledger_notes, status_notes
from training.ingest.product_file import build_catalogue, read_products
from training.ingest.refunds import Netted, net_refunds
from training.ingest.rows import ParsedRows, read_part
from training.ingest.schema import LEDGER
from training.ingest.sources import open_sources
from training.quarantine import quarantine_path, write_quarantine
from training.tables.files import find_files, unchanged
from training.tables.workspace import Workspace


@dataclass(frozen=True)
class PurchaseSource:
    """Purchase files, archived events or both, and how they are to be read.

    Attributes:
        paths: files, folders and globs of CSV (also gzipped), Parquet or JSON-lines, and addresses of databases and
            object stores (`training.databases.local_files`); may be empty beside a ledger.
        reading: how they are to be understood.
        products: an optional file, or an address, of product_id, title, category, price, currency, url, image_url,
            in_stock, replenishable.
        ledger: an optional folder of archived events (`training.ingest.archived_events`); a purchase that is also in
            a file counts once.
        queries: which rows of databases are wanted.
    """

    paths: Sequence[str | Path]
    reading: ReadingOptions = field(default_factory=ReadingOptions)
    products: str | Path | None = None
    ledger: Path | None = None
    queries: Queries = field(default_factory=Queries)


@dataclass(frozen=True)
class Ingested:
    """The ledger and the catalogue, with the report of how they were read.

    Attributes:
        ledger: schema `training.ingest.schema.LEDGER`, sorted by ordered_at, customer_id, order_id, product_id;
            quantity is above 0 with refunds netted; unit_price is null where it is not known.
        catalogue: schema `training.ingest.schema.CATALOGUE`, one row per product, sorted by product_id.
        report: rows read, left out and quarantined, and the facts of the ledger.
        named: ids of the products that the product file names; None without one.
        currencies: of the archived purchases and refunds, and of the prices of files that name one.
    """

    ledger: pl.DataFrame
    catalogue: pl.DataFrame
    report: IngestReport
    named: Collection[str] | None
    currencies: Collection[str]

    def before(self, as_of: datetime) -> "Ingested":
        """The purchases before `as_of` and, without a product file, the products of these."""
        past = self.ledger.filter(pl.col("ordered_at") < as_of)
        if self.report.catalogue["from_file"]:
            return replace(self, ledger=past)
        sold = past.select(pl.col("product_id").unique().cast(pl.String))
        return replace(self, ledger=past, catalogue=self.catalogue.join(sold, on="product_id", how="semi"))


def ingest(
    source: PurchaseSource,
    settings: Settings,
    as_of: datetime,
    progress: Progress,
    *,
    erased: Collection[str] = frozenset(),
    refuse: bool = True,
) -> Ingested:
    """The ledger, the catalogue and the report of a source of purchases.

    Args:
        source: files, archived events or both.
        settings: max_bad_rows_share is the limit, the quarantine lies under home, shop is whose events count.
        as_of: aware; a later time is in the future, so bad.
        progress: shows each file and step.
        erased: `digest_of_person` of customers to be left out.
        refuse: whether to raise on too many bad rows and on an empty ledger, or to return what there is.

    Raises:
        UsageError: the format or a column name is not known, or as_of has no zone.
        UnreadableFileError: a file is absent, empty, of the wrong kind or encoding, or changed while it was read.
        MissingColumnError: a required column is not there.
        UnclearInputError: a cell could mean two things.
        TooManyBadRowsError: more rows are bad than max_bad_rows_share allows; the quarantine file is written.
        TooLittleDataError: no purchase is left.
        DatabaseError: a database or an object store cannot be read.
        HomeError: the quarantine file or a copy cannot be written, or the ledger not be read.
    """
    format_ = find_format(source.reading.format, settings.formats)
    _check(source, format_, as_of)
    named = (source.paths, source.products, source.queries)
    with local_files(*named, reading=source.reading, settings=settings, progress=progress) as local, local.named():
        return _ingest(source, local, format_, settings, as_of, progress=progress, erased=erased, refuse=refuse)


def _ingest(
    source: PurchaseSource,
    local: LocalFiles,
    format_: Format,
    settings: Settings,
    as_of: datetime,
    *,
    progress: Progress,
    erased: Collection[str],
    refuse: bool,
) -> Ingested:
    """`ingest` of files of this machine."""
    products = [local.products] if local.products else []
    files = find_files(local.paths, leave_out=products)
    with unchanged([*files, *products]), Workspace(settings.home) as work:
        salt = make_salt(DataDirectory(settings.home)) if source.reading.hash_customers else None
        of_files = _read_files(
            files, format_, source.reading, as_of, progress=progress, work=work, salt=salt, refuse=refuse
        )
        listed = read_products(local.products, work, settings.link_hosts, source.reading) if local.products else None
    if refuse and listed:
        refuse_questions(str(source.products), listed.questions)
    whole = {
        file: add_earlier(part, kept) if (kept := local.kept_of(file)) else part for file, part in of_files.items()
    }
    parts = list(whole.values())
    bad = [local.rename_files(each) for each in (*(part.bad for part in parts), *([listed.bad] if listed else []))]
    quarantine = _quarantine(bad, quarantine_path(DataDirectory(settings.home), local.paths))
    currencies: set[str] = set()
    if source.ledger is not None:
        with progress.step("Read archived events"):
            events = read_ledger(source.ledger, settings.shop)
            parts.append(to_part(events, parts, as_of))
            currencies = set(events["currency"].drop_nulls())
    with progress.step("Net refunds, leave out tills"):
        wanted = {file: _leave_out(part.rows, erased) for file, part in whole.items() if local.keeps(file)}
        rows = [part.rows for part in parts]
        # further on they are only counted; of a large shop their rows are the most that a reading holds
        parts = [replace(part, rows=part.rows.clear(), nothing_left=part.nothing_left.clear()) for part in parts]
        del whole, of_files
        cleaned = _clean(rows, erased)
        give_back()
    read = reading_facts(parts, source.reading)
    if refuse:
        refuse_questions(", ".join(map(str, files)), find_questions(parts, source.reading))
    with progress.step("Describe purchases and products"):
        ledger = cleaned.purchases.select(LEDGER.names())
        if "currency" in cleaned.purchases.columns:
            currencies |= set(cleaned.purchases["currency"].drop_nulls())
        notes = [
            *(listed.notes if listed else ()),
            *status_notes(read["statuses"]),
            *ledger_notes(cleaned.purchases, currencies),
        ]
        catalogue, catalogue_facts = build_catalogue(cleaned.purchases, ledger, listed)
        report = IngestReport(
            sources=[local.rename(str(path)) for path in (*files, *([source.ledger] if source.ledger else []))],
            format=source.reading.format,
            **{
                **read,
                "notes": [*read["notes"], *map(asdict, notes)],
                "questions": [*read["questions"], *map(asdict, listed.questions if listed else ())],
            },
            max_bad_rows_share=settings.max_bad_rows_share,
            quarantine=str(quarantine) if quarantine else None,
            refunds=refund_facts(cleaned.netted, parts),
            suspicious=cleaned.suspects.to_dicts(),
            suspicious_rule=RULE,
            **ledger_facts(ledger),
            catalogue=catalogue_facts,
        )
    if refuse:
        check_report(report)
        for file, brought in wanted.items():
            local.keep(file, brought, as_of)
    named = None if listed is None else list(listed.products["product_id"])
    return Ingested(ledger, catalogue, report, named, currencies)


def _check(source: PurchaseSource, format_: Format, as_of: datetime) -> None:
    if source.queries.since_last and format_.combine:
        raise UsageError(f"--since-last cannot be with the format {source.reading.format}, which joins files")
    if as_of.tzinfo is None:
        raise UsageError(f"as_of {as_of} has no zone; give one, for example {as_of}Z")


def _read_files(
    files: Sequence[Path],
    format_: Format,
    options: ReadingOptions,
    as_of: datetime,
    *,
    progress: Progress,
    work: Workspace,
    salt: bytes | None,
    refuse: bool,
) -> dict[Path, ParsedRows]:
    if not files:
        return {}
    with progress.step("Read purchases", total=len(files)) as advance:
        parts = {}
        for opened in open_sources(files, format_, options, work):
            parts[opened.file] = read_part(opened, format_, format_.fill(options), as_of, salt=salt, refuse=refuse)
            advance(1)
    return parts


def _quarantine(found: Sequence[pl.DataFrame], path: Path) -> Path | None:
    """Write the bad rows of all files, and return where; None if there are none."""
    bad = pl.concat(found, how="diagonal") if found else pl.DataFrame()
    write_quarantine(path, bad)
    return path if len(bad) else None


@dataclass(frozen=True)
class _Cleaned:
    """Purchases by customers, in the order of the ledger, and what the rows lost on the way (without rows)."""

    purchases: pl.DataFrame
    netted: Netted
    suspects: pl.DataFrame


def _clean(found: list[pl.DataFrame], erased: Collection[str]) -> _Cleaned:
    """Leave out erased customers, net refunds, leave out tills, in this order; `found` is emptied on the way."""
    rows = _leave_out(pl.concat(found, how="diagonal"), erased)
    found.clear()
    netted = net_refunds(rows)
    purchases, netted = netted.purchases, replace(netted, purchases=rows.clear())
    del rows  # not held beside the sorted ones
    suspects = find_suspects(purchases)
    if len(suspects):
        purchases = purchases.join(suspects, on="customer_id", how="anti")
    order = sort_ledger(purchases)
    for name in purchases.columns:  # one after the other, so that no column but this is there twice
        purchases = purchases.with_columns(purchases[name].gather(order))
    return _Cleaned(purchases, netted, suspects)


def _leave_out(rows: pl.DataFrame, erased: Collection[str]) -> pl.DataFrame:
    if not erased:
        return rows
    gone = [one for one in rows["customer_id"].unique() if digest_of_person(one, None) in erased]
    return rows.filter(~pl.col("customer_id").is_in(gone))
