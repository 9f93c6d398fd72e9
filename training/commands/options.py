"""Options that several commands share, and how their values are parsed."""

import math
from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import get_args

import click

from recommender.campaigns.audiences import AudienceName
from recommender.settings import MOST_HELD_OUT, Settings
from training.commands.database_options import add_database_options, take_queries
from training.commands.proposed_reading import read_or_ask
from training.commands.reading_options import add_reading_options, parse_named, take_reading
from training.ingest.ingest import PurchaseSource


def source_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add PATHS, the options of reading and --products; the command gets them as one `source`."""
    return _with_source(command, required=True)


def source_or_ledger_options(command: Callable[..., None]) -> Callable[..., None]:
    """As `source_options`, and --ledger, beside which no path is needed."""
    ledger = click.Path(path_type=Path)
    option = click.option("--ledger", type=ledger, metavar="DIR", help="Events that `reprise worker` archived.")
    return option(_with_source(command, required=False))


def campaign_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add CAMPAIGN, whom it writes to with how much, and how lists are read.

    The command gets `campaign_id`, `audience`, `customers`, `slots`, `holdout`, `columns` and `hash_customers`.
    """
    names, whole = click.Choice(get_args(AudienceName)), click.IntRange(min=1)
    file = click.Path(path_type=Path)
    for add in (
        click.option("--hash-customers", is_flag=True, help="Files hold ids; their digests are meant."),
        click.option("--columns", multiple=True, callback=parse_named, metavar="OURS=THEIRS", help="Of these files."),
        click.option(
            "--holdout", callback=parse_share, help="Share who get no mail.  [default: REPRISE_MAIL__HOLDOUT]"
        ),
        click.option("--slots", type=whole, help="Most products in one mail.  [default: as placement email]"),
        click.option("--customers", type=file, help="Or a file of ids: a column customer_id, or lines."),
        click.option("--audience", type=names, help="Who is meant."),
        click.argument("campaign_id", metavar="CAMPAIGN"),
    ):
        command = add(command)
    return command


def _with_source(command: Callable[..., None], *, required: bool) -> Callable[..., None]:
    @click.argument("paths", nargs=-1, required=required, metavar="FILE…")
    @add_reading_options
    @click.option("--products", metavar="FILE", help="File or database of titles, categories, prices, …")
    @add_database_options
    @wraps(command)
    def with_source(
        *, paths: tuple[str, ...], products: str | None, ledger: Path | None = None, **others: object
    ) -> None:
        if not paths and ledger is None:
            raise click.UsageError("name purchase FILEs, a --ledger, or both")
        source = PurchaseSource(paths, take_reading(others), products, ledger, take_queries(others))
        read_or_ask(lambda source: command(source=source, **others), source, silent=bool(others.get("as_json")))

    return with_source


def parse_moment(context: click.Context, parameter: click.Parameter, value: str | None) -> datetime | None:  # noqa: ARG001
    """Click callback: an ISO-8601 date or time, UTC where it names no zone."""
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise click.BadParameter(f"{value!r} is not an ISO-8601 date such as 2026-11-20") from None
    return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)


def with_holdout(settings: Settings, share: float | None) -> Settings:
    """The settings with another hold-out of campaigns, where one is given.

    Raises:
        UsageError: it is no share that a hold-out may be.
    """
    if share is None:
        return settings
    if not 0 <= share <= MOST_HELD_OUT:
        raise click.UsageError(f"--holdout {share:.0%} cannot be; hold out between 0% and {MOST_HELD_OUT:.0%}")
    return settings.model_copy(update={"mail": settings.mail.model_copy(update={"holdout": share})})


def parse_share(context: click.Context, parameter: click.Parameter, value: str | None) -> float | None:  # noqa: ARG001
    """Click callback: a finite number, divided by 100 if it has a percent sign; None stays."""
    if value is None:
        return None
    number = value.strip()
    try:
        share = float(number.removesuffix("%")) / (100 if number.endswith("%") else 1)
    except ValueError:
        share = math.nan
    if not math.isfinite(share):
        raise click.BadParameter(f"{value!r} is not a share such as 5% or 0.05")
    return share
