"""Figures of all variants, with their effects against the control."""

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recommender.errors import TooLittleDataError
from training.analytics.experiments.effects import Effect, compare, holm
from training.analytics.experiments.estimates import Estimate, adjust_by_past, estimate_mean, estimate_ratio
from training.analytics.experiments.outcomes import MEASURES

Floats = NDArray[np.float64]

FIGURES = {
    "repeat_purchase_rate": "repeated",
    "orders_per_customer": "orders",
    "revenue_per_customer": "revenue",
}
"""Means over all customers of a variant → the column they are the mean of."""
REVENUE_PER_ORDER = "revenue_per_order"


class Tested(NamedTuple):
    """An effect, and its p-value corrected over the variants of the same figure and method (Holm)."""

    effect: Effect
    p_holm: float


@dataclass(frozen=True)
class Figure:
    """A figure of all variants, with effects.

    Attributes:
        values: variant → as measured.
        plain: variant → its effect against the control, from the values.
        cuped: the same after taking away what the time before foretold; empty for a ratio, and where nothing was
            bought before.
    """

    values: Mapping[str, Estimate]
    plain: Mapping[str, Tested]
    cuped: Mapping[str, Tested]

    def best(self, variant: str) -> Tested:
        """The effect of a variant with the least variance: CUPED's where there is one."""
        return self.cuped.get(variant) or self.plain[variant]


def build_figures(measured: pl.DataFrame, control: str, hoped_lift: float) -> dict[str, Figure]:
    """All figures of the variants, each compared with the control.

    Args:
        measured: as `measure_customers` returns it.
        control: the variant to compare with.
        hoped_lift: see `compare`.

    Raises:
        TooLittleDataError: the control or all others have no customer.
    """
    names = sorted(measured["variant"].unique())
    if control not in names or len(names) < 2:
        there = ", ".join(names) or "none"
        raise TooLittleDataError(
            f"a control {control!r} and another variant need customers; variants with some: {there}"
        )
    index = {name: place for place, name in enumerate([control, *(name for name in names if name != control)])}
    variant = measured["variant"].replace_strict(index, return_dtype=pl.Int64).to_numpy()
    column = {name: measured[name].to_numpy() for measure in MEASURES for name in (measure, f"{measure}_before")}

    def estimate(figure: Callable[..., Estimate], *columns: Floats) -> dict[str, Estimate]:
        return {name: figure(*(values[variant == place] for values in columns)) for name, place in index.items()}

    figures = {}
    for figure, measure in FIGURES.items():
        values = estimate(estimate_mean, column[measure])
        adjusted = adjust_by_past(column[measure], column[f"{measure}_before"], variant)
        cuped = {} if adjusted is None else _test(estimate(estimate_mean, adjusted), hoped_lift)
        figures[figure] = Figure(values, _test(values, hoped_lift), cuped)
    ratios = estimate(estimate_ratio, column["revenue"], column["orders"])
    return {**figures, REVENUE_PER_ORDER: Figure(ratios, _test(ratios, hoped_lift), {})}


def _test(estimates: Mapping[str, Estimate], hoped_lift: float) -> dict[str, Tested]:
    """Each against the first."""
    control, *others = estimates
    effects = [
        compare(estimates[name], estimates[control], hoped_lift=hoped_lift, n_variants=len(others)) for name in others
    ]
    corrected = holm([effect.p for effect in effects])
    return dict(zip(others, map(Tested, effects, corrected), strict=True))


def figures_to_dict(figures: Mapping[str, Figure]) -> dict[str, Any]:
    """Figures as plain JSON: figure → values, plain, cuped → variant."""
    return {
        name: {
            "values": {variant: plain_json(estimate._asdict()) for variant, estimate in figure.values.items()},
            "plain": {variant: _tested_to_dict(tested) for variant, tested in figure.plain.items()},
            "cuped": {variant: _tested_to_dict(tested) for variant, tested in figure.cuped.items()},
        }
        for name, figure in figures.items()
    }


def _tested_to_dict(tested: Tested) -> dict[str, Any]:
    return plain_json({**asdict(tested.effect), "p_holm": tested.p_holm})


def plain_json(fields: Mapping[str, Any]) -> dict[str, Any]:
    """A copy in which what is not a finite number is None, as JSON has no NaN."""
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value for name, value in fields.items()
    }
