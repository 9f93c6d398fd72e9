"""Purchases as a command reads them: what was left out or changed is printed, a line for each."""

from collections.abc import Collection
from datetime import datetime

from recommender.cli.console import echo
from recommender.cli.progress import Progress
from recommender.settings import Settings
from training.ingest.ingest import Ingested, PurchaseSource, ingest
from training.reports.reading_lines import reading_lines


def read_source(
    source: PurchaseSource,
    settings: Settings,
    now: datetime,
    progress: Progress,
    *,
    as_json: bool,
    erased: Collection[str] = frozenset(),
) -> Ingested:
    """The ingested purchases; `as_json`: what was left out or changed is not printed, but is for the document.

    Raises:
        DataError, UsageError, HomeError: see `training.ingest.ingest.ingest`.
    """
    ingested = ingest(source, settings, now, progress, erased=erased)
    if not as_json:
        for line in reading_lines(ingested.report):
            echo(f"· {line}")
    return ingested
