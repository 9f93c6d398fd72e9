"""`reprise rank`: every customer's ranked products as a file, for evaluation by anyone."""

import shutil
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import click
import polars as pl

from recommender.cli.console import echo, print_json
from recommender.cli.progress import Progress
from recommender.data_dir import write_whole
from recommender.settings import load_settings
from recommender.slate.placements import Mix
from training.commands.engine_options import engine_options
from training.commands.options import parse_moment, source_options
from training.commands.source import read_source
from training.frame_files import stream_parts
from training.ingest.ingest import PurchaseSource
from training.parts.plan import plan_job, size_of
from training.ranking.model import Engine, Model, train_model
from training.ranking.rankings import rank_in_runs
from training.tables.workspace import Workspace


def _parse_mixes(_context: click.Context, _parameter: click.Parameter, value: str) -> Sequence[Mix]:
    mixes = [mix for mix in get_args(Mix) if mix in value.split(",")]
    if not mixes or len(mixes) < len(value.split(",")):
        raise click.BadParameter(f"{value!r}: give some of {', '.join(get_args(Mix))}, each once, with commas between")
    return mixes


def _rank(model: Model, k: int, mixes: Sequence[Mix]) -> Iterator[pl.DataFrame]:
    for mix in mixes:
        for ranking in rank_in_runs(model, k=k, mix=mix):
            yield ranking if len(mixes) == 1 else ranking.with_columns(mix=pl.lit(mix))


@click.command()
@source_options
@click.option("--as-of", callback=parse_moment, required=True, help="Learn only from what is before this date.")
@click.option("--k", type=click.IntRange(min=1), default=20, show_default=True, help="Products per customer.")
@click.option(
    "--mix",
    "mixes",
    default="auto",
    show_default=True,
    metavar="MIX[,MIX]",
    callback=_parse_mixes,
    help="auto, buy_again, discover; of several, each row names its own in a column `mix`.",
)
@click.option("--out", type=click.Path(path_type=Path), default="ranked.parquet", show_default=True)
@engine_options
@click.option("--json", "as_json", is_flag=True, help="Print a summary as JSON.")
def command(
    *,
    source: PurchaseSource,
    as_of: datetime,
    k: int,
    mixes: Sequence[Mix],
    out: Path,
    engine: Engine | None,
    as_json: bool,
) -> None:
    """Rank products for every customer from what is before a date, and write them to a Parquet file.

    Columns: customer_id, product_id, rank (from 1), score, kind. One training serves several mixes. Nothing is
    published.

    \b
    Example:
      reprise rank purchases.csv --as-of 2026-10-01 --k 20 --out ranked.parquet
      reprise rank purchases.csv --as-of 2026-10-01 --mix auto,buy_again,discover
    """
    progress, settings = Progress(show=not as_json), load_settings()
    settings = settings.model_copy(update={"list_length": max(k, settings.list_length)})
    ingested = read_source(source, settings, datetime.now(UTC), progress, as_json=as_json)
    known = ingested.before(as_of)
    progress.note(str(plan_job(size_of(known.ledger, known.catalogue), settings)))
    model = train_model(known.ledger, known.catalogue, as_of, settings, progress, engine=engine)
    with Workspace(settings.home) as work:
        ranked = work.new_file(".parquet")
        stream_parts(_rank(model, k, mixes), ranked)
        counts = pl.scan_parquet(ranked, glob=False).select(rows=pl.len(), customers=pl.col("customer_id").n_unique())
        summary = {"out": str(out), **counts.collect().row(0, named=True)}
        with write_whole(out) as file, ranked.open("rb") as made:
            shutil.copyfileobj(made, file)
    if as_json:
        print_json({**summary, "reading": ingested.report.to_dict()})
    else:
        echo("{out}: {rows} rows, {customers} customers".format(**summary))
