"""`reprise rank`: every customer's ranked products as a file, for evaluation by anyone."""

from datetime import UTC, datetime
from pathlib import Path

import click

from recommender.cli.console import echo, print_json
from recommender.cli.progress import Progress
from recommender.settings import load_settings
from recommender.slate.placements import Mix
from training.commands.options import parse_moment, source_options
from training.commands.source import read_source
from training.frame_files import write_frame
from training.ingest.ingest import PurchaseSource
from training.ranking.model import train_model
from training.ranking.rankings import rank_customers


@click.command()
@source_options
@click.option("--as-of", callback=parse_moment, required=True, help="Learn only from what is before this date.")
@click.option("--k", type=click.IntRange(min=1), default=20, show_default=True, help="Products per customer.")
@click.option("--mix", type=click.Choice(["auto", "buy_again", "discover"]), default="auto", show_default=True)
@click.option("--out", type=click.Path(path_type=Path), default="ranked.parquet", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print a summary as JSON.")
def command(
    *,
    source: PurchaseSource,
    as_of: datetime,
    k: int,
    mix: Mix,
    out: Path,
    as_json: bool,
) -> None:
    """Rank products for every customer from what is before a date, and write them to a Parquet file.

    Columns: customer_id, product_id, rank (from 1), score, kind. Nothing is published.

    \b
    Example:
      reprise rank purchases.csv --as-of 2026-10-01 --k 20 --out ranked.parquet
    """
    progress, settings = Progress(show=not as_json), load_settings()
    settings = settings.model_copy(update={"list_length": max(k, settings.list_length)})
    ingested = read_source(source, settings, datetime.now(UTC), progress, as_json=as_json)
    known = ingested.before(as_of)
    model = train_model(known.ledger, known.catalogue, as_of, settings, progress)
    ranking = rank_customers(model, k=k, mix=mix)
    with write_frame(out) as file:
        ranking.write_parquet(file)
    summary = {"out": str(out), "rows": len(ranking), "customers": ranking["customer_id"].n_unique()}
    if as_json:
        print_json({**summary, "reading": ingested.report.to_dict()})
    else:
        echo("{out}: {rows} rows, {customers} customers".format(**summary))
