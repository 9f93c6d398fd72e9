"""RFM: customers scored 1 to 5 by recency, frequency and money, and named by the first two.

Source: Hughes, Strategic Database Marketing (1994), for the quintiles; the names are those in common use in shop
software.
"""

import numpy as np
from numpy.typing import NDArray

from training.customer_value.summary import Floats

Scores = NDArray[np.uint8]

_NAMES = (
    ("hibernating", "hibernating", "at_risk", "at_risk", "cannot_lose"),
    ("hibernating", "hibernating", "at_risk", "at_risk", "cannot_lose"),
    ("about_to_sleep", "about_to_sleep", "need_attention", "loyal", "loyal"),
    ("promising", "potential_loyal", "potential_loyal", "loyal", "loyal"),
    ("new", "potential_loyal", "potential_loyal", "champion", "champion"),
)
"""By recency score (rows, 1 first) and frequency score (columns, 1 first)."""
SEGMENTS = tuple(dict.fromkeys(name for row in reversed(_NAMES) for name in reversed(row)))
"""Names, best first."""


def quintile_scores(values: Floats) -> Scores:
    """(n,) 1 to 5: one more than the full fifths of the customers who have less; equal values share a score.

    NaN (no price is known) counts as less than anything. One customer alone has 1.
    """
    known = np.nan_to_num(values, nan=-np.inf)
    below = np.searchsorted(np.sort(known), known, side="left")
    return (1 + 5 * below // max(len(values), 1)).astype(np.uint8)


def name_segments(recency: Scores, frequency: Scores) -> NDArray[np.str_]:
    """(n,) names of SEGMENTS from two scores of 1 to 5, in which 5 is the latest and the most."""
    names: NDArray[np.str_] = np.array(_NAMES)[recency - 1, frequency - 1]
    return names
