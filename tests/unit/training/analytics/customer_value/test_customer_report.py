import json
from datetime import timedelta

import numpy as np
import polars as pl
import pytest

from recommender.cli.progress import Progress
from tests.support.worlds import AS_OF, empty_shop, ledger_of, new_customer, one_off_buyer, weekly_milk_buyer
from training.analytics.customer_value.customer_report import Terms, report_customers

QUIET = Progress(show=False)


@pytest.mark.parametrize("world", [empty_shop, one_off_buyer, weekly_milk_buyer, new_customer])
def test_small_worlds_answer_in_plain_json_and_say_what_is_missing(world):
    report = report_customers(world(), AS_OF, Terms(), QUIET)
    document = json.loads(json.dumps(report.document, allow_nan=False))
    assert set(document["models"]) == {"bg_nbd", "gamma_gamma"}
    assert document["kpis"]["customers"] == len(report.profiles) == world()["customer_id"].n_unique()
    assert document["holdout"] is None
    assert any(note.startswith("holdout:") for note in document["notes"])


def test_one_off_buyers_get_no_model():
    report = report_customers(one_off_buyer(), AS_OF, Terms(), QUIET)
    assert report.document["models"] == {"bg_nbd": None, "gamma_gamma": None}
    assert [note.split(":")[0] for note in report.document["notes"]] == ["bg_nbd", "gamma_gamma", "holdout"]


def test_what_comes_later_changes_nothing():
    ledger = ledger_of([(f"C{n}", "MILK", 0.5 + (5 + n) * i) for n in range(30) for i in range(20)])
    as_of = AS_OF - timedelta(days=60)
    past = ledger.filter(ledger["ordered_at"] < as_of)
    whole, cut = (report_customers(each, as_of, Terms(), QUIET) for each in (ledger, past))
    assert whole.profiles.equals(cut.profiles)
    assert whole.document == cut.document


def test_a_forecast_that_is_far_off_says_so():
    # every second customer stops 90 days before the end, all at once: no model sees that coming
    ledger = ledger_of([(f"C{n}", "MILK", 0.5 + 90 * (n % 2) + (5 + n % 7) * i) for n in range(60) for i in range(20)])
    notes = report_customers(ledger, AS_OF, Terms(), QUIET).document["notes"]
    assert any("orders were predicted and" in note for note in notes)


def test_same_purchases_same_bytes():
    rng = np.random.default_rng(0)
    customers, days = rng.integers(0, 900, 20_000), rng.integers(0, 400, 20_000) + 0.5
    ledger = ledger_of((f"C{customer}", "MILK", day) for customer, day in zip(customers, days, strict=True))
    ledger = ledger.with_columns(unit_price=pl.Series(rng.random(20_000)))
    reports = [report_customers(ledger, AS_OF, Terms(), QUIET) for _ in range(5)]
    assert len({report.profiles.write_csv() for report in reports}) == 1
    assert len({json.dumps(report.document) for report in reports}) == 1
