"""Gamma-Gamma: the expected value of a customer's orders.

An order's value is Gamma(p, rate g) around the customer's own mean p / g, with g ~ Gamma(q, rate v) over the customers,
and has nothing to do with how often they order (`correlation` says how true that is). Source: Fader, Hardie (2013), The
Gamma-Gamma Model of Monetary Value, http://www.brucehardie.com/notes/025/.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import Bounds, minimize
from scipy.special import digamma, gammaln

from training.analytics.customer_value.order_summary import Floats, OrderSummary

FEWEST_REPEATERS = 10
_P_BOUNDS, _Q_BOUNDS, _V_BOUNDS = (1e-2, 1e3), (1.05, 1e3), (1e-6, 1e6)
"""q at most 1 has no mean over customers. v is in units of the mean order."""


@dataclass(frozen=True)
class GammaGamma:
    """A fitted Gamma-Gamma model.

    Attributes:
        p, q, v: above 0; v in the currency.
        log_likelihood: at these parameters.
        n_customers: it was fitted on: those with repeat orders worth something.
        correlation: of number and mean value of their repeat orders; the model takes it for 0. NaN: one is constant.
    """

    p: float
    q: float
    v: float
    log_likelihood: float = float("nan")
    n_customers: int = 0
    correlation: float = float("nan")

    def to_dict(self) -> dict[str, Any]:
        """Parameters and fit as plain JSON."""
        known = None if np.isnan(self.correlation) else self.correlation
        return {**vars(self), "correlation": known, "mean_order_value": self.mean_order_value}

    @property
    def mean_order_value(self) -> float:
        """The mean order value over all customers, in the currency: p v / (q - 1)."""
        return self.p * self.v / (self.q - 1)

    def expected_order_value(self, n: Floats, mean: Floats) -> Floats:
        """E[mean order value | `n` orders of value `mean`]: equation (5), a weighted mean of theirs and the shop's.

        Arrays of one shape; where n is 0 the mean may be NaN, and the shop's is returned.
        """
        total = np.where(n > 0, n * np.where(n > 0, mean, 0), 0)
        return self.p * (self.v + total) / (self.p * n + self.q - 1)


def fit_gamma_gamma(summary: OrderSummary) -> GammaGamma | None:
    """The Gamma-Gamma model of maximum likelihood over the customers with repeat orders of a value above 0.

    Returns:
        None with fewer than 10 of them. Where all spend the same, the mean is right, the rest chance.
    """
    n, mean = summary.column("repeat_priced"), summary.column("repeat_value")
    fit = (n > 0) & (mean > 0)
    n, mean = n[fit], mean[fit]
    if len(n) < FEWEST_REPEATERS:
        return None
    unit = float(mean.mean())
    bounds = Bounds(*np.log([_P_BOUNDS, _Q_BOUNDS, _V_BOUNDS]).T)
    found = minimize(_loss, np.log([2.0, 3.0, 1.0]), (n, mean / unit), "L-BFGS-B", True, bounds=bounds, tol=1e-12)
    p, q, v = np.exp(found.x).tolist()
    likelihood = -(float(found.fun) + float(np.log(unit))) * len(n)
    return GammaGamma(p, q, v * unit, likelihood, len(n), _correlation(n, mean))


def _loss(log_parameters: Floats, n: Floats, mean: Floats) -> tuple[float, Floats]:
    """Minus the mean of ln L (equation 1a), and its gradient by the logarithms of p, q, v."""
    p, q, v = np.exp(log_parameters)
    total, pn = n * mean, p * n
    log_all = np.log(total + v)
    value = gammaln(pn + q) - gammaln(pn) - gammaln(q) + q * np.log(v) - np.log(mean)
    value += pn * np.log(total) - (pn + q) * log_all
    by_p = n * (digamma(pn + q) - digamma(pn) + np.log(total) - log_all)
    by_q = digamma(pn + q) - digamma(q) + np.log(v) - log_all
    by_v = q / v - (pn + q) / (total + v)
    gradient = np.array([by_p.mean(), by_q.mean(), by_v.mean()]) * np.exp(log_parameters)
    return -float(value.mean()), -gradient


def _correlation(n: Floats, mean: Floats) -> float:
    return float(np.corrcoef(n, mean)[0, 1]) if np.ptp(n) and np.ptp(mean) else float("nan")
