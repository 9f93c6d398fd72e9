"""The fitted customer value models of a shop, BG/NBD and Gamma-Gamma, with notes on their fit."""

from dataclasses import dataclass
from typing import Any

from training.analytics.customer_value import bg_nbd, gamma_gamma
from training.analytics.customer_value.bg_nbd import BgNbd, fit_bg_nbd, past_of
from training.analytics.customer_value.gamma_gamma import GammaGamma, fit_gamma_gamma
from training.analytics.customer_value.order_summary import Floats, OrderSummary, divide


@dataclass(frozen=True)
class ValueModels:
    """BG/NBD of orders and Gamma-Gamma of values; None where too few customers came back to fit one."""

    orders: BgNbd | None
    values: GammaGamma | None

    def to_dict(self) -> dict[str, Any]:
        """`bg_nbd` and `gamma_gamma`, each a dict of parameters or None."""
        return {
            "bg_nbd": self.orders.to_dict() if self.orders else None,
            "gamma_gamma": self.values.to_dict() if self.values else None,
        }

    def notes(self) -> list[str]:
        """Notes on missing and doubtful fits, one sentence each; [] where there is none."""
        found = []
        if not self.orders:
            found.append(
                f"bg_nbd: fewer than {bg_nbd.FEWEST_REPEATERS} customers ordered on two days or more, so nothing says "
                f"how often customers come back; predictions are left empty"
            )
        elif self.orders.at_bound:
            found.append("bg_nbd: a parameter is at the end of its range; customers hardly differ, or are too few")
        if not self.values:
            found.append(
                f"gamma_gamma: fewer than {gamma_gamma.FEWEST_REPEATERS} customers have repeat orders of known value; "
                f"predicted_clv is left empty"
            )
        elif abs(self.values.correlation) > 0.3:
            found.append(
                f"gamma_gamma: number and value of orders correlate by {self.values.correlation:.2f}; the model takes "
                f"them for independent, so values are pulled too far to the mean"
            )
        return found


def fit_models(summary: OrderSummary) -> ValueModels:
    """Both models fitted on the customers of a summary."""
    return ValueModels(fit_bg_nbd(past_of(summary)), fit_gamma_gamma(summary))


def expected_order_values(model: GammaGamma, summary: OrderSummary) -> Floats:
    """Expected value of an order of each customer, (n_customers,) float64, in the currency.

    The model is fitted on repeat orders, as published; here the first order counts too: it is all that is known of most
    customers. On Online Retail II (90 days up to four dates in 2011) that is nearer to what came each time.
    """
    n = summary.column("priced_orders")
    return model.expected_order_value(n, divide(summary.column("spent"), n))
