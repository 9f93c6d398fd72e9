"""Cap trials: the effect of longer answers, where an experiment's variants differ in the length of their answers.

Customers were assigned by lot, so the mean number of purchases differs between two variants only by what the longer
answer adds, whatever stands in it: better products at the top, trust in what stands high and purchases that were only
moved from one position to another cancel out. What the positions between two caps add together is

    E[purchases | longer answers] - E[purchases | shorter answers],

the difference in means of Neyman 1923, "On the application of probability theory to agricultural experiments", by
intention to treat, with the variance of independent samples and CUPED (Deng et al. 2013). Steps are looked at from the
shortest on, and the first one that cannot be shown to add value ends it: a fixed sequence, which keeps the level over
all steps without a correction (Maurer, Hothorn, Lehmacher 1995, "Multiple comparisons in drug clinical trials").
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise

import numpy as np
import polars as pl

from training.analytics.experiments.estimates import Estimate, adjust_by_past
from training.analytics.restraint.positions import count_after, interval, mean_of

BEFORE_DAYS = 90
"""Of purchases before a customer entered, for CUPED."""
MOST_LONGER = 0.05
"""Share of a variant's customers that may have seen a longer answer than it is taken to show."""


@dataclass(frozen=True)
class Arm:
    """An arm of a cap trial: one variant.

    Attributes:
        variant: its name.
        length: products that its answers hold at most; 0 for one that is shown nothing.
        customers: who have their days behind them.
        purchases: per customer within the days, made comparable by CUPED where there are purchases before.
        purchases_low, purchases_high: its 95 % interval.
        came_back: share of customers with any purchase within the days.
    """

    variant: str
    length: int
    customers: int
    purchases: float
    purchases_low: float
    purchases_high: float
    came_back: float


@dataclass(frozen=True)
class Step:
    """The marginal effect of positions `first` to `last`: purchases per customer and position, with a 95 % interval."""

    first: int
    last: int
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class CapTrial:
    """An experiment on the length of answers in one placement; arms and steps go from the shortest to the longest."""

    experiment: str
    arms: Sequence[Arm]
    steps: Sequence[Step]

    def suggest(self, minimum: float) -> int | None:
        """The last position up to which every step is shown to add more than `minimum` purchases per customer.

        The shortest answers that were tried where no step is; None where those were empty.
        """
        cap = self.arms[0].length
        for step in self.steps:
            if not step.low > minimum:
                break
            cap = step.last
        return cap or None

    @property
    def harmful(self) -> Step | None:
        """The first step that is shown to lower the total: there are too many products."""
        return next((step for step in self.steps if step.high < 0), None)


def find_trials(
    exposures: pl.DataFrame, impressions: pl.DataFrame, purchases: pl.DataFrame, within: timedelta, until: pl.Expr
) -> list[CapTrial]:
    """Every experiment in a placement whose variants differ in the length of their answers; most customers first.

    Args:
        exposures: experiment, variant, customer_id, occurred_at; of the placement.
        impressions: customer_id, rank, occurred_at; of the placement.
        purchases: customer_id, ordered_at.
        within: a purchase this long after the first exposure, or sooner, counts.
        until: an expression over occurred_at: whether a row has its days behind it.
    """
    found = [
        trial
        for (name,), of_one in sorted(exposures.partition_by("experiment", as_dict=True).items())
        if (trial := _try(str(name), _enter(of_one, until), impressions, purchases, within)) is not None
    ]
    return sorted(found, key=lambda trial: -sum(arm.customers for arm in trial.arms))


def _enter(exposures: pl.DataFrame, until: pl.Expr) -> pl.DataFrame:
    """customer_id, variant, entered_at of those in one variant whose days are over, sorted by customer_id."""
    return (
        exposures.group_by("customer_id")
        .agg(pl.col("variant").first(), pl.col("variant").n_unique().alias("variants"), pl.col("occurred_at").min())
        .filter(pl.col("variants") == 1, until)
        .select("customer_id", "variant", pl.col("occurred_at").alias("entered_at"))
        .sort("customer_id")
    )


def _try(
    name: str, customers: pl.DataFrame, impressions: pl.DataFrame, purchases: pl.DataFrame, within: timedelta
) -> CapTrial | None:
    """None where two variants are as long, so that something else was tried, or there is one alone."""
    lengths = _lengths(customers, impressions)
    if len(lengths) < 2 or len(set(lengths.values())) < len(lengths):
        return None
    measured = _measure(customers, purchases, within)
    by_variant = measured.partition_by("variant", as_dict=True)
    order = sorted(lengths, key=lambda variant: lengths[variant])
    means = {variant: mean_of(by_variant[variant,]["adjusted"]) for variant in order}
    arms = [_arm(variant, lengths[variant], by_variant[variant,], means[variant]) for variant in order]
    steps = [_step(lengths[one], lengths[two], means[one], means[two]) for one, two in pairwise(order)]
    return CapTrial(name, arms, steps)


def _lengths(customers: pl.DataFrame, impressions: pl.DataFrame) -> dict[str, int]:
    """Variant → how long its answers are: a length that all but MOST_LONGER of those with the longest ones reach."""
    longest = impressions.group_by("customer_id").agg(pl.col("rank").max())
    seen = customers.join(longest, on="customer_id", how="left").with_columns(pl.col("rank").fill_null(0))
    lengths = seen.group_by("variant").agg(pl.col("rank").quantile(1 - MOST_LONGER, "nearest"))
    return {variant: int(length) for variant, length in lengths.sort("variant").iter_rows()}


def _measure(customers: pl.DataFrame, purchases: pl.DataFrame, within: timedelta) -> pl.DataFrame:
    """All `customers` with `purchases`, and `adjusted` by what they bought before they entered."""
    past = timedelta(days=BEFORE_DAYS)
    before = count_after(customers.with_columns(pl.col("entered_at") - past), purchases, past)["purchases"]
    counted = count_after(customers, purchases, within)
    variant = counted["variant"].rank("dense").to_numpy().astype(np.int64) - 1
    values = counted["purchases"].to_numpy()
    adjusted = adjust_by_past(values, before.to_numpy(), variant)
    return counted.with_columns(pl.Series("adjusted", values if adjusted is None else adjusted))


def _arm(variant: str, length: int, measured: pl.DataFrame, mean: Estimate) -> Arm:
    came_back = mean_of((measured["purchases"] > 0).cast(pl.Float64)).value
    return Arm(variant, length, len(measured), mean.value, *interval(mean), came_back)


def _step(shorter: int, longer: int, before: Estimate, after: Estimate) -> Step:
    n = longer - shorter
    difference = Estimate(
        (after.value - before.value) / n, float(np.hypot(before.standard_error, after.standard_error)) / n
    )
    return Step(shorter + 1, longer, difference.value, *interval(difference))
