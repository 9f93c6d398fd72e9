"""What a version says of one customer, and the words for where a customer stands.

Lifecycle and segment names are decided here for the training, the service and the mails alike.
"""

import math
from collections.abc import Collection
from dataclasses import dataclass, replace

STATES = ("new", "active", "loyal", "due", "at_risk", "lapsed")
"""Where a customer stands between the first order and the last."""
LOYAL_ORDERS = 4
DUE, AT_RISK, LAPSED = 0.75, 1.5, 3.0
"""Silence, in multiples of the usual gap, from which (DUE) or above which (the others) a customer is so called."""

SEGMENT_NAMES = (
    ("hibernating", "hibernating", "previously_loyal", "previously_loyal", "cannot_lose"),
    ("hibernating", "hibernating", "previously_loyal", "previously_loyal", "cannot_lose"),
    ("about_to_sleep", "about_to_sleep", "need_attention", "frequent", "frequent"),
    ("promising", "potential_loyal", "potential_loyal", "frequent", "frequent"),
    ("recent", "potential_loyal", "potential_loyal", "champion", "champion"),
)
"""RFM segments, called as is common in shop software, by recency score (rows, 1 first) and frequency score. They
compare customers with each other, STATES each customer with the own past: no name is of both."""
SEGMENTS = tuple(dict.fromkeys(name for row in reversed(SEGMENT_NAMES) for name in reversed(row)))
"""Their names, best first."""
UNKNOWN_SEGMENT = "unknown"


@dataclass(frozen=True, slots=True)
class Profile:
    """One customer as a version describes it: what happened until its as_of, and what is expected from then on.

    Days are counted since 1970-01-01, what one customer orders on one day (UTC) is one order, and money is in the
    shop's currency. Every float is NaN where it is not known: no price, a single order, too few customers to learn
    from.

    Attributes:
        customer_id: the shop's own.
        first_day: of the first order.
        last_day: of the last order.
        orders: so far, at least 1.
        spent: so far.
        average_order_value: of the orders whose price is known.
        average_days_between_orders: mean of the own gaps.
        usual_gap_days: the gap that is expected of the customer, who may have none.
        probability_alive: that the customer has not left for good.
        churn_probability: of no order at all in the coming 365 days.
        expected_orders_30d: in the coming 30 days; so for 90 and 365.
        predicted_number_of_orders: in the training's horizon, which is a year.
        predicted_clv: what these are worth, discounted.
        rfm_recency: quintile score, 1 to 5, 5 is the latest; 0 unknown.
        rfm_frequency: so of the number of orders.
        rfm_monetary: so of what was spent.
    """

    customer_id: str
    first_day: int
    last_day: int
    orders: int
    spent: float
    average_order_value: float
    average_days_between_orders: float
    usual_gap_days: float
    probability_alive: float
    churn_probability: float
    expected_orders_30d: float
    expected_orders_90d: float
    expected_orders_365d: float
    predicted_number_of_orders: float
    predicted_clv: float
    rfm_recency: int
    rfm_frequency: int
    rfm_monetary: int

    @property
    def expected_day(self) -> int | None:
        """When the next order is expected; a day that is past means overdue. None where nobody ever came back."""
        return None if math.isnan(self.usual_gap_days) else self.last_day + round(self.usual_gap_days)

    @property
    def total_clv(self) -> float:
        """What was spent so far, as far as it is known, and predicted_clv; NaN without the latter."""
        return self.predicted_clv + (0.0 if math.isnan(self.spent) else self.spent)

    @property
    def segment(self) -> str:
        """One of SEGMENTS, or UNKNOWN_SEGMENT."""
        if not (self.rfm_recency and self.rfm_frequency):
            return UNKNOWN_SEGMENT
        return SEGMENT_NAMES[self.rfm_recency - 1][self.rfm_frequency - 1]

    def after(self, order_days: Collection[int]) -> "Profile":
        """The same customer with orders on later days; what is expected stays as it was learned.

        Days that are not after `last_day` are known already, and count for nothing.
        """
        since = {day for day in order_days if day > self.last_day}
        if not since:
            return self
        return replace(self, last_day=max(since), orders=self.orders + len(since))

    def lifecycle(self, day: int, last_day: int | None = None) -> str:
        """One of STATES on `day`, see `lifecycle_state`.

        Args:
            day: not before the last order; an earlier one counts as its day.
            last_day: of the last order, where one came since the training.
        """
        known = self if last_day is None else self.after([last_day])
        return lifecycle_state(known.orders, max(day - known.last_day, 0), known.usual_gap_days)


def lifecycle_state(orders: int, silent_days: float, usual_gap_days: float) -> str:
    """One of STATES.

    By how long the customer has been silent, in multiples of the own usual gap (of a customer who ordered once, and
    may have no rhythm yet, the shop's):

        lapsed   over 3
        at_risk  over 1.5, up to 3
        due      from 0.75 to 1.5
        before that, by the number of orders:
        new      1
        active   2 or 3
        loyal    4 or more

    Args:
        orders: at least 1.
        silent_days: since the last order, at least 0.
        usual_gap_days: NaN, where nobody ever came back, leaves the number of orders to decide.
    """
    silence = silent_days / usual_gap_days
    if silence > LAPSED:
        return "lapsed"
    if silence > AT_RISK:
        return "at_risk"
    if silence >= DUE:
        return "due"
    if orders >= LOYAL_ORDERS:
        return "loyal"
    return "active" if orders > 1 else "new"
