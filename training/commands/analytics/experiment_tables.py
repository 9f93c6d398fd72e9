"""The tables that `reprise experiment` prints."""

import math

from recommender.cli.console import echo, print_table
from training.analytics.experiments.effects import Effect
from training.analytics.experiments.experiment_report import METHOD, ExperimentReport
from training.analytics.experiments.variant_figures import Tested


def print_report(report: ExperimentReport) -> None:
    """Whether it can be trusted, then what it caused, then what is attributed to it."""
    period = report.plan.period
    echo(f"\n{period.start:%Y-%m-%d %H:%M} to {period.end:%Y-%m-%d %H:%M}, against {report.plan.control}")
    if report.purchases_until and report.purchases_until < period.end:
        echo(f"The last purchase in the files is of {report.purchases_until:%Y-%m-%d %H:%M}.")
    _print_sample(report)
    for method, title in (("cuped", "with CUPED"), ("plain", "without CUPED")):
        _print_effects(report, method, title)
    if report.attribution:
        _print_attribution(report)
    if report.unpriced_lines:
        echo(f"{report.unpriced_lines:,} purchases have no price and count as 0.")
    echo(METHOD)


def _print_sample(report: ExperimentReport) -> None:
    ratio = report.sample_ratio
    rows = [(name, f"{n:,}", f"{ratio.expected[name]:,.1f}") for name, n in ratio.observed.items()]
    print_table(("variant", "customers", "expected"), rows, title=f"sample ratio, p {_number(ratio.p)}")
    if ratio.mismatch:
        echo("WARNING: sample-ratio mismatch: something loses customers of one variant; do not trust the effects.")
    for reason, n in report.left_out.items():
        if n:
            echo(f"{n:,} left out: {reason}")


def _print_effects(report: ExperimentReport, method: str, title: str) -> None:
    rows = []
    for name, figure in report.figures.items():
        tests: dict[str, Tested] = getattr(figure, method)
        for variant, (effect, p_holm) in tests.items():
            values = [_number(figure.values[each].value) for each in (str(report.plan.control), variant)]
            rows.append((name.replace("_", " "), variant, *values, *_cells(effect), _number(p_holm)))
    columns = ("figure", "variant", "control", "measured", "difference", "always valid", "lift", "finds", "p (Holm)")
    if rows:
        print_table(columns, rows, title=f"effect, {title}; finds: the lift found 4 times in 5")


def _cells(effect: Effect) -> tuple[str, str, str, str]:
    return (
        f"{_signed(effect.difference)} [{_signed(effect.low)}, {_signed(effect.high)}]",
        f"[{_signed(effect.always_low)}, {_signed(effect.always_high)}]",
        f"{_percent(effect.lift)} [{_percent(effect.lift_low)}, {_percent(effect.lift_high)}]",
        _percent(effect.detectable_lift).lstrip("+"),
    )


def _print_attribution(report: ExperimentReport) -> None:
    figure, rows = report.figures["revenue_per_customer"], []
    for variant, found in report.attribution.items():
        counts = (found.recommended, found.clicked, found.bought, found.orders)
        caused = "" if variant == report.plan.control else _cells(figure.best(variant).effect)[0]
        rows.append((variant, *(f"{n:,}" for n in counts), f"{found.revenue_per_customer:.4g}", caused))
    columns = ("variant", "recommended", "clicked", "bought", "orders", "attributed revenue", "caused revenue")
    days = f"{report.plan.within_days:g}"
    print_table(columns, rows, title=f"bought within {days} days of a click, beside what was caused; per customer")


def _number(figure: float) -> str:
    return "-" if math.isnan(figure) else f"{figure:.4g}"


def _signed(figure: float) -> str:
    return "-" if math.isnan(figure) else f"{figure:+.4g}"


def _percent(figure: float) -> str:
    return f"{figure:+.1%}" if math.isfinite(figure) else "-"
