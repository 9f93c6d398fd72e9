"""Every figure of every variant, in a world solvable by eye."""

import math

import polars as pl
import pytest

from recommender.errors import TooLittleDataError
from training.analytics.experiments.variant_figures import build_figures, figures_to_dict

BEFORE = {"repeated_before": 0.0, "orders_before": 0.0, "revenue_before": 0.0}


def measured(rows, before=None):
    """(variant, orders, revenue) of each customer."""
    frame = pl.DataFrame(rows, ["variant", "orders", "revenue"], orient="row")
    frame = frame.with_columns((pl.col("orders") > 0).cast(pl.Float64).alias("repeated"))
    return frame.with_columns(pl.lit(value).alias(name) for name, value in (before or BEFORE).items())


SMALL = [
    ("control", 0.0, 0.0),
    ("control", 2.0, 20.0),
    ("six", 1.0, 30.0),
    ("six", 2.0, 30.0),
    ("nine", 0.0, 0.0),
    ("nine", 0.0, 0.0),
]


def test_values_of_each_variant():
    figures = build_figures(measured(SMALL), "control", 0.05)
    values = {name: {v: e.value for v, e in figure.values.items()} for name, figure in figures.items()}
    assert values["repeat_purchase_rate"] == {"control": 0.5, "six": 1.0, "nine": 0.0}
    assert values["orders_per_customer"] == {"control": 1.0, "six": 1.5, "nine": 0.0}
    assert values["revenue_per_customer"] == {"control": 10.0, "six": 30.0, "nine": 0.0}
    assert values["revenue_per_order"]["control"] == 10.0
    assert values["revenue_per_order"]["six"] == 20.0
    assert math.isnan(values["revenue_per_order"]["nine"])


def test_each_variant_is_tested_against_the_control():
    figures = build_figures(measured(SMALL), "control", 0.05)
    tests = figures["revenue_per_customer"].plain
    assert {name: test.effect.difference for name, test in tests.items()} == {"six": 20.0, "nine": -10.0}
    assert tests["six"].effect.lift == pytest.approx(2.0)
    assert tests["six"].p_holm == pytest.approx(2 * tests["six"].effect.p)


def test_cuped_is_left_out_where_nothing_was_bought_before():
    figures = build_figures(measured(SMALL), "control", 0.05)
    assert all(not figure.cuped for figure in figures.values())
    assert figures["orders_per_customer"].best("six") is figures["orders_per_customer"].plain["six"]


def test_cuped_is_the_best_there_is():
    frame = measured(SMALL).with_columns(orders_before=pl.Series([0.0, 3.0, 1.0, 2.0, 0.0, 1.0]))
    figures = build_figures(frame, "control", 0.05)
    orders = figures["orders_per_customer"]
    assert orders.best("six") is orders.cuped["six"]
    assert orders.cuped["six"].effect.p < orders.plain["six"].effect.p
    assert not figures["revenue_per_order"].cuped


@pytest.mark.parametrize("rows", [SMALL[2:], SMALL[:2], []])
def test_a_comparison_needs_two(rows):
    frame = measured(rows) if rows else measured(SMALL).clear()
    with pytest.raises(TooLittleDataError, match="a control 'control' and another variant need customers"):
        build_figures(frame, "control", 0.05)


def test_json_has_null_for_what_cannot_be_told():
    document = figures_to_dict(build_figures(measured(SMALL), "control", 0.05))
    assert document["revenue_per_order"]["plain"]["nine"]["p_holm"] is None
    assert document["revenue_per_order"]["values"]["nine"] == {"value": None, "standard_error": None}
    assert document["orders_per_customer"]["plain"]["six"]["difference"] == 0.5
