"""The whole report on a small shop."""

import json
from datetime import timedelta

import polars as pl
import pytest

from recommender.errors import UsageError
from recommender.experiments.looks import ExperimentLook
from tests.benchmarks import experiment_simulations as simulations
from tests.support.worlds import AS_OF, ledger_of
from training.analytics.experiments.assignments import CUSTOMERS, Assignments
from training.analytics.experiments.experiment_report import AnalysisPlan, analyse
from training.analytics.experiments.look import look_of
from training.analytics.experiments.outcomes import Period
from training.cells.times import UTC_MOMENT

PERIOD = Period(AS_OF - timedelta(days=10), AS_OF, before_days=20)


def assigned(**variants):
    """Variant → how many customers, called by the variant and a number."""
    rows = [(f"{variant}{i}", variant, PERIOD.start) for variant, n in variants.items() for i in range(n)]
    return Assignments(pl.DataFrame(rows, CUSTOMERS, orient="row"), {"in several variants": 2})


LEDGER = ledger_of(
    [
        *((f"{variant}{i}", "MILK", 15) for variant in ("control", "six") for i in range(0, 10, 2)),
        *((f"control{i}", "MILK", 5) for i in range(4)),
        *((f"six{i}", "MILK", day) for i in range(6) for day in (5, 4)),
    ]
)
EVENT = {
    "customer_id": ["six0", "six0"],
    "product_id": ["MILK", "MILK"],
    "recommendation_id": ["r", "r"],
    "event_type": ["impression", "click"],
    "occurred_at": [AS_OF - timedelta(days=6)] * 2,
}


def test_effects_sample_and_attribution_stand_in_one_document():
    events = pl.DataFrame(EVENT, schema_overrides={"occurred_at": UTC_MOMENT})
    document = analyse(LEDGER, assigned(control=10, six=10), AnalysisPlan(PERIOD), events).to_dict()
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert document["control"] == "control"
    assert document["sample_ratio"]["observed"] == {"control": 10, "six": 10}
    assert document["left_out"] == {"in several variants": 2}
    assert document["figures"]["orders_per_customer"]["plain"]["six"]["difference"] == pytest.approx(1.2 - 0.4)
    six = document["attribution"]["variants"]["six"]
    assert six["revenue_per_customer"] == pytest.approx(0.4)  # two purchases of 2 among ten customers
    caused = document["figures"]["revenue_per_customer"]["cuped"]["six"]["difference"]
    assert six["caused_revenue_per_customer"]["difference"] == caused
    assert document["attribution"]["variants"]["control"]["caused_revenue_per_customer"] is None


def test_the_hold_out_is_the_control_where_there_is_one():
    shares = {"holdout": 0.5, "control": 0.25, "six": 0.25}
    report = analyse(LEDGER, assigned(holdout=10, control=5, six=5), AnalysisPlan(PERIOD, shares=shares))
    assert report.plan.control == "holdout"
    assert report.sample_ratio.p == 1
    assert analyse(LEDGER, assigned(control=5, holdout=5), AnalysisPlan(PERIOD, "control")).plan.control == "control"


def test_a_control_that_does_not_go_without_saying_must_be_named():
    with pytest.raises(UsageError, match="--control: nine, six"):
        analyse(LEDGER, assigned(six=5, nine=5), AnalysisPlan(PERIOD))


def test_purchases_without_a_price_are_counted():
    unpriced = LEDGER.with_columns(unit_price=pl.lit(None, pl.Float64))
    report = analyse(unpriced, assigned(control=10, six=10), AnalysisPlan(PERIOD))
    assert report.unpriced_lines == 16
    assert report.to_dict()["figures"]["revenue_per_customer"]["plain"]["six"]["p"] is None


class TestSimulations:
    """Simulations of tests/benchmarks in small, with fixed seeds: rates stay in the range that so few runs allow."""

    def test_no_change_is_seldom_taken_for_one(self):
        ranges = simulations.simulate_no_change(30, 800)
        assert len(ranges) == 16
        assert [each for each in ranges if not each.holds] == []

    def test_a_look_after_every_customer_is_allowed(self):
        (found,) = simulations.simulate_every_customer(200, 4_000)
        assert found.holds

    def test_a_look_every_day_is_allowed_and_was_not_before(self):
        *ranges, naive = simulations.simulate_every_day(15, 500)
        assert len(ranges) == 6
        assert [each for each in ranges if not each.holds] == []
        assert naive.rate > 2 * simulations.LEVEL

    def test_a_planted_lift_is_found_as_often_as_was_said(self):
        customers = simulations.plan("orders", cuped=True)
        found, _ = simulations.simulate_lift_of("orders_per_customer", "CUPED", 60, customers)
        assert found.holds


def test_a_look_is_what_pages_show_of_it():
    report = analyse(LEDGER, assigned(control=10, six=10), AnalysisPlan(PERIOD))
    look = look_of(report, "cap-6", AS_OF)
    assert ExperimentLook.from_dict(json.loads(json.dumps(look.to_dict(), allow_nan=False))) == look
    assert (look.experiment, look.control, look.mismatch) == ("cap-6", "control", False)
    control, six = look.variants
    assert (control.variant, control.customers, control.value, control.verdict) == ("control", 10, 0.4, "control")
    effect = report.figures["orders_per_customer"].best("six").effect
    assert six.lift == pytest.approx(effect.lift, abs=1e-6)
    assert (six.low, six.high) == pytest.approx((effect.always_low / 0.4, effect.always_high / 0.4), abs=1e-6)
    assert six.verdict == "undecided"
