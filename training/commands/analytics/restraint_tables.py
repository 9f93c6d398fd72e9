"""The tables that `reprise restraint` prints."""

import math
from collections.abc import Sequence

from recommender.cli.console import echo, print_table
from training.analytics.restraint.cap_trial import CapTrial
from training.analytics.restraint.restraint import METHOD, NO_DATA, Restraint


def print_restraint(found: Sequence[Restraint], within_days: float) -> None:
    """For each placement the trials, the curve, and what follows; that there is nothing where nothing was shown."""
    if not found:
        echo(NO_DATA)
        return
    for restraint in found:
        for trial in restraint.trials:
            _print_trial(restraint.placement, trial, within_days)
        _print_positions(restraint, within_days)
        _print_lengths(restraint, within_days)
        echo(f"{restraint.placement}: {restraint.advice}")
    echo(METHOD)


def _print_trial(placement: str, trial: CapTrial, within_days: float) -> None:
    rows = [
        (
            arm.variant,
            arm.length,
            f"{arm.customers:,}",
            f"{_number(arm.purchases)} {_between(arm.purchases_low, arm.purchases_high)}",
            _percent(arm.came_back),
            "" if step is None else f"{step.first}-{step.last}",
            "" if step is None else f"{_number(step.value)} {_between(step.low, step.high)}",
        )
        for arm, step in zip(trial.arms, [None, *trial.steps], strict=True)
    ]
    columns = ("variant", "products", "customers", "purchases each", "came back", "positions", "each adds")
    print_table(columns, rows, title=f"{placement}: caused within {within_days:g} days, by {trial.experiment!r}")


def _print_positions(restraint: Restraint, within_days: float) -> None:
    rows = [
        (
            value.position,
            f"{value.pairs:,}",
            f"{value.customers:,}",
            _percent(value.bought),
            _percent(value.anyway),
            f"{_percent(value.more)} [{_percent(value.low)}, {_percent(value.high)}]",
        )
        for value in restraint.positions
    ]
    title = f"{restraint.placement}: bought within {within_days:g} days, by position; not causal, an upper bound"
    print_table(("position", "shown", "customers", "bought", "by others", "more"), rows, title=title)


def _print_lengths(restraint: Restraint, within_days: float) -> None:
    rows = [
        (value.length, f"{value.customers:,}", _number(value.purchases), _percent(value.came_back))
        for value in restraint.lengths
    ]
    title = f"{restraint.placement}: by products in the first answer, within {within_days:g} days; not causal"
    print_table(("products", "customers", "purchases each", "came back"), rows, title=title)


def _between(low: float, high: float) -> str:
    return f"[{_number(low)}, {_number(high)}]"


def _number(figure: float) -> str:
    return f"{figure:.4g}" if math.isfinite(figure) else "-"


def _percent(share: float) -> str:
    return f"{share:.2%}" if math.isfinite(share) else "-"
