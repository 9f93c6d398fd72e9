"""BG/NBD: the probability that a customer orders again, and the expected number of orders.

While a customer is alive, orders come at random moments, λ a week; after each order the customer is gone for good with
probability p. Over the customers λ ~ Gamma(r, rate alpha) and p ~ Beta(a, b), independently. Source: Fader, Hardie, Lee
(2005), "Counting Your Customers" the Easy Way: An Alternative to the Pareto/NBD Model, Marketing Science 24(2).

Nobody is gone before a first repeat order in this model, so P(alive) is 1 for those who ordered once, however long
ago. Their low rate says what P(alive) does not: look at `probability_of_order` for churn.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from scipy.optimize import Bounds, minimize
from scipy.special import digamma, expit, gammaln, hyp2f1

from training.analytics.customer_value.order_summary import Floats, OrderSummary

FEWEST_REPEATERS = 10
"""Four parameters from fewer customers who came back are chance."""
DAYS_A_WEEK = 7.0
_BOUNDS = ((1e-3, 100.0), (1e-3, 1e6), (1e-3, 100.0), (1e-3, 1e4))
"""Of r, alpha, a, b. Beyond them customers are alike; within them the hypergeometric function keeps its digits."""
_STARTS = ((0.5, 1.0, 2.0), (2.0, 0.3, 3.0))
"""r, a, b; alpha starts where the mean rate is one order in a mean age."""
_NUDGE = 1e-7


class Past(NamedTuple):
    """Frequency, recency and age of customers: three arrays of one shape, in weeks (or any other unit of time).

    Attributes:
        frequency: repeat orders, x; at least 0.
        recency: from the first order to the last, t_x; 0 where frequency is 0.
        age: from the first order to the last moment known, T; at least `recency`.
    """

    frequency: Floats
    recency: Floats
    age: Floats


def past_of(summary: OrderSummary) -> Past:
    """Frequency, recency and age of a summary, (n_customers,) float64 each, the latter two in weeks."""
    age, silent = summary.age_days, summary.silent_days
    return Past(summary.column("orders") - 1, (age - silent) / DAYS_A_WEEK, age / DAYS_A_WEEK)


@dataclass(frozen=True)
class BgNbd:
    """A fitted BG/NBD model. Equation numbers are the paper's; `weeks` is in the unit of the Past it was fitted on.

    Attributes:
        r, alpha, a, b: above 0; alpha in weeks.
        log_likelihood: at these parameters, over all customers.
        n_customers: it was fitted on.
    """

    r: float
    alpha: float
    a: float
    b: float
    log_likelihood: float = float("nan")
    n_customers: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Parameters and fit as plain JSON."""
        return {**vars(self), "unit": "weeks", "at_bound": self.at_bound}

    @property
    def at_bound(self) -> bool:
        """Whether a parameter ran to the end of its range: customers are alike, or there are too few."""
        fitted = zip((self.r, self.alpha, self.a, self.b), _BOUNDS, strict=True)
        return not all(low * 1.01 < parameter < high * 0.99 for parameter, (low, high) in fitted)

    def probability_alive(self, past: Past) -> Floats:
        """P(not gone at the end of `age`), in (0, 1]; 1 for frequency 0. From the two terms of equation (6)."""
        alive: Floats = expit(-_log_odds_gone(self, past))
        return alive

    def probability_of_order(self, past: Past, weeks: float) -> Floats:
        """P(at least one order within `weeks` after `age`).

        A living customer's next order waits for an exponential time of rate λ ~ Gamma(r + x, alpha + T), so that none
        comes with probability ((alpha + T) / (alpha + T + weeks))^(r + x).
        """
        silent = -(self.r + past.frequency) * np.log1p(weeks / (self.alpha + past.age))
        return self.probability_alive(past) * -np.expm1(silent)

    def expected_orders(self, past: Past, weeks: float) -> Floats:
        """E[number of orders within `weeks` after `age`]: equation (10).

        Euler's transformation F(r+x, b+x; c; z) = (1-z)^(a-1-r-x) F(a+b-1-r, a-1; c; z) takes x out of the
        numerator's parameters: no overflow, and 12 digits for any x within the bounds of the fit.
        """
        a = 1 + _away_from_zero(np.array(self.a - 1))
        z = weeks / (self.alpha + past.age + weeks)
        c = _away_from_zero(a + self.b + past.frequency - 1)
        silent = np.exp((a - 1) * np.log1p(-z)) * hyp2f1(a + self.b - 1 - self.r, a - 1, c, z)
        expected: Floats = self.probability_alive(past) * c / (a - 1) * (1 - silent)
        return expected


def fit_bg_nbd(past: Past) -> BgNbd | None:
    """The BG/NBD model of maximum likelihood (equation 6) over all customers, those who ordered once included.

    Args:
        past: (n_customers,) arrays.

    Returns:
        None with fewer than 10 customers who came back.
    """
    if (past.frequency > 0).sum() < FEWEST_REPEATERS:
        return None
    rows = pl.DataFrame(past._asdict()).group_by(Past._fields).len("n").sort(Past._fields)
    unique = Past(*(rows[name].to_numpy() for name in Past._fields))
    n = rows["n"].to_numpy()
    bounds = Bounds(*np.log(_BOUNDS).T)
    starts = [np.log([r, r * past.age.mean(), a, b]) for r, a, b in _STARTS]
    fits = [minimize(_loss, start, (unique, n), "L-BFGS-B", True, bounds=bounds, tol=1e-12) for start in starts]
    best = min(fits, key=lambda fit: float(fit.fun))
    r, alpha, a, b = np.exp(best.x).tolist()
    return BgNbd(r, alpha, a, b, -float(best.fun) * len(past.age), len(past.age))


def log_likelihood(model: BgNbd, past: Past) -> Floats:
    """Log-likelihood of each customer, equation (6), in the shape of `past`; the larger of two terms is taken out."""
    r, alpha, a, b, x = model.r, model.alpha, model.a, model.b, past.frequency
    orders = gammaln(r + x) - gammaln(r) + r * np.log(alpha) - (r + x) * np.log(alpha + past.age)
    stays = gammaln(a + b) + gammaln(b + x) - gammaln(b) - gammaln(a + b + x)
    likelihood: Floats = orders + stays + np.logaddexp(0, _log_odds_gone(model, past))
    return likelihood


def _log_odds_gone(model: BgNbd, past: Past) -> Floats:
    """Ln of P(gone) / P(alive); -inf for frequency 0."""
    x, some = past.frequency, past.frequency > 0
    longer = np.log((model.alpha + past.age) / (model.alpha + past.recency))
    odds = np.log(model.a / (model.b + np.where(some, x, 1) - 1)) + (model.r + x) * longer
    return np.where(some, odds, -np.inf)


def _loss(log_parameters: Floats, past: Past, n: Floats) -> tuple[float, Floats]:
    """Minus the mean ln L, and its gradient by the logarithms of r, alpha, a, b; row i stands for n[i] customers."""
    r, alpha, a, b = np.exp(log_parameters)
    model, x = BgNbd(r, alpha, a, b), past.frequency
    gone = expit(_log_odds_gone(model, past))
    later, last = alpha + past.age, alpha + past.recency
    stays = digamma(a + b) - digamma(a + b + x)
    by_r = digamma(r + x) - digamma(r) + np.log(alpha) - (1 - gone) * np.log(later) - gone * np.log(last)
    by_alpha = r / alpha - (r + x) * ((1 - gone) / later + gone / last)
    by_a = stays + gone / a
    by_b = stays + digamma(b + x) - digamma(b) - gone / (b + np.maximum(x, 1) - 1)
    gradient = np.array([by_r, by_alpha, by_a, by_b]) @ n * np.exp(log_parameters)
    return -float(log_likelihood(model, past) @ n) / n.sum(), -gradient / n.sum()


def _away_from_zero(values: Floats) -> Floats:
    """Equation (10) has holes at a = 1 and a + b + x = 1, but is smooth: a step of 1e-7 beside them costs 9 digits."""
    return np.where(np.abs(values) < _NUDGE, _NUDGE, values)
