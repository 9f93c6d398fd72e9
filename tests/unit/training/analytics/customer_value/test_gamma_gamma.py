from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.optimize import approx_fprime

from tests.support.worlds import ledger_of
from training.analytics.customer_value.bg_nbd import fit_bg_nbd, past_of
from training.analytics.customer_value.gamma_gamma import GammaGamma, _loss, fit_gamma_gamma
from training.analytics.customer_value.order_summary import (
    SUMMARY,
    OrderSummary,
    build_order_days,
    last_day_before,
    summarise,
)

CDNOW = Path(__file__).parents[5] / "../shared/data/cdnow/CDNOW_sample.txt"
PUBLISHED = GammaGamma(p=6.25, q=3.74, v=15.44)


def summary_of(n: np.ndarray, mean: np.ndarray) -> OrderSummary:
    columns = {"customer_id": [f"C{i}" for i in range(len(n))], "repeat_priced": n, "repeat_value": mean}
    missing = [pl.lit(0).alias(name) for name in SUMMARY if name not in columns]
    return OrderSummary(pl.DataFrame(columns).with_columns(missing).select(SUMMARY.names()).cast(SUMMARY), 0)


def read_cdnow() -> pl.DataFrame:
    lines = [line.split() for line in CDNOW.read_text().splitlines()]
    return pl.DataFrame(
        {
            "customer_id": [line[1] for line in lines],
            "ordered_at": [datetime.strptime(line[2], "%Y%m%d").replace(tzinfo=UTC) for line in lines],
            "quantity": 1.0,
            "unit_price": [float(line[4]) for line in lines],
        }
    )


@pytest.mark.skipif(not CDNOW.exists(), reason="../shared/data/cdnow is not there")
def test_cdnow_purchases_as_published():
    summary = summarise(build_order_days(read_cdnow()), last_day_before(datetime(1997, 10, 1, tzinfo=UTC)))
    values, orders = fit_gamma_gamma(summary), fit_bg_nbd(past_of(summary))
    assert values is not None
    assert orders is not None
    assert [round(parameter, 2) for parameter in (values.p, values.q, values.v)] == [6.25, 3.74, 15.44]
    assert values.n_customers == 946
    fitted = [round(parameter, 3) for parameter in (orders.r, orders.alpha, orders.a, orders.b)]
    assert fitted == [0.243, 4.414, 0.793, 2.426]


def test_known_parameters_are_found_again():
    rng = np.random.default_rng(0)
    n = rng.integers(1, 12, 50_000)
    rate = rng.gamma(4.0, 1 / 30, 50_000)
    found = fit_gamma_gamma(summary_of(n, rng.gamma(5.0 * n, 1 / rate) / n))
    assert found is not None
    assert (found.p, found.q, found.v) == pytest.approx((5.0, 4.0, 30.0), rel=0.05)
    assert found.correlation == pytest.approx(0, abs=0.02)


def test_the_mean_moves_from_the_shops_to_the_own():
    none, one, many = PUBLISHED.expected_order_value(np.array([0.0, 1.0, 1000.0]), np.array([np.nan, 100.0, 100.0]))
    assert none == pytest.approx(PUBLISHED.mean_order_value) == pytest.approx(35.2, abs=0.1)
    assert none < one < many
    assert many == pytest.approx(100, rel=0.01)


def test_the_gradient_is_the_slope():
    n, mean = np.array([1.0, 2.0, 7.0]), np.array([0.5, 1.5, 1.1])
    at = np.log([2.0, 3.0, 1.5])
    slope = approx_fprime(at, lambda point: _loss(point, n, mean)[0], 1e-7)
    assert _loss(at, n, mean)[1] == pytest.approx(slope, rel=1e-4, abs=1e-6)


def test_equal_orders_are_worth_what_they_are():
    model = fit_gamma_gamma(summary_of(np.arange(1, 31), np.full(30, 9.9)))
    assert model is not None
    assert np.isnan(model.correlation)
    assert model.to_dict()["correlation"] is None
    assert model.expected_order_value(np.array([3.0]), np.array([9.9]))[0] == pytest.approx(9.9, rel=0.02)


def test_too_little_to_learn_from():
    assert fit_gamma_gamma(summary_of(np.full(9, 2), np.arange(1.0, 10))) is None
    assert fit_gamma_gamma(summary_of(np.full(50, 2), np.zeros(50))) is None
    once = build_order_days(ledger_of([("ANNA", "MILK", 3.5)]))
    assert fit_gamma_gamma(summarise(once, 30_000)) is None
