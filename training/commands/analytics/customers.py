"""`reprise customers`: what each customer is worth and will do next, and how the shop holds on to its customers."""

from datetime import UTC, datetime
from pathlib import Path

import click

from recommender.cli.console import echo, print_json
from recommender.cli.progress import Progress
from recommender.errors import TooLittleDataError
from recommender.settings import load_settings
from training.analytics.customer_value.customer_report import Terms, report_customers
from training.commands.analytics.customers_tables import print_customers
from training.commands.options import parse_moment, source_options
from training.commands.source import read_source
from training.flat_files import frame_to_csv
from training.frame_files import write_frame
from training.ingest.ingest import PurchaseSource
from training.parts.plan import plan_description, size_of


def _parse_out(context: click.Context, parameter: click.Parameter, value: Path | None) -> Path | None:  # noqa: ARG001
    if value and value.suffix not in (".parquet", ".csv"):
        raise click.BadParameter(f"{str(value)!r} ends with neither .parquet nor .csv")
    return value


@click.command()
@source_options
@click.option("--as-of", callback=parse_moment, required=True, help="Learn only from what is before this date.")
@click.option("--horizon-days", type=click.IntRange(1, 3650), default=365, show_default=True, help="Of predicted_clv.")
@click.option(
    "--discount-rate", type=click.FloatRange(0, 10), default=0.1, show_default=True, help="Of predicted_clv, a year."
)
@click.option(
    "--window-days",
    type=click.IntRange(1, 3650),
    default=90,
    show_default=True,
    help="Last days held out to judge the predictions; also the silence that the churn rate counts.",
)
@click.option(
    "--out", type=click.Path(path_type=Path), callback=_parse_out, help="Write every customer to a .parquet or .csv."
)
@click.option("--json", "as_json", is_flag=True, help="Print everything but the customers as JSON.")
def command(
    *,
    source: PurchaseSource,
    as_of: datetime,
    horizon_days: int,
    discount_rate: float,
    window_days: int,
    out: Path | None,
    as_json: bool,
) -> None:
    """Value, churn, next order, RFM segment and lifecycle of every customer, and the shop's retention.

    Orders and their value are predicted with BG/NBD and Gamma-Gamma, and judged on the last days beside naive methods.
    Orders of one customer on one day count as one. Nothing is published.

    \b
    Example:
      reprise customers purchases.csv --as-of 2026-11-20
      reprise customers purchases.csv --as-of 2026-11-20 --out customers.parquet --json
    """
    progress, settings = Progress(show=not as_json), load_settings()
    ingested = read_source(source, settings, datetime.now(UTC), progress, as_json=as_json)
    ledger = ingested.before(as_of).ledger
    if ledger.is_empty():
        raise TooLittleDataError(f"nothing was bought before {as_of:%Y-%m-%d}; take a later --as-of")
    progress.note(str(plan_description(size_of(ledger, ingested.catalogue), settings)))
    currency = settings.currency or (next(iter(ingested.currencies)) if len(ingested.currencies) == 1 else None)
    report = report_customers(ledger, as_of, Terms(horizon_days, discount_rate, window_days), progress)
    if out:
        with write_frame(out) as file:
            if out.suffix == ".parquet":
                report.profiles.write_parquet(file)
            else:
                file.write(frame_to_csv(report.profiles))
    if as_json:
        document = {
            **report.document,
            "currency": currency,
            "out": str(out) if out else None,
            "seconds": progress.seconds,
        }
        print_json({**document, "reading": ingested.report.to_dict()})
    else:
        print_customers(report.document, currency)
        echo(f"{out}: {len(report.profiles):,} customers" if out else "--out FILE writes every customer")
