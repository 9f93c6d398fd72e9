from datetime import date

import numpy as np
import polars as pl
import pytest

from tests.support.worlds import AS_OF, empty_shop, ledger_of, weekly_milk_buyer
from training.analytics.customer_value.bg_nbd import BgNbd, past_of
from training.analytics.customer_value.customer_profiles import PROFILES, build_profiles, discounted_orders
from training.analytics.customer_value.fitted_models import ValueModels, fit_models
from training.analytics.customer_value.gamma_gamma import GammaGamma
from training.analytics.customer_value.order_summary import OrderSummary, build_order_days, last_day_before, summarise

MODELS = ValueModels(BgNbd(0.243, 4.414, 0.793, 2.426), GammaGamma(6.25, 3.74, 15.44))
PREDICTED = ("probability_alive", "expected_orders_30d", "churn_probability", "predicted_number_of_orders")


def summary_of(ledger: pl.DataFrame) -> OrderSummary:
    return summarise(build_order_days(ledger), last_day_before(AS_OF))


def profiles_of(ledger: pl.DataFrame, models: ValueModels = MODELS, **terms: float) -> pl.DataFrame:
    return build_profiles(summary_of(ledger), models, **{"horizon_days": 365, "discount_rate": 0.1, **terms})


def test_what_is_known_of_a_weekly_buyer():
    profiles = profiles_of(weekly_milk_buyer())
    assert profiles.schema == PROFILES
    anna, ben = profiles.to_dicts()
    assert (anna["frequency"], anna["recency_days"], anna["monetary"]) == (20, 5, 40.0)
    assert (anna["historic_number_of_orders"], anna["historic_clv"]) == (20, 40.0)
    assert (anna["average_order_value"], anna["average_days_between_orders"]) == (2.0, 7.0)
    assert (anna["last_order_on"], anna["expected_date_of_next_order"]) == (date(2026, 11, 14), date(2026, 11, 21))
    assert (anna["lifecycle"], ben["lifecycle"]) == ("loyal", "lapsed")
    assert (anna["rfm_score"], ben["rfm_score"]) == ("333", "111")
    assert ben["average_days_between_orders"] is None


def test_what_is_predicted():
    for row in profiles_of(weekly_milk_buyer()).to_dicts():
        assert row["total_clv"] == pytest.approx(row["historic_clv"] + row["predicted_clv"])
        assert row["predicted_number_of_orders"] == pytest.approx(row["expected_orders_365d"])
        assert row["expected_orders_30d"] < row["expected_orders_90d"] < row["expected_orders_365d"]
        assert 0 < row["churn_probability"] < 1
    assert profiles_of(weekly_milk_buyer(), horizon_days=90)["predicted_number_of_orders"].to_list() == pytest.approx(
        profiles_of(weekly_milk_buyer())["expected_orders_90d"].to_list()
    )


def test_money_later_is_worth_less():
    past = past_of(summary_of(weekly_milk_buyer()))
    free, dear = (discounted_orders(MODELS.orders, past, horizon_days=365, discount_rate=rate) for rate in (0, 0.5))
    assert free == pytest.approx(MODELS.orders.expected_orders(past, 365 / 7))
    assert (dear < free).all()
    assert (dear > free / 1.5).all()


def test_a_short_horizon_is_discounted_from_its_middle():
    past = past_of(summary_of(weekly_milk_buyer()))
    found = discounted_orders(MODELS.orders, past, horizon_days=10, discount_rate=1.0)
    assert found == pytest.approx(MODELS.orders.expected_orders(past, 10 / 7) * 0.5 ** (5 / 365))


def test_without_models_the_predictions_are_null():
    profiles = profiles_of(weekly_milk_buyer(), ValueModels(None, None))
    assert profiles.schema == PROFILES
    assert profiles.select(*PREDICTED, "predicted_clv", "total_clv").null_count().row(0) == (2,) * 6
    assert profiles["expected_date_of_next_order"].null_count() == 0


def test_without_prices_there_is_no_value():
    regulars = ledger_of([(f"C{n}", "MILK", 0.5 + 7 * week) for n in range(12) for week in range(n + 2)])
    unpriced = regulars.with_columns(unit_price=pl.lit(None, pl.Float64))
    profiles = profiles_of(unpriced, fit_models(summary_of(unpriced)))
    assert profiles["probability_alive"].null_count() == 0
    assert (
        profiles.select("monetary", "historic_clv", "average_order_value", "predicted_clv").null_count().row(0)
        == (12,) * 4
    )


def test_an_empty_shop_has_the_same_columns():
    assert profiles_of(empty_shop()).schema == PROFILES


def test_nothing_is_nan():
    numbers = profiles_of(weekly_milk_buyer()).select(pl.col(pl.Float64).fill_null(0))
    assert np.isfinite(numbers.to_numpy()).all()
