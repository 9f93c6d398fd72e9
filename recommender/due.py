"""When a customer's own product will be wanted again, from the published rhythm alone.

The gap T between two purchases of a product is log-normal, ln T ~ N(log_gap, log_gap_sd²), for the share r of
buyers who come back at all; the others never do. That is a mixture cure model (Boag 1949, J. R. Stat. Soc. B 11).
With e days gone since the last purchase, F the distribution of T and S = 1 - F, Bayes gives

    P(still to come back | nothing for e days)  = r S(e) / (r S(e) + 1 - r)
    P(within d days | nothing for e days)       = r (F(e + d) - F(e)) / (r S(e) + 1 - r)

so that silence past the usual gap speaks first of a purchase that is due, later of one that will not come.
"""

import math
from dataclasses import dataclass
from datetime import date, datetime
from statistics import NormalDist

from recommender.publication import Own

HORIZONS_DAYS = (7, 14, 30)
_QUARTILE = NormalDist().inv_cdf(0.75)
_SQRT_2 = math.sqrt(2)
_EPOCH = date(1970, 1, 1).toordinal()
_SECONDS_A_DAY = 86_400
_LONGEST_LOG_GAP = math.log(36_525)
"""A century: dates stay dates whatever was published."""
_SMALLEST_SD = 1e-3
"""A spread that float16 rounded to 0 is a step, not a division by zero."""
_LARGEST_SHARE = 0.999
"""Nobody is certain to come back; keeps the evidence of a long silence above 0."""


@dataclass(frozen=True, slots=True)
class Due:
    """When a product is due and how likely it is to be bought.

    Attributes:
        at: last purchase + median gap; may be past.
        from_, to: last purchase + quartiles of the gap: half of those who come back do so between the two.
        interval_days: the median gap, at least 1.
        probability: days from `as_of` → probability of a purchase within them, for HORIZONS_DAYS.
    """

    at: date
    from_: date
    to: date
    interval_days: int
    probability: dict[int, float]


def due(own: Own, as_of: datetime) -> Due:
    """What `own` says at `as_of`, an aware datetime; one before the last purchase counts as no time gone."""
    middle = min(own.log_gap, _LONGEST_LOG_GAP)
    sd = max(own.log_gap_sd, _SMALLEST_SD)
    elapsed = max(as_of.timestamp() / _SECONDS_A_DAY - own.last_day, 0.0)
    return Due(
        at=_day_after(own.last_day, middle),
        from_=_day_after(own.last_day, middle - _QUARTILE * sd),
        to=_day_after(own.last_day, middle + _QUARTILE * sd),
        interval_days=max(round(math.exp(middle)), 1),
        probability=_return_within(elapsed, middle, sd, own.return_share),
    )


def _day_after(last_day: int, log_gap: float) -> date:
    return date.fromordinal(_EPOCH + last_day + round(math.exp(min(log_gap, _LONGEST_LOG_GAP))))


def _return_within(elapsed: float, log_gap: float, sd: float, return_share: float) -> dict[int, float]:
    share = min(max(return_share, 0.0), _LARGEST_SHARE)
    gone = _bought_by(elapsed, log_gap, sd)
    silent = share * (1 - gone) + 1 - share
    return {days: share * (_bought_by(elapsed + days, log_gap, sd) - gone) / silent for days in HORIZONS_DAYS}


def _bought_by(days: float, log_gap: float, sd: float) -> float:
    """Distribution function of the gap."""
    return 0.5 + 0.5 * math.erf((math.log(days) - log_gap) / (sd * _SQRT_2)) if days > 0 else 0.0
