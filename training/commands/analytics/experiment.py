"""`reprise experiment`: what an experiment caused."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import click
import polars as pl
from pydantic import ValidationError

from recommender.cli.console import print_json
from recommender.cli.progress import Progress
from recommender.customer_salt import salt_of_training
from recommender.data_dir import DataDirectory
from recommender.errors import HomeError, StoreError
from recommender.events.event import EventType
from recommender.experiments.experiment import Experiment, shares
from recommender.experiments.looks import ExperimentLook
from recommender.redis.open import open_storage
from recommender.settings import Settings, load_settings
from training.analytics.experiments.assignments import Assignments, assign_customers, enter, read_assignments
from training.analytics.experiments.attribution import read_events
from training.analytics.experiments.experiment_report import AnalysisPlan, analyse
from training.analytics.experiments.look import look_of
from training.analytics.experiments.outcomes import Period
from training.analytics.read_columns import SideFile
from training.analytics.restraint.shown import exposures_of, slots_of
from training.commands.analytics.experiment_tables import print_report
from training.commands.options import parse_moment, parse_share, source_or_ledger_options
from training.commands.reading_options import parse_named
from training.commands.source import read_source
from training.ingest.archived_events import read_ledger
from training.ingest.ingest import Ingested, PurchaseSource
from training.tables.workspace import Workspace

_SHOWN: tuple[EventType, ...] = ("exposure", "impression", "click")


@click.command()
@source_or_ledger_options
@click.option("--assignments", type=click.Path(path_type=Path), help="File of customer_id, variant and exposed_at.")
@click.option(
    "--assignment-columns", multiple=True, callback=parse_named, metavar="OURS=THEIRS", help="Columns of that file."
)
@click.option("--experiment", "name", metavar="NAME", help="Assign by hash, as the answers do.")
@click.option("--salt", help="Of that experiment.  [default: its name]")
@click.option(
    "--variant",
    "variants",
    multiple=True,
    metavar="NAME=WEIGHT",
    help="One of its variants; with a file: the share meant.",
)
@click.option("--holdout", default="0%", callback=parse_share, help="Share of customers that is held out.")
@click.option("--start", callback=parse_moment, help="First moment of the experiment.  [default: as in the settings]")
@click.option("--end", callback=parse_moment, help="Moment just after it, or up to which to look.  [default: the same]")
@click.option("--control", metavar="VARIANT", help="Compare with this one.  [default: holdout, else control]")
@click.option(
    "--before-days", type=click.IntRange(1, 3650), default=90, show_default=True, help="Time before, for CUPED."
)
@click.option(
    "--lift", default="5%", callback=parse_share, show_default=True, help="Hoped for; tunes the always-valid interval."
)
@click.option("--events", type=click.Path(path_type=Path), help="File of impressions and clicks, for attribution.")
@click.option("--event-columns", multiple=True, callback=parse_named, metavar="OURS=THEIRS", help="Of that file.")
@click.option("--within-days", type=click.FloatRange(min=0, min_open=True), default=7.0, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
def command(
    *,
    source: PurchaseSource,
    assignments: Path | None,
    assignment_columns: dict[str, str],
    name: str | None,
    salt: str | None,
    variants: tuple[str, ...],
    holdout: float,
    start: datetime | None,
    end: datetime | None,
    control: str | None,
    before_days: int,
    lift: float,
    events: Path | None,
    event_columns: dict[str, str],
    within_days: float,
    as_json: bool,
) -> None:
    """Report what an experiment caused: repeat purchases, orders and revenue per customer, each against the control.

    With --ledger, name the experiment first: exposures, impressions, clicks and purchases come from the archive of
    `reprise worker`; shares, start and end from the experiment of that name in the settings, if it is there. Purchase
    files may be named besides.

    Without, give --assignments, or --experiment and its --variants: everybody who bought before the start is then
    assigned by the hash that the answers use. A file of events (customer_id, product_id, event_type impression or
    click, occurred_at, recommendation_id) adds what was bought within --within-days of a click.

    \b
    Example:
      reprise experiment cap-6 --ledger .reprise/ledger
      reprise experiment purchases.csv --assignments exposures.csv --start 2026-09-01 --end 2026-10-01
      reprise experiment purchases.csv --experiment home --variant six=1 --holdout 10% --start 2026-09-01 …
    """
    settings, now, progress = load_settings(), datetime.now(UTC), Progress(show=not as_json)
    if not lift > 0:
        raise click.BadParameter(f"{lift:g} is not above 0", param_hint="--lift")
    source, exposed = _split_off_name(source, assignments, name)
    built = _build_experiment(name or "assigned", salt, variants, holdout) if name or variants else None
    experiment = built or next((one for one in settings.experiments if one.name == exposed), None)
    with progress.step("Read who was exposed"):
        shown = read_ledger(source.ledger, settings.shop, _SHOWN) if source.ledger else None
        exposures = exposures_of(shown, exposed) if shown is not None and exposed is not None else None
    period = Period(*_find_times(start, end, experiment, exposures, now), before_days)
    ingested = read_source(source, settings, now, progress, as_json=as_json)
    ids = salt_of_training(DataDirectory(settings.home)) if source.reading.hash_customers else None
    of_variants = SideFile(assignment_columns, "--assignment-columns", ids)
    with progress.step("Compare variants"), Workspace(settings.home) as work:
        who = assignments if exposures is None else exposures
        assigned = _assign(who, experiment, ingested, period, work, how=of_variants)
        of_events = SideFile(event_columns, salt=ids)
        seen, unusable = (
            read_events(events, work, of_events) if events else (None if shown is None else slots_of(shown), 0)
        )
        plan = AnalysisPlan(period, control, shares(experiment) if experiment else None, lift, within_days)
        report = analyse(ingested.ledger, assigned, plan, seen)
    if exposed is not None and any(one.name == exposed for one in settings.experiments):
        _keep_look(look_of(report, exposed, now), settings)
    if as_json:
        print_json({**report.to_dict(), "events_left_out": unusable, "reading": ingested.report.to_dict()})
    else:
        print_report(report)


def _keep_look(look: ExperimentLook, settings: Settings) -> None:
    """Keep it for the console, beside earlier ones; a report is no worse where Redis does not answer."""
    try:
        with open_storage(settings) as storage:
            storage.note_look(settings.shop, look)
    except (StoreError, HomeError) as error:
        click.echo(f"note: this look is not kept for the console: {error}", err=True)


def _split_off_name(
    source: PurchaseSource, assignments: Path | None, name: str | None
) -> tuple[PurchaseSource, str | None]:
    """The experiment whose exposures are in the ledger, and the other arguments, which are files."""
    if source.ledger is None or assignments is not None or name is not None:
        if (assignments is None) == (name is None):
            raise click.UsageError("give either --assignments FILE or --experiment NAME; or NAME and a --ledger DIR")
        return source, None
    if not source.paths:
        raise click.UsageError("name the experiment whose exposures are in the --ledger")
    return replace(source, paths=source.paths[1:]), str(source.paths[0])


def _find_times(
    start: datetime | None,
    end: datetime | None,
    experiment: Experiment | None,
    exposures: pl.DataFrame | None,
    now: datetime,
) -> tuple[datetime, datetime]:
    """When it ran: as the options say, else the settings, not beyond `now`; else since the first of the exposures."""
    first = None if exposures is None else cast(datetime, exposures["exposed_at"].min())
    start = start or (experiment and experiment.starts) or first
    end = end or (experiment and experiment.ends and min(experiment.ends, now)) or (None if exposures is None else now)
    if start is None or end is None:
        raise click.UsageError("say when it ran, with --start and --end")
    return start, end


def _build_experiment(name: str, salt: str | None, variants: tuple[str, ...], holdout: float) -> Experiment:
    weights: dict[str, str] = {}
    for part in variants:
        variant, _, weight = part.partition("=")
        if variant in weights:
            raise click.BadParameter(f"{variant!r} is named twice", param_hint="--variant")
        weights[variant] = weight or "1"
    try:
        return Experiment.model_validate({"name": name, "salt": salt, "variants": weights, "holdout": holdout})
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}".lstrip(": ") for each in error.errors())
        raise click.UsageError(f"that is no experiment: {faults}") from None


def _assign(
    source: Path | pl.DataFrame | None,
    experiment: Experiment | None,
    ingested: Ingested,
    period: Period,
    work: Workspace,
    *,
    how: SideFile,
) -> Assignments:
    """Who is in it; tills and bots, whose purchases are not in the ledger, are not."""
    if source is None:
        return assign_customers(cast(Experiment, experiment), ingested.ledger, period.start)
    if isinstance(source, Path):
        read = read_assignments(source, period.start, period.end, work, how)
    else:
        read = enter(source, period.start, period.end)
    tills = [row["customer_id"] for row in ingested.report.suspicious]
    kept = read.customers.filter(~pl.col("customer_id").is_in(tills))
    return Assignments(kept, {**read.left_out, "tills or bots": len(read.customers) - len(kept)})
