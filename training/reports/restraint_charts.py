"""Charts of position values for the version report."""

from collections.abc import Sequence
from dataclasses import dataclass

from training.analytics.restraint.restraint import Restraint
from training.reports.charts import Axis, Bar, Chart, Series, axis, bar_chart, number, plot


@dataclass(frozen=True)
class PlacementCharts:
    """The advice and the charts of one placement."""

    placement: str
    advice: str
    charts: list[Chart]


def show_restraint(found: Sequence[Restraint]) -> list[PlacementCharts]:
    """The charts of each placement: its trials and its curve."""
    return [PlacementCharts(one.placement, one.advice, [*_trials(one), *_curve(one)]) for one in found]


def _trials(restraint: Restraint) -> list[Chart]:
    charts = []
    for trial in restraint.trials:
        heading = f"{restraint.placement}: caused by the number of products ({trial.experiment})"
        bars = [
            Bar(
                f"{arm.length} products",
                arm.purchases,
                number(arm.purchases),
                (max(0.0, arm.purchases_low), arm.purchases_high) if arm.customers > 1 else None,
                strong=arm.length == restraint.cap,
            )
            for arm in trial.arms
        ]
        charts.append(Chart(heading, bar_chart(heading, "purchases per customer", bars)))
    return charts


def _curve(restraint: Restraint) -> list[Chart]:
    values = restraint.positions
    if not values:
        return []
    last = max(value.position for value in values)
    bought = Series("saw it there", [(value.position, 100 * value.bought) for value in values], dots=True)
    anyway = Series("never saw it", [(value.position, 100 * value.anyway) for value in values], "series-2", dots=True)
    x = Axis("position", last + 0.5, [(position, str(position)) for position in range(1, last + 1)])
    y = axis("% that bought the product", max(up for line in (bought, anyway) for _, up in line.points))
    heading = f"{restraint.placement}: bought by position; not causal, an upper bound"
    svg = plot(heading, x, y, [bought, anyway])
    return [Chart(heading, svg, tuple((line.name, line.look) for line in (bought, anyway)))]
