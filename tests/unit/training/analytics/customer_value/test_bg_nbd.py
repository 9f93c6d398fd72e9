from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.integrate import quad
from scipy.optimize import approx_fprime
from scipy.stats import beta

from training.analytics.customer_value.bg_nbd import BgNbd, Past, _loss, fit_bg_nbd, log_likelihood

CDNOW = Path(__file__).parents[5] / "../shared/data/cdnow/cdnow_customers_summary.csv"
PUBLISHED = BgNbd(r=0.243, alpha=4.414, a=0.793, b=2.426)


def one(frequency: float, recency: float, age: float) -> Past:
    return Past(np.array([frequency]), np.array([recency]), np.array([age]))


def simulate(model: BgNbd, n: int, weeks: float, later: float = 0.0, seed: int = 0) -> tuple[Past, np.ndarray]:
    """Customers who live by the model, seen for `weeks`, and their orders in the `later` weeks after that."""
    rng = np.random.default_rng(seed)
    rate, p = rng.gamma(model.r, 1 / model.alpha, n), rng.beta(model.a, model.b, n)
    frequency, recency, after, now = np.zeros((4, n))
    alive = np.ones(n, bool)
    while alive.any():
        now += rng.exponential(1 / rate)
        alive &= now < weeks + later
        seen = alive & (now < weeks)
        frequency += seen
        recency = np.where(seen, now, recency)
        after += alive & ~seen
        alive &= rng.random(n) >= p
    return Past(frequency, recency, np.full(n, weeks)), after


@pytest.mark.skipif(not CDNOW.exists(), reason="../shared/data/cdnow is not there")
def test_cdnow_as_published():
    table = pl.read_csv(CDNOW).cast({"frequency": pl.Float64})
    model = fit_bg_nbd(Past(*(table[name].to_numpy() for name in ("frequency", "recency", "T"))))
    assert model is not None
    fitted = [round(parameter, 3) for parameter in (model.r, model.alpha, model.a, model.b)]
    assert fitted == [0.243, 4.414, 0.793, 2.426]
    assert round(model.log_likelihood, 2) == -9582.43
    assert model.expected_orders(one(2, 30.43, 38.86), 39)[0] == pytest.approx(1.226, abs=5e-4)
    assert not model.at_bound


def test_known_parameters_are_found_again():
    true = BgNbd(r=0.6, alpha=8.0, a=0.8, b=3.0)
    past, _ = simulate(true, 100_000, weeks=80)
    found = fit_bg_nbd(past)
    assert found is not None
    assert found.n_customers == 100_000
    for name in ("r", "alpha", "a", "b"):
        assert getattr(found, name) == pytest.approx(getattr(true, name), rel=0.05), name
    assert found.log_likelihood >= log_likelihood(true, past).sum()


def test_predictions_are_what_comes():
    model = BgNbd(r=0.6, alpha=8.0, a=0.8, b=3.0)
    past, later = simulate(model, 200_000, weeks=50, later=13, seed=1)
    for least in (0, 1, 4):
        group = past.frequency >= least
        expected, any_order = (f(past, 13)[group] for f in (model.expected_orders, model.probability_of_order))
        assert expected.mean() == pytest.approx(later[group].mean(), rel=0.03)
        assert any_order.mean() == pytest.approx((later[group] > 0).mean(), rel=0.03)


@pytest.mark.parametrize("a", [0.3, 0.999999, 1.0, 1.7, 20.0])
@pytest.mark.parametrize("frequency", [0, 2, 40, 3000])
def test_expected_orders_agree_with_the_integral_they_come_from(a, frequency):
    model = BgNbd(r=0.5, alpha=6.0, a=a, b=2.5)
    past = one(frequency, 40.0 if frequency else 0.0, 45.0)

    def given_p(p):  # orders of a living customer with drop-out probability p, averaged over its rate
        return -np.expm1(-(0.5 + frequency) * np.log1p(p * 20 / 51)) / p

    def over_quantiles(u):
        return given_p(beta.ppf(u, a, 2.5 + frequency))

    integral = quad(over_quantiles, 0, 1, epsrel=1e-9, limit=500)[0]
    expected = model.expected_orders(past, 20)[0]
    assert expected == pytest.approx(integral * model.probability_alive(past)[0], rel=1e-5)


def test_a_hole_of_the_formula_is_closed():
    model = BgNbd(r=0.5, alpha=6.0, a=0.4, b=0.6)  # a + b = 1
    beside = BgNbd(r=0.5, alpha=6.0, a=0.4, b=0.6001)
    assert model.expected_orders(one(0, 0, 30), 10)[0] == pytest.approx(
        beside.expected_orders(one(0, 0, 30), 10)[0], rel=1e-3
    )


def test_silence_is_read_against_the_own_rhythm():
    often, seldom = one(20, 20, 40), one(2, 20, 40)
    assert PUBLISHED.probability_alive(often)[0] < 0.1 < PUBLISHED.probability_alive(seldom)[0]


def test_one_order_is_alive_for_certain_but_hardly_comes_back():
    past = one(0, 0, 200)
    assert PUBLISHED.probability_alive(past)[0] == 1
    assert PUBLISHED.probability_of_order(past, 52)[0] < 0.06


def test_long_histories_stay_finite():
    past = Past(np.array([5000.0, 5000.0]), np.array([1.0, 500.0]), np.array([500.0, 500.0]))
    assert PUBLISHED.probability_alive(past).tolist() == pytest.approx([0, 1], abs=1e-3)
    assert np.isfinite(log_likelihood(PUBLISHED, past)).all()
    assert np.isfinite(PUBLISHED.expected_orders(past, 520)).all()


def test_no_time_no_orders():
    past = one(3, 10, 20)
    assert PUBLISHED.expected_orders(past, 0)[0] == pytest.approx(0, abs=1e-12)
    assert PUBLISHED.probability_of_order(past, 0)[0] == 0


def test_the_gradient_is_the_slope():
    past, _ = simulate(BgNbd(r=0.6, alpha=8.0, a=0.8, b=3.0), 500, weeks=80)
    n, at = np.arange(1.0, 501), np.log([0.4, 5.0, 1.2, 2.0])
    slope = approx_fprime(at, lambda point: _loss(point, past, n)[0], 1e-7)
    assert _loss(at, past, n)[1] == pytest.approx(slope, rel=1e-4, abs=1e-6)


def test_too_few_who_came_back():
    frequency = np.array([1.0] * 9 + [0.0] * 100)
    assert fit_bg_nbd(Past(frequency, frequency * 5, np.full(109, 30.0))) is None
    assert fit_bg_nbd(Past(np.zeros(0), np.zeros(0), np.zeros(0))) is None


def test_customers_who_are_all_alike_end_at_a_bound():
    model = fit_bg_nbd(Past(np.full(50, 10.0), np.full(50, 50.0), np.full(50, 50.0)))
    assert model is not None
    assert model.at_bound
    assert model.expected_orders(one(10, 50, 50), 10)[0] == pytest.approx(2, rel=0.1)
