"""The version report: a self-contained HTML page on a saved version, for people.

Nothing is trained and no clock is read: the same versions give the same bytes. What a manifest lacks is left out.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from recommender.publication.manifest import Manifest, Publication
from training.analytics.insights.meaning import describe_meaning
from training.analytics.restraint.restraint import NO_DATA, Restraint
from training.provenance import flatten
from training.reports import evaluation_charts, list_charts
from training.reports.charts import Bar, Chart, Table, bar_chart
from training.reports.evaluation_figures import EvaluationFigures, figures_of
from training.reports.price_currency import describe_currency
from training.reports.restraint_charts import show_restraint
from training.reports.version_changes import compare_versions

_VERDICTS = {
    "passed": "passed: nothing speaks against this version",
    "refused": "refused: not to be published unless forced",
    "forced": "forced: refused by the gate, overruled by hand",
    "skipped": "skipped: too little data to judge by",
}


def render_report(
    publication: Publication,
    previous: Publication | None,
    figures: EvaluationFigures | None = None,
    restraint: Sequence[Restraint] | None = None,
) -> str:
    """The HTML page of a version.

    Args:
        publication: the version that it is about.
        previous: the version before it, for what changed; None: that part is left out.
        figures: of a longer evaluation; None: those of the manifest.
        restraint: what each position was worth; None: that part is left out.
    """
    manifest = publication.manifest
    figures = figures or figures_of(manifest.metrics)
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            manifest=manifest,
            as_of=_minute(manifest.as_of),
            created_at=_minute(manifest.created_at),
            verdict=_VERDICTS.get(str(manifest.gate.get("verdict")), str(manifest.gate.get("verdict", ""))),
            gate=list(
                flatten({name: value for name, value in manifest.gate.items() if name not in {"verdict", "reasons"}})
            ),
            meaning=describe_meaning(publication),
            headline=evaluation_charts.headline(figures),
            trained_on=_trained_on(manifest),
            without_currency=describe_currency(manifest),
            settings=list(flatten(manifest.settings)),
            figures=figures,
            comparison=evaluation_charts.comparison(figures),
            scores=evaluation_charts.score_table(figures),
            by_orders=evaluation_charts.by_orders(figures),
            calibration=evaluation_charts.calibration(figures),
            rhythms=list_charts.rhythm_charts(publication),
            due=list_charts.due_examples(publication),
            coverage=list_charts.coverage_table(publication),
            coverage_chart=list_charts.coverage_chart(publication),
            judged_lists=evaluation_charts.list_table(figures),
            worth=None if restraint is None else show_restraint(restraint),
            no_worth=NO_DATA,
            drift=compare_versions(publication, previous) if previous else None,
            seconds=_seconds_chart(manifest),
        )
    )


@cache
def _environment() -> Environment:
    loader = PackageLoader("training.reports", "templates")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


def _trained_on(manifest: Manifest) -> Table:
    counts = [(name, f"{count:,}") for name, count in sorted(manifest.counts.items())]
    sources = [("source", source) for source in manifest.sources]
    if drawn := manifest.metrics.get("als_drawn"):
        counts.append(("pairs that ALS learned from", "{:,} of {:,}, drawn by lot".format(*drawn)))
    return Table(("", ""), [*sources, ("history known up to", _minute(manifest.as_of)), *counts])


def _seconds_chart(manifest: Manifest) -> Chart | None:
    """Bars in falling order; None where nothing was timed."""
    steps = sorted(manifest.seconds.items(), key=lambda step: (-step[1], step[0]))
    if not steps:
        return None
    heading = f"{sum(manifest.seconds.values()):.1f} seconds in all"
    bars = [Bar(step, seconds, f"{seconds:.1f} s", strong=True) for step, seconds in steps]
    return Chart(heading, bar_chart(f"Where the time went: {heading}", "seconds", bars))


def _minute(moment: str) -> str:
    """`2026-11-20 02:00 UTC`; what is no moment is shown as it is."""
    try:
        return f"{datetime.fromisoformat(moment):%Y-%m-%d %H:%M} UTC"
    except ValueError:
        return moment
