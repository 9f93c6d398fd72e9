"""Where a customer stands between the first order and the last."""

import numpy as np
from numpy.typing import NDArray

from training.customer_value.summary import Floats

STATES = ("new", "active", "loyal", "due", "at_risk", "lapsed")
LOYAL_ORDERS = 4
_DUE, _AT_RISK, _LAPSED = 0.75, 1.5, 3.0


def lifecycle_states(orders: Floats, silent_days: Floats, usual_gap_days: Floats) -> NDArray[np.str_]:
    """One of STATES for each customer.

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
        orders: (n,) at least 1.
        silent_days: (n,) since the last order, at least 0.
        usual_gap_days: (n,) as `usual_gap_days` returns it; NaN, where nobody ever came back: all are new.
    """
    silence = silent_days / usual_gap_days
    early = np.select([orders >= LOYAL_ORDERS, orders > 1], ["loyal", "active"], "new")
    return np.select([silence > _LAPSED, silence > _AT_RISK, silence >= _DUE], ["lapsed", "at_risk", "due"], early)
