"""The expected next order of a customer: the last one plus the customer's usual gap.

The usual gap is the geometric mean of the own gaps, shrunk to the shop's:

    ln usual gap = (sum of ln own gaps + c · shop) / (n own gaps + c)

the posterior mean under a normal prior worth c gaps (Gelman et al., Bayesian Data Analysis, section 2.5), where `shop`
is the mean over the customers who came back of their own mean. A geometric mean is the median of skewed gaps: one long
holiday does not move it far.
"""

import numpy as np

from training.analytics.customer_value.order_summary import Floats, OrderSummary, divide

_PSEUDO_GAPS = 2.0
"""c, chosen on Online Retail II (90 days from 2011-03-01, 06-01 and 09-01) by the error of the next order's date."""


def usual_gap_days(summary: OrderSummary) -> Floats:
    """The usual gap between orders of each customer, (n_customers,) days, at least 1; all NaN without repeat orders."""
    gaps, total = summary.column("orders") - 1, summary.column("sum_log_gap")
    if not gaps.any():
        return np.full(len(gaps), np.nan)
    shop = float((total[gaps > 0] / gaps[gaps > 0]).mean())
    return np.exp((total + _PSEUDO_GAPS * shop) / (gaps + _PSEUDO_GAPS))


def own_mean_gap_days(summary: OrderSummary) -> Floats:
    """The mean of each customer's own gaps, (n_customers,) days; NaN with a single order."""
    gaps = summary.column("orders") - 1
    days = summary.column("last_day") - summary.column("first_day")
    return divide(days, gaps)
