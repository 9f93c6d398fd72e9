"""The effect of a campaign's mails: orders of who was mailed against orders of who was held out."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import NamedTuple

import numpy as np
from scipy.stats import norm

from recommender.experiments.experiment import HOLDOUT
from recommender.results.campaigns import Effect, VariantResults, Verdict
from training.analytics.experiments.effects import LEVEL, POWER, compare
from training.analytics.experiments.estimates import Estimate

WORTH_FINDING = 0.05
"""A lift of orders that would matter: for it, `more_weeks` is said."""
LEAST_ORDERS = 10
"""Of each side: with fewer, an interval that leans on the normal distribution is none."""
MOST_WEEKS = 520


class Side(NamedTuple):
    """The orders of the customers on one side, added up."""

    customers: int
    orders: int
    squared: int

    @property
    def mean(self) -> Estimate:
        """Orders per customer; NaN where there are fewer than two."""
        if self.customers < 2:
            return Estimate(np.nan, np.nan)
        mean = self.orders / self.customers
        variance = max(0.0, self.squared - self.orders * mean) / (self.customers - 1)
        return Estimate(mean, float(np.sqrt(variance / self.customers)))


def add_up(variants: Sequence[VariantResults], *, held_out: bool) -> Side:
    """The side of those who were held out, or of all others; of several campaigns, if their variants are given."""
    some = [one for one in variants if (one.variant == HOLDOUT) == held_out]
    return Side(*(sum(getattr(one, name) for one in some) for name in ("took_part", "orders", "orders_squared")))


def measure_effect(
    variants: Sequence[VariantResults], until: date | None, today: date, *, orders_known: bool = True
) -> Effect:
    """The effect of mails on orders per customer.

    Until the days end in which orders count, only what holds at all looks together is said; at the end, the interval
    for one look, as `reprise power` plans with.

    Args:
        variants: of one campaign, or of several that are added up.
        until: the day on which the days end in which orders count; None without mails.
        today: UTC.
        orders_known: whether anybody tells of purchases at all.
    """
    mailed, held = add_up(variants, held_out=False), add_up(variants, held_out=True)
    end = None if until is None else until.isoformat()
    if until is None:
        return _say(Effect("running"))
    if not held.customers or not mailed.customers:
        return _say(Effect("no_holdout", until=end))
    if not orders_known:
        return _say(Effect("no_orders", until=end))
    running = today < until
    found = compare(mailed.mean, held.mean, hoped_lift=WORTH_FINDING)
    ends = _lift_interval(mailed.mean, held.mean, found.always_high - found.difference if running else None)
    if min(mailed.orders, held.orders) < LEAST_ORDERS or ends is None:
        return _say(Effect("running" if running else "undecided", until=end))
    weeks = None
    verdict: Verdict = "more" if ends[0] > 0 else "fewer" if ends[1] < 0 else "running"
    if verdict == "running" and not running:
        weeks = _more_weeks(mailed, held)
        verdict = "undecided" if weeks else "no_difference"
    return _say(Effect(verdict, found.lift, *ends, found.difference * mailed.customers, weeks, end))


def _lift_interval(treated: Estimate, control: Estimate, radius: float | None) -> tuple[float, float] | None:
    """Fieller's interval of the lift: it leaves 0 out exactly where the interval of the difference does.

    Source: Fieller 1954, "Some problems in interval estimation".

    Args:
        treated: the mean of who was mailed, with its standard error.
        control: that of who was held out.
        radius: half the width of the difference's interval; None: that for one look at LEVEL.

    Returns:
        Its ends; None where the control is known too badly for any.
    """
    (t, of_t), (c, of_c) = treated, control
    z = norm.ppf(1 - LEVEL / 2) if radius is None else radius / np.hypot(of_t, of_c)
    below = c**2 - (z * of_c) ** 2
    inside = (t * c) ** 2 - (t**2 - (z * of_t) ** 2) * below
    if not below > 0 or not inside >= 0:
        return None
    return float((t * c - np.sqrt(inside)) / below - 1), float((t * c + np.sqrt(inside)) / below - 1)


def _more_weeks(mailed: Side, held: Side) -> int:
    """Weeks with a mailing like this one each, until a lift of WORTH_FINDING is found POWER of the time."""
    error = np.hypot(mailed.mean.standard_error, held.mean.standard_error)
    wanted = WORTH_FINDING * held.mean.value / (norm.ppf(1 - LEVEL / 2) + norm.ppf(POWER))
    return int(min(MOST_WEEKS, np.ceil(np.square(error / wanted) - 1)))


def _say(effect: Effect) -> Effect:
    return replace(effect, sentence=_sentence(effect))


def _sentence(effect: Effect) -> str:
    """The effect in English, for a marketer."""
    low, high, lift = (100 * (value or 0.0) for value in (effect.low, effect.high, effect.lift))
    weeks = effect.more_weeks
    about = "more than ten years" if weeks == MOST_WEEKS else f"about {weeks} more weeks"
    sentences: dict[Verdict, str] = {
        "more": f"Brought {lift:.1f} % more orders; between {low:.1f} and {high:.1f}",
        "fewer": f"Cost {-lift:.1f} % of the orders; between {-high:.1f} and {-low:.1f}",
        "running": f"Not clear yet: orders count until {effect.until}" if effect.until else "Nobody was mailed yet",
        "undecided": f"Not decided yet: {'too few orders to compare' if weeks is None else f'{about} at this size'}",
        "no_difference": f"No difference found; {WORTH_FINDING:.0%} more would have been found four times in five",
        "no_orders": "Nothing is known of orders: send purchases as events (POST /v1/events)",
        "no_holdout": "Nobody was held out, so nobody can say what the mails brought (REPRISE_MAIL__HOLDOUT)",
    }
    return sentences[effect.verdict]
