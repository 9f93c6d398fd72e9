"""Purchase files and events to a ledger: read, judge each row, net refunds, leave out tills, say what was found.

Rows are judged inside polars' streaming scan, so that only what the ledger needs is ever held in memory. Bad rows go
to a quarantine file; rows that are normal in a format and no purchase by a customer are left out and counted.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import polars as pl

from recommender.cli.progress import Progress
from recommender.data_dir import DataDirectory
from recommender.errors import UsageError
from recommender.person import digest_of_person
from recommender.settings import Settings
from training.ingest.archived_events import read_ledger, to_part
from training.ingest.bots import RULE, find_suspects
from training.ingest.files import find_files, unchanged
from training.ingest.formats import FORMATS, Format
from training.ingest.ingest_report import IngestReport, check_report, ledger_facts
from training.ingest.product_file import build_catalogue, read_products
from training.ingest.refunds import Netted, net_refunds
from training.ingest.rows import ParsedRows, open_sources, read_part
from training.ingest.schema import LEDGER
from training.quarantine import quarantine_path, write_quarantine

_REST = ("quantity", "unit_price")
"""Columns that settle the order of lines which the contract's four columns do not tell apart."""


@dataclass(frozen=True)
class Ingested:
    """What came out of the files.

    Attributes:
        ledger: schema `training.ingest.schema.LEDGER`, sorted by ordered_at, customer_id, order_id, product_id;
            quantity is above 0 with refunds netted; unit_price is null where it is not known.
        catalogue: schema `training.ingest.schema.CATALOGUE`, one row per product, sorted by product_id.
        report: what was found.
        named: ids of the products that the product file names; None without one.
        currencies: of the archived purchases and refunds; files are not asked for theirs.
    """

    ledger: pl.DataFrame
    catalogue: pl.DataFrame
    report: IngestReport
    named: Collection[str] | None
    currencies: Collection[str]

    def before(self, as_of: datetime) -> "Ingested":
        """What was known at `as_of`: purchases before it and, without a product file, the products of these."""
        past = self.ledger.filter(pl.col("ordered_at") < as_of)
        if self.report.catalogue["from_file"]:
            return replace(self, ledger=past)
        return replace(self, ledger=past, catalogue=self.catalogue.join(past, on="product_id", how="semi"))


def ingest(
    paths: Sequence[str | Path],
    *,
    format: str = "reprise",  # noqa: A002 - the word of the command line
    columns: Mapping[str, str] = MappingProxyType({}),
    products: Path | None = None,
    ledger: Path | None = None,
    erased: Collection[str] = frozenset(),
    settings: Settings,
    as_of: datetime,
    progress: Progress,
    refuse: bool = True,
) -> Ingested:
    """Read purchases.

    Args:
        paths: files, folders and globs of CSV (also gzipped), Parquet or JSON-lines; none where there is a ledger.
        format: a name of `training.ingest.formats.FORMATS`.
        columns: our column name → the files' name; wins over the format.
        products: an optional file of product_id, title, category, price, url, image_url, in_stock, replenishable.
        ledger: an optional folder of archived events (`training.ingest.archived_events`); what the files hold, too,
            counts once.
        erased: `digest_of_person` of customers to be left out.
        settings: max_bad_rows_share is the limit, the quarantine lies under home, shop is whose events count.
        as_of: aware; a later time is in the future, so bad.
        progress: told of each file and step.
        refuse: whether to raise on too many bad rows and on an empty ledger, or to return what there is.

    Raises:
        UsageError: the format or a column name is not known, or as_of has no zone.
        UnreadableFileError: a file is absent, empty, of the wrong kind or encoding, or changed while it was read.
        MissingColumnError: a required column is not there.
        TooManyBadRowsError: more rows are bad than max_bad_rows_share allows; the quarantine file is written.
        TooLittleDataError: no purchase is left.
        HomeError: the quarantine file cannot be written, or the ledger not be read.
    """
    if format not in FORMATS:
        raise UsageError(f"no format {format!r}; there are: {', '.join(sorted(FORMATS))}")
    if as_of.tzinfo is None:
        raise UsageError(f"as_of {as_of} has no zone; give one, for example {as_of}Z")
    files = find_files(paths, leave_out=[products] if products else [])
    with unchanged([*files, *([products] if products else [])]):
        parts = _read_parts(files, FORMATS[format], columns, as_of, progress) if files else []
        named = read_products(products) if products else None
    quarantine = _quarantine(parts, quarantine_path(DataDirectory(settings.home), paths))
    currencies: Collection[str] = ()
    if ledger is not None:
        with progress.step("Read archived events"):
            events = read_ledger(ledger, settings.shop)
            parts.append(to_part(events, parts, as_of))
            currencies = frozenset(events["currency"].drop_nulls())
    with progress.step("Net refunds, leave out tills"):
        rows = pl.concat([part.rows for part in parts], how="diagonal")
        netted = net_refunds(_without(rows, erased) if erased else rows)
        suspects = find_suspects(netted.purchases)
        persons = netted.purchases.join(suspects, on="customer_id", how="anti")
    with progress.step("Describe purchases and products"):
        bought = persons.select(LEDGER.names()).sort("ordered_at", "customer_id", "order_id", "product_id", *_REST)
        catalogue, catalogue_facts = build_catalogue(persons, bought, named)
        report = IngestReport(
            sources=[str(source) for source in (*files, *([ledger] if ledger else []))],
            format=format,
            **_facts_of(parts),
            max_bad_rows_share=settings.max_bad_rows_share,
            quarantine=str(quarantine) if quarantine else None,
            refunds=_facts_of_refunds(netted, parts),
            suspicious=suspects.to_dicts(),
            suspicious_rule=RULE,
            **ledger_facts(bought),
            catalogue=catalogue_facts,
        )
    if refuse:
        check_report(report)
    ids = None if named is None else list(named.products["product_id"])
    return Ingested(bought, catalogue, report, ids, currencies)


def _read_parts(
    files: Sequence[Path], format_: Format, columns: Mapping[str, str], as_of: datetime, progress: Progress
) -> list[ParsedRows]:
    with progress.step("Read purchases", total=len(files)) as advance:
        parts = []
        for source in open_sources(files, format_):
            parts.append(read_part(source, format_, columns, as_of))
            advance(1)
    return parts


def _without(rows: pl.DataFrame, erased: Collection[str]) -> pl.DataFrame:
    gone = [one for one in rows["customer_id"].unique() if digest_of_person(one, None) in erased]
    return rows.filter(~pl.col("customer_id").is_in(gone))


def _quarantine(parts: Sequence[ParsedRows], path: Path) -> Path | None:
    """Write the bad rows of all parts, and return where; None if there are none."""
    bad = pl.concat([part.bad for part in parts], how="diagonal") if parts else pl.DataFrame()
    write_quarantine(path, bad)
    return path if len(bad) else None


def _facts_of(parts: Sequence[ParsedRows]) -> dict[str, Any]:
    """The fields of an IngestReport that describe how the files were read."""
    unused = dict.fromkeys(name for part in parts for name in part.unused)
    return {
        "columns": {ours: theirs for part in parts for ours, theirs in part.taken.items()},
        "columns_unused": list(unused),
        "times": list(dict.fromkeys(part.times for part in parts)),
        "rows_read": sum(part.rows_read for part in parts),
        "rows_good": sum(part.rows_good for part in parts),
        "left_out": dict(sum((Counter(part.left_out) for part in parts), Counter()).most_common()),
        "quarantined": dict(sum((Counter(part.quarantined) for part in parts), Counter()).most_common()),
        "prices_ignored": sum(part.prices_ignored for part in parts),
    }


def _facts_of_refunds(netted: Netted, parts: Sequence[ParsedRows]) -> dict[str, float]:
    return {
        "lines": netted.lines,
        "units": netted.units,
        "own_lines": netted.void_lines + sum(part.own_refunds for part in parts),
        "unmatched_lines": netted.unmatched_lines,
        "unmatched_units": netted.unmatched_units,
        "purchases_gone": netted.purchases_gone,
    }
