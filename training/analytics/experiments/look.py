"""The look that an experiment report is, for pages to show beside the looks before it."""

import math
from dataclasses import replace
from datetime import UTC, datetime

from recommender.experiments.looks import ExperimentLook, VariantLook
from training.analytics.experiments.effects import Effect
from training.analytics.experiments.experiment_report import ExperimentReport

FIGURE = "orders_per_customer"


def look_of(report: ExperimentReport, experiment: str, at: datetime) -> ExperimentLook:
    """The look of a report at an experiment; `at` is aware."""
    control = report.plan.control or ""
    sizes = report.sample_ratio.observed
    names = [control, *(name for name in sizes if name != control)]
    moment = f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    variants = tuple(_variant(report, name, control) for name in names)
    return ExperimentLook(experiment, moment, control, bool(report.sample_ratio.mismatch), variants)


def _variant(report: ExperimentReport, name: str, control: str) -> VariantLook:
    figure, ratio = report.figures[FIGURE], report.sample_ratio
    value = _known(figure.values[name].value) if name in figure.values else None
    head = VariantLook(name, ratio.observed.get(name, 0), round(ratio.expected.get(name, 0.0), 1), value)
    if name == control or name not in figure.plain:
        return head
    effect, base = figure.best(name).effect, figure.values[control].value
    lift, low, high = (_known(one) for one in (effect.lift, *_shares(effect, base)))
    detectable = _known(effect.detectable_lift)
    return replace(head, lift=lift, low=low, high=high, detectable=detectable)


def _shares(effect: Effect, base: float) -> tuple[float, float]:
    """The always-valid interval as shares of the control's value."""
    return (effect.always_low / base, effect.always_high / base) if base else (math.nan, math.nan)


def _known(number: float) -> float | None:
    return round(float(number), 6) if math.isfinite(number) else None
