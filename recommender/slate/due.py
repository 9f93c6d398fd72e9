"""When a customer's own product will be wanted again, from the published rhythm alone.

The gap T between two purchases of a product is log-normal, ln T ~ N(log_gap, log_gap_sd²), for the share r of
purchases that are followed by another in rhythm. Of the others, a share 0.8 √r comes late: something else was bought
in between, ln T ~ N(log_gap + ln 7, log_gap_sd² + 1). The rest never come. That is a mixture cure model (Boag 1949,
J. R. Stat. Soc. B 11) with two kinds of return,

    G(t) = r F(t) + 0.8 √r (1 - r) F_late(t)

and with e days gone since the last purchase

    P(within d days | nothing for e days) = (G(e + d) - G(e)) / (1 - G(e))

so that silence past the usual gap speaks first of a purchase that is due, later of one that will not come. What comes
late keeps long silences from counting as the end; its three constants were chosen by calibration on Online Retail II
(30 days after 2010-11-05, 2011-06-03, 07-03 and 08-02) and on two made-up shops.
"""

import math
from collections.abc import Sequence
from datetime import date, datetime
from functools import lru_cache, partial
from math import erf, log
from statistics import NormalDist
from typing import NamedTuple

from recommender.days import SECONDS_PER_DAY, date_of
from recommender.publication.lists import Own

HORIZONS_DAYS = (7, 14, 30)
_AHEAD = (0, *HORIZONS_DAYS)
LATE_SHARE = 0.8
LATE_LOG_GAP = math.log(7)
LATE_SD = 1.0
_QUARTILE = NormalDist().inv_cdf(0.75)
_SQRT_2 = math.sqrt(2)
_LONGEST_LOG_GAP = math.log(36_525)
"""A century: dates stay dates whatever was published."""
_SMALLEST_SD = 1e-3
"""A spread that float16 rounded to 0 is a step, not a division by zero."""
_LARGEST_SHARE = 0.999
"""Nobody is certain to come back; keeps the evidence of a long silence above 0."""


class Due(NamedTuple):
    """When a product is due and how likely it is to be bought.

    Attributes:
        at: last purchase + median gap of those who come in rhythm; may be past.
        from_, to: last purchase + quartiles of that gap: half of those who come in rhythm do so between the two.
        interval_days: the median gap, at least 1.
        probability: days from `as_of` → probability of a purchase within them, for HORIZONS_DAYS.
    """

    at: date
    from_: date
    to: date
    interval_days: int
    probability: dict[int, float]


_to_due = partial(tuple.__new__, Due)


def due(own: Own, as_of: datetime) -> Due:
    """What `own` says at `as_of`, an aware datetime; one before the last purchase counts as no time gone."""
    _, _, last, _, log_gap, sd, share = own
    curve = _curve_of(log_gap, sd, share)
    at, from_, to = curve[0]
    elapsed = as_of.timestamp() / SECONDS_PER_DAY - last
    within = _return_within(elapsed if elapsed > 0 else 0.0, curve, _AHEAD)
    return _to_due((date_of(last + at), date_of(last + from_), date_of(last + to), at if at > 1 else 1, within))


def probability_within(days: int, last_day: int, rhythm: Sequence[float], as_of: datetime) -> float:
    """One of `Due.probability`, without the rest; `rhythm` as of `Rhythm`."""
    elapsed = max(as_of.timestamp() / SECONDS_PER_DAY - last_day, 0.0)
    return _return_within(elapsed, _curve_of(*rhythm), (0, days))[days]


def due_day(own: Own) -> int:
    """The day of `Due.at`, without the rest."""
    return own.last_day + _curve_of(own.log_gap, own.log_gap_sd, own.return_share).quartiles[0]


class _Curve(NamedTuple):
    """Who comes back, over the days since a purchase: F, r and their like above.

    Attributes:
        quartiles: the median gap of those who come in rhythm, then both quartiles, in days.
        log_gap, sd, share: of those.
        late_sd, late_share: of those who come late.
    """

    quartiles: tuple[int, int, int]
    log_gap: float
    sd: float
    share: float
    late_sd: float
    late_share: float


@lru_cache(maxsize=4_096)
def _curve_of(log_gap: float, sd: float, share: float) -> _Curve:
    """As published, made fit to reckon with. Published as float16, there are few different ones."""
    # what is no number is not less than any: `min` and `max` then keep the bound, which comes first
    log_gap = max(-_LONGEST_LOG_GAP, min(_LONGEST_LOG_GAP, log_gap))
    sd = max(_SMALLEST_SD, sd)
    share = min(_LARGEST_SHARE, max(0.0, share))
    quartiles = _gap_days(log_gap), _gap_days(log_gap - _QUARTILE * sd), _gap_days(log_gap + _QUARTILE * sd)
    late_share = LATE_SHARE * math.sqrt(share) * (1 - share)
    return _Curve(quartiles, log_gap, sd, share, math.hypot(sd, LATE_SD), late_share)


def _gap_days(log_gap: float) -> int:
    return round(math.exp(min(_LONGEST_LOG_GAP, log_gap)))


def _return_within(elapsed: float, curve: _Curve, ahead: tuple[int, ...]) -> dict[int, float]:
    """Days → probability, for those of `ahead` after its first, which is 0."""
    _, log_gap, sd, share, late_sd, late_share = curve
    gone, probability = 0.0, {}
    for days in ahead:
        if elapsed + days <= 0:
            continue
        late_by = log(elapsed + days) - log_gap
        in_rhythm = 0.5 + 0.5 * erf(late_by / sd / _SQRT_2)  # the standard normal distribution
        late = 0.5 + 0.5 * erf((late_by - LATE_LOG_GAP) / late_sd / _SQRT_2)
        back = share * in_rhythm + late_share * late  # G: share of all buyers who are back by then
        if days == 0:
            gone = back
        else:
            probability[days] = (back - gone) / (1 - gone)
    return probability
