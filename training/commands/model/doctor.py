"""`reprise doctor`: what a purchase file holds and what can be learned from it, without learning."""

from datetime import UTC, datetime

import click

from recommender.cli.console import print_json
from recommender.cli.progress import Progress
from recommender.settings import load_settings
from training.commands.options import source_options
from training.ingest.ingest import PurchaseSource, ingest
from training.ingest.ingest_report import check_report
from training.reports.data_needs import list_needs, print_report


@click.command()
@source_options
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def command(*, source: PurchaseSource, as_json: bool) -> None:
    """Check a purchase file: columns, times, bad rows, repeat purchases, and whether each feature has enough data.

    Bad rows are written to a file under REPRISE_HOME/quarantine. Exit code 3: bad data.

    \b
    Example:
      reprise doctor purchases.csv
      reprise doctor export.csv --columns customer_id='Customer ID',product_id=SKU,ordered_at=Date
    """
    settings = load_settings()
    ingested = ingest(source, settings, datetime.now(UTC), Progress(show=not as_json), refuse=False)
    needs = list_needs(ingested.ledger, settings.horizon_days)
    if as_json:
        print_json({**ingested.report.to_dict(), "features": [need.to_dict() for need in needs]})
    else:
        print_report(ingested.report, needs)
    check_report(ingested.report)
