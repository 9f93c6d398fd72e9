"""Where a customer stands between the first order and the last."""

import numpy as np
from numpy.typing import NDArray

from recommender.profiles import AT_RISK, DUE, LAPSED, LOYAL_ORDERS
from training.customer_value.summary import Floats


def lifecycle_states(orders: Floats, silent_days: Floats, usual_gap_days: Floats) -> NDArray[np.str_]:
    """`recommender.profiles.lifecycle_state` of many customers at once.

    Args:
        orders: (n,) at least 1.
        silent_days: (n,) since the last order, at least 0.
        usual_gap_days: (n,) as `usual_gap_days` returns it; NaN, where nobody ever came back: all are new.
    """
    silence = silent_days / usual_gap_days
    early = np.select([orders >= LOYAL_ORDERS, orders > 1], ["loyal", "active"], "new")
    return np.select([silence > LAPSED, silence > AT_RISK, silence >= DUE], ["lapsed", "at_risk", "due"], early)
