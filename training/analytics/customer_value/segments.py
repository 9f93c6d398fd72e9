"""RFM segments and lifecycle states of customers.

RFM: customers are scored 1 to 5 by recency, frequency and money, and named by the first two.

Source: Hughes, Strategic Database Marketing (1994).
"""

import numpy as np
from numpy.typing import NDArray

from recommender.publication.profile import AT_RISK, DUE, LAPSED, LOYAL_ORDERS, SEGMENT_NAMES
from training.analytics.customer_value.order_summary import Floats

Quintiles = NDArray[np.uint8]


def quintile_scores(values: Floats) -> Quintiles:
    """Quintile scores, (n,) uint8 1 to 5: one more than the full fifths of customers before it, in order.

    Equals share the score of their middle.
    NaN (no price is known) counts as less than anything. Five or more customers who are all equal have 3, one alone 1.
    """
    known = np.nan_to_num(values, nan=-np.inf)
    ordered = np.sort(known)
    below, up_to = (np.searchsorted(ordered, known, side=side) for side in ("left", "right"))
    return (1 + 5 * (below + up_to - 1) // (2 * max(len(values), 1))).astype(np.uint8)


def name_segments(recency: Quintiles, frequency: Quintiles) -> NDArray[np.str_]:
    """RFM segments, (n,) names of SEGMENTS, by recency and frequency scores of 1 to 5, of which 5 is latest, most."""
    names: NDArray[np.str_] = np.array(SEGMENT_NAMES)[recency - 1, frequency - 1]
    return names


def lifecycle_states(orders: Floats, silent_days: Floats, usual_gap_days: Floats) -> NDArray[np.str_]:
    """Lifecycle states, (n,) names of STATES: `recommender.publication.profile.lifecycle_state` of many customers.

    Args:
        orders: (n,) at least 1.
        silent_days: (n,) since the last order, at least 0.
        usual_gap_days: (n,) as `usual_gap_days` returns it; NaN, where nobody ever came back: all are new.
    """
    silence = silent_days / usual_gap_days
    early = np.select([orders >= LOYAL_ORDERS, orders > 1], ["loyal", "active"], "new")
    return np.select([silence > LAPSED, silence > AT_RISK, silence >= DUE], ["lapsed", "at_risk", "due"], early)
