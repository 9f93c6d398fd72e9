"""The return rate: probabilities of a next purchase for many pairs, and their correction by the latest days."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit, logit, ndtr

from recommender.days import midnight_of
from recommender.slate.due import HORIZONS_DAYS, LATE_LOG_GAP, LATE_SD, LATE_SHARE
from training.dataset.pair_history import Floats, History
from training.dataset.pair_keys import find_keys, unique_keys
from training.dataset.snapshot import Snapshot

LOOK_BACK_DAYS = HORIZONS_DAYS[-1]
_PRIOR_PURCHASES = 10.0
"""Purchases that must be missing or in excess before the odds move by a factor of e; a tiny shop keeps its own."""
_LARGEST_SHIFT = 4.0
_SMALLEST_SHARE = 1e-4


class _Back(NamedTuple):
    """Of those who return in rhythm and of those who come late, the shares who are back by some day, (n,) each."""

    in_rhythm: Floats
    late: Floats


def bought_within(days: float, elapsed: Floats, log_gap: Floats, log_gap_sd: Floats, share: Floats) -> Floats:
    """Probabilities of a purchase within `days`: `slate.due` for many. All arrays are (n,), elapsed days above 0."""
    return _chance(_back_by(elapsed, log_gap, log_gap_sd), _back_by(elapsed + days, log_gap, log_gap_sd), share)


def shift_odds(share: Floats, shift: float) -> Floats:
    """Shares whose odds are multiplied by exp(shift); any shape, in [0, 1]."""
    shifted: Floats = expit(logit(np.clip(share, _SMALLEST_SHARE, 1 - _SMALLEST_SHARE)) + shift)
    return shifted


def fit_odds(elapsed: Floats, log_gap: Floats, log_gap_sd: Floats, share: Floats, bought: NDArray[np.bool_]) -> float:
    """The shift of the log odds to return at which predicted and observed purchases are equal.

    Solves  Σ bought - Σ chance(shift) = 10 · shift,  the score equation of a logistic intercept under a normal prior
    around 0 (Gelman et al., Bayesian Data Analysis, ch. 16).

    Args:
        elapsed: (n,) days from the last purchase to the day of the forecast.
        log_gap: (n,), with the next two the rhythm as it was known that day.
        log_gap_sd: (n,).
        share: (n,).
        bought: (n,) whether a purchase followed within LOOK_BACK_DAYS.

    Returns:
        Between -4 and 4; 0 without pairs.
    """
    now, then = (_back_by(elapsed + days, log_gap, log_gap_sd) for days in (0, LOOK_BACK_DAYS))

    def missing(shift: float) -> float:
        chance = _chance(now, then, shift_odds(share, shift))
        return float(bought.sum() - chance.sum() - _PRIOR_PURCHASES * shift)

    for bound in (-_LARGEST_SHIFT, _LARGEST_SHIFT):
        if missing(bound) * bound > 0:
            return bound
    return float(brentq(missing, -_LARGEST_SHIFT, _LARGEST_SHIFT, xtol=1e-3))


def look_back(snapshot: Snapshot) -> Snapshot:
    """The snapshot LOOK_BACK_DAYS before the last midnight, with the indices of today's customers and products."""
    first_day = _first_day(snapshot)
    return replace(snapshot.keep(snapshot.day < first_day), as_of=midnight_of(first_day))


def bought_since(snapshot: Snapshot, history: History) -> NDArray[np.bool_]:
    """Whether each pair of `look_back`'s history was bought in the LOOK_BACK_DAYS that followed, (n_pairs,)."""
    first_day, n = _first_day(snapshot), len(snapshot.products)
    since = (snapshot.day >= first_day) & (snapshot.day < first_day + LOOK_BACK_DAYS)
    later = snapshot.customer_index[since].astype(np.int64) * n + snapshot.product_index[since]
    return find_keys(unique_keys(later), history.customer_index * n + history.product_index) >= 0


def _first_day(snapshot: Snapshot) -> int:
    return int(snapshot.as_of_day) - LOOK_BACK_DAYS


def _chance(now: _Back, then: _Back, share: Floats) -> Floats:
    """Probabilities of a purchase between two moments, given that there was none before the first."""
    gone = _bought(now, share)
    chance: Floats = (_bought(then, share) - gone) / np.maximum(1 - gone, 1e-9)
    return chance


def _bought(back: _Back, share: Floats) -> Floats:
    """Share of all buyers who are back, in rhythm or late."""
    late = LATE_SHARE * np.sqrt(share) * (1 - share)
    return share * back.in_rhythm + late * back.late


def _back_by(days: Floats, log_gap: Floats, sd: Floats) -> _Back:
    ahead = np.log(days) - log_gap
    return _Back(ndtr(ahead / sd), ndtr((ahead - LATE_LOG_GAP) / np.hypot(sd, LATE_SD)))
