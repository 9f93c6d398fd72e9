"""`reprise doctor`: what a purchase file holds, how it is to be read, and what can be learned from it."""

import os
import shlex
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from recommender.cli.console import echo, print_json
from recommender.cli.progress import Progress
from recommender.errors import MissingColumnError
from recommender.settings import CONFIG_VARIABLE, Settings, find_settings_file, load_settings
from training.cells.findings import Question, refuse_questions
from training.commands.options import source_options
from training.commands.proposed_reading import may_ask, propose_source
from training.commands.reading_settings import add_to_settings, write_options
from training.ingest.formats.known import find_format
from training.ingest.ingest import Ingested, PurchaseSource, ingest
from training.ingest.ingest_report import check_report
from training.ingest.sources import header_cells
from training.reports.data_needs import list_needs, print_report
from training.reports.odd_lines import odd_products
from training.reports.reading_tables import (
    print_columns,
    print_header,
    print_odd,
    print_open,
    print_problems,
    print_products,
    print_statuses,
    why_taken,
)
from training.tables.workspace import Workspace


@dataclass(frozen=True)
class _Examined:
    """A source as it can be read: as it was asked for, or as it is proposed."""

    source: PurchaseSource
    ingested: Ingested
    refusals: list[MissingColumnError] = field(default_factory=list)

    @property
    def proposed(self) -> dict[str, Any]:
        """Reading options that nobody has agreed to yet."""
        return {name: value for error in self.refusals for name, value in error.proposed.items()}


@click.command()
@source_options
@click.option(
    "--write", type=click.Path(dir_okay=False, path_type=Path), help="Settings file that keeps how it is read."
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def command(*, source: PurchaseSource, write: Path | None, as_json: bool) -> None:
    """Check a purchase file: how it is read, what is unclear or left out, and whether each feature has enough data.

    It ends with the command to type next. Columns under other names are proposed, with a cell of each; --write keeps
    what is proposed, and every option, in a settings file, beside what stands there. Bad rows are written to a file
    under REPRISE_HOME/quarantine. Exit code 3: bad data, or something is open that only you know.

    \b
    Example:
      reprise doctor purchases.csv
      reprise doctor export.csv --columns customer_id='Customer ID',product_id=SKU,ordered_at=Date
      reprise doctor export.csv --write reprise.toml
    """
    settings = load_settings()
    examined = _examine(source, settings, Progress(show=not as_json), as_json=as_json)
    questions = examined.ingested.report.questions
    if write:
        add_to_settings(write, examined.source.reading, settings.reading)
    following = _next_command(examined.source, settings, write)
    (_print_json if as_json else _print)(examined, settings, following)
    if examined.refusals and not write:
        raise MissingColumnError(f"{examined.refusals[0].problem}, run: {following}")
    names = ", ".join([*examined.ingested.report.sources, *([str(source.products)] if source.products else [])])
    refuse_questions(names, [Question(**question) for question in questions])
    check_report(examined.ingested.report)


def _examine(source: PurchaseSource, settings: Settings, progress: Progress, *, as_json: bool) -> _Examined:
    """The source read, if need be with columns or a format that are proposed."""
    refusals: list[MissingColumnError] = []
    while True:
        try:
            ingested = ingest(source, settings, datetime.now(UTC), progress, refuse=False)
            return _Examined(source, ingested, refusals)
        except MissingColumnError as error:
            # a terminal is asked by whoever calls this command; a third proposal would be the second again
            if not error.proposed or len(refusals) > 1 or (may_ask() and not as_json):
                if not as_json and not error.proposed:
                    with Workspace(settings.home) as work:
                        print_header(header_cells(source.paths, source.reading, settings.formats, work))
                raise
            refusals.append(error)
            source = propose_source(source, error.proposed)


def _next_command(source: PurchaseSource, settings: Settings, written: Path | None) -> str:
    """The training that reads the source in this way; what a settings file says is not repeated."""
    words = [
        "reprise",
        "train",
        *map(str, source.paths),
        *(["--products", str(source.products)] if source.products else []),
    ]
    if written is None:
        words += ["--config", os.environ[CONFIG_VARIABLE]] if CONFIG_VARIABLE in os.environ else []
        return f"{shlex.join(words)} {write_options(source.reading, settings.reading)}".strip()
    found = find_settings_file()
    known = found is not None and found.resolve() == written.resolve()
    return shlex.join(words if known else [*words, "--config", str(written)])


def _print_json(examined: _Examined, settings: Settings, following: str) -> None:
    odd = odd_products(examined.ingested.ledger, examined.ingested.catalogue)
    needs = list_needs(examined.ingested.ledger, settings.horizon_days)
    print_json(
        {
            **examined.ingested.report.to_dict(),
            "why": _reasons(examined, settings),
            "proposed": examined.proposed,
            "odd_products": [product.to_dict() for product in odd],
            "features": [need.to_dict() for need in needs],
            "command": following,
        }
    )


def _print(examined: _Examined, settings: Settings, following: str) -> None:
    report = examined.ingested.report
    print_columns(report, _reasons(examined, settings))
    print_open(report.questions)
    print_report(report, list_needs(examined.ingested.ledger, settings.horizon_days))
    print_problems(report)
    print_statuses(report.statuses)
    print_products(report.catalogue)
    print_odd(odd_products(examined.ingested.ledger, examined.ingested.catalogue))
    alternatives = [" | ".join(question["choices"]) for question in report.questions if question["choices"]]
    echo(f"Next: {' '.join([following, *(f'[{each}]' for each in dict.fromkeys(alternatives))])}")


def _reasons(examined: _Examined, settings: Settings) -> dict[str, str]:
    """Our column → why the file's was taken for it."""
    reading = examined.source.reading
    refusals = [error for error in examined.refusals if "columns" in error.proposed]
    proposed = {ours: why for error in refusals for ours, why in error.reasons.items()}
    return why_taken(examined.ingested.report, find_format(reading.format, settings.formats), reading.columns, proposed)
