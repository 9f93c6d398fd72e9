"""`reprise report`: a saved version as one page for a colleague."""

from datetime import UTC, datetime
from pathlib import Path

import click

from recommender.cli.console import echo, print_json
from recommender.cli.progress import Progress
from recommender.data_dir import DataDirectory, write_whole
from recommender.errors import VersionNotFoundError
from recommender.settings import Settings, load_settings
from training.analytics.restraint.restraint import Restraint, learn_restraint
from training.artifacts import load, saved_versions
from training.ingest.archived_events import read_ledger
from training.ingest.ingest import PurchaseSource, ingest
from training.reports.evaluation_figures import read_evaluation
from training.reports.version_report import render_report


@click.command()
@click.argument("version", required=False)
@click.option("--out", type=click.Path(path_type=Path), help="Where to.  [default: REPRISE_HOME/reports/VERSION.html]")
@click.option(
    "--evaluation", type=click.Path(path_type=Path), help="Show what `reprise evaluate --json` printed to this file."
)
@click.option("--ledger", type=click.Path(path_type=Path), metavar="DIR", help="Say what each position was worth.")
@click.option("--json", "as_json", is_flag=True, help="Print what was written as JSON.")
def command(version: str | None, out: Path | None, evaluation: Path | None, ledger: Path | None, as_json: bool) -> None:
    """Write one HTML file about VERSION, or the newest one that was trained, that opens without a network.

    It shows what was trained on what, the evaluation, rhythms of products, examples of what is due, what changed since
    the version before, and the gate's verdict; with the --ledger of `reprise worker`, how many products per placement
    still add value, by the purchases in it. Customers are not named.

    \b
    Example:
      reprise report
      reprise report --out report.html --json
    """
    settings = load_settings()
    home = DataDirectory(settings.home)
    saved = saved_versions(home)
    if not (saved or version):
        raise VersionNotFoundError(f"nothing was trained in {home.root} yet; run `reprise train FILE` first")
    version = version or saved[-1]
    publication = load(version, home)
    before = saved[: saved.index(version)][-1:]
    previous = load(before[0], home) if before else None
    figures = read_evaluation(evaluation) if evaluation else None
    restraint = _learn(ledger, settings) if ledger else None
    page = render_report(publication, previous, figures, restraint).encode()
    out = out or home.reports / f"{version}.html"
    with write_whole(out) as file:
        file.write(page)
    result = {"out": str(out), "version": version, "previous": before[0] if before else None, "bytes": len(page)}
    print_json(result) if as_json else echo(f"{version}: {out} ({len(page) / 1000:.0f} kB)")


def _learn(ledger: Path, settings: Settings) -> list[Restraint]:
    shown = read_ledger(ledger, settings.shop, ("exposure", "impression"))
    source = PurchaseSource((), ledger=ledger)
    ingested = ingest(source, settings, datetime.now(UTC), Progress(show=False), refuse=False)
    return learn_restraint(shown, ingested.ledger)
