"""`reprise restraint`: how many products per placement still add value."""

from datetime import UTC, datetime
from pathlib import Path

import click

from recommender.cli.console import print_json
from recommender.cli.progress import Progress
from recommender.customer_salt import salt_of_training
from recommender.data_dir import DataDirectory
from recommender.events.event import EventType
from recommender.settings import load_settings
from training.analytics.read_columns import SideFile
from training.analytics.restraint.restraint import METHOD, learn_restraint
from training.analytics.restraint.shown import read_shown_file
from training.cells.ids import hash_customers
from training.commands.analytics.restraint_tables import print_restraint
from training.commands.options import source_or_ledger_options
from training.commands.reading_options import parse_named
from training.commands.source import read_source
from training.ingest.archived_events import read_ledger
from training.ingest.ingest import PurchaseSource
from training.tables.workspace import Workspace

_SHOWN: tuple[EventType, ...] = ("exposure", "impression")


@click.command()
@source_or_ledger_options
@click.option("--events", type=click.Path(path_type=Path), help="File of impressions and exposures, without a ledger.")
@click.option("--event-columns", multiple=True, callback=parse_named, metavar="OURS=THEIRS", help="Of that file.")
@click.option("--placement", "placements", multiple=True, metavar="NAME", help="Only this one; repeatable.")
@click.option("--within-days", type=click.FloatRange(min=0, min_open=True), default=14.0, show_default=True)
@click.option(
    "--minimum",
    type=click.FloatRange(min=0),
    default=0.0,
    show_default=True,
    help="Purchases per customer that a position must be shown to add.",
)
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
def command(
    *,
    source: PurchaseSource,
    events: Path | None,
    event_columns: dict[str, str],
    placements: tuple[str, ...],
    within_days: float,
    minimum: float,
    as_json: bool,
) -> None:
    """Say how many products per placement still add value, and suggest the cap.

    Impressions with their rank, exposures and purchases come from the --ledger of `reprise worker`; or from a file of
    --events (event_type, customer_id, occurred_at, placement, product_id, rank, recommendation_id, experiment, variant)
    and purchase FILEs. Where an experiment gave answers of different lengths, the cap is what it shows; elsewhere there
    is only an upper bound.

    \b
    Example:
      reprise restraint --ledger .reprise/ledger
      reprise restraint purchases.csv --events events.parquet --placement home --json
    """
    if events is None and source.ledger is None:
        raise click.UsageError("name a --ledger DIR, or --events FILE and purchase FILEs")
    settings, progress = load_settings(), Progress(show=not as_json)
    with progress.step("Read what was shown"):
        if events:
            with Workspace(settings.home) as work:
                shown = read_shown_file(events, work, SideFile(event_columns))
        else:
            shown = read_ledger(source.ledger or Path(), settings.shop, _SHOWN)
    ingested = read_source(source, settings, datetime.now(UTC), progress, as_json=as_json)
    if events and source.reading.hash_customers:
        shown = hash_customers(shown, salt_of_training(DataDirectory(settings.home)), digests_stay=True)
    with progress.step("Compare positions"):
        found = learn_restraint(shown, ingested.ledger, within_days=within_days, minimum=minimum, placements=placements)
    if as_json:
        document = {"method": METHOD, "within_days": within_days, "reading": ingested.report.to_dict()}
        print_json({**document, "placements": [restraint.to_dict() for restraint in found]})
    else:
        print_restraint(found, within_days)
