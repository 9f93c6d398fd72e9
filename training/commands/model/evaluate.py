"""`reprise evaluate`: how good the model is, beside what it has to beat."""

from datetime import UTC, datetime
from pathlib import Path

import click

from recommender.cli.console import print_json
from recommender.cli.progress import Progress
from recommender.settings import load_settings
from training.commands.model.evaluate_tables import print_comparison
from training.commands.options import parse_moment, source_options
from training.commands.source import read_source
from training.dataset.split import check_cuts, last_cuts
from training.evaluation.compare import compare
from training.ingest.ingest import PurchaseSource
from training.own_lists import read_rankings
from training.parts.plan import plan_job, size_of
from training.tables.workspace import Workspace


def _parse_moments(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> list[datetime]:
    return [moment for value in values if (moment := parse_moment(context, parameter, value))]


def _parse_also(_context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, Path]:
    named = dict(value.split("=", 1) for value in values if "=" in value)
    if len(named) < len(values) or not all((*named, *named.values())):
        raise click.BadParameter("give NAME=FILE, each name once, such as mine=mine.parquet")
    return {name: Path(file) for name, file in named.items()}


@click.command()
@source_options
@click.option("--cut", "cuts", multiple=True, callback=_parse_moments, help="Start of a window; may be given again.")
@click.option(
    "--windows", type=click.IntRange(1, 24), default=3, show_default=True, help="Last windows, without --cut."
)
@click.option("--horizon-days", type=click.IntRange(1, 365), help="Length of a window.  [default: as in the settings]")
@click.option(
    "--also",
    metavar="NAME=FILE",
    multiple=True,
    callback=_parse_also,
    help="Lists of another model, made at the --cut.",
)
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
def command(
    *,
    source: PurchaseSource,
    cuts: list[datetime],
    windows: int,
    horizon_days: int | None,
    also: dict[str, Path],
    as_json: bool,
) -> None:
    """Train on the past of several windows and score what was bought in them, beside eight baselines.

    Two of them are tuned first, on the window before. Intervals hold 95 % and draw customers. Nothing is published.
    With --also, lists of other models (customer_id, product_id, rank) are judged beside ours, by the same customers.

    \b
    Example:
      reprise evaluate purchases.csv --windows 3
      reprise evaluate purchases.csv --cut 2026-08-01 --cut 2026-09-01 --horizon-days 30 --json
      reprise evaluate purchases.csv --cut 2026-10-01 --also mine=mine.parquet
    """
    progress = Progress(show=not as_json)
    settings = load_settings(**({"horizon_days": horizon_days} if horizon_days else {}))
    ingested = read_source(source, settings, datetime.now(UTC), progress, as_json=as_json)
    cuts = cuts or last_cuts(ingested.ledger, windows, settings.horizon_days)
    check_cuts(ingested.ledger, cuts)
    progress.note(f"each window: {plan_job(size_of(ingested.ledger, ingested.catalogue), settings)}")
    with Workspace(settings.home) as work:
        others = {name: read_rankings(file, work) for name, file in also.items()}
    comparison = compare(ingested.ledger, ingested.catalogue, cuts, settings, progress, also=others)
    if as_json:
        print_json({**comparison.to_dict(), "seconds": progress.seconds, "reading": ingested.report.to_dict()})
    else:
        print_comparison(comparison)
