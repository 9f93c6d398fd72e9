"""Position value: purchases of products shown at each position, beside purchases by customers who did not see them.

An observational curve: better products stand higher, and they stand before those who would have bought them anyway. So
the difference is an upper bound of what showing them adds (Chaney, Stewart, Engelhardt 2018, "How algorithmic
confounding in recommendation systems increases homogeneity and decreases utility"; Joachims et al. 2005, "Accurately
interpreting clickthrough data as implicit feedback", for the trust in what stands high). What showing them causes
tells `training.analytics.restraint.cap_trial`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import polars as pl
from scipy.stats import norm

from training.analytics.experiments.effects import LEVEL
from training.analytics.experiments.estimates import Estimate, estimate_mean, estimate_ratio

_PAIR = ["customer_id", "product_id"]


@dataclass(frozen=True)
class PositionValue:
    """The value of one position.

    Attributes:
        position: from 1.
        pairs: of a customer and a product that stood there when the customer first saw it in the placement.
        customers: in those pairs.
        bought: share of the pairs in which the customer bought the product within the days.
        anyway: the same of customers who came across the placement and never saw that product there.
        more, low, high: the difference and its 95 % interval, by the delta method over customers; NaN with fewer than
            two customers.
    """

    position: int
    pairs: int
    customers: int
    bought: float
    anyway: float
    more: float
    low: float
    high: float


@dataclass(frozen=True)
class LengthValue:
    """Purchases of customers whose first answer held so many products: a correlation, not an effect.

    Attributes:
        length: products in the answer.
        customers: how many.
        purchases: per customer within the days.
        came_back: share of customers with any purchase within the days.
    """

    length: int
    customers: int
    purchases: float
    came_back: float


def first_showings(impressions: pl.DataFrame, until: pl.Expr) -> pl.DataFrame:
    """First impressions of each product by each customer: customer_id, product_id, rank, occurred_at.

    Args:
        impressions: of one placement, with their rank.
        until: whether a row has its days behind it.
    """
    first = impressions.sort("occurred_at", "rank").unique(_PAIR, keep="first", maintain_order=True)
    return first.filter(until).select(*_PAIR, "rank", "occurred_at")


def value_positions(
    impressions: pl.DataFrame, purchases: pl.DataFrame, within: timedelta, until: pl.Expr
) -> list[PositionValue]:
    """Position values of one placement, by position.

    Args:
        impressions: customer_id, product_id, rank, occurred_at; of one placement.
        purchases: customer_id, product_id, ordered_at.
        within: a purchase this long after, or sooner, counts.
        until: an expression over occurred_at: whether a row has its days behind it.
    """
    shown = first_showings(impressions, until)
    bought = _bought_after(shown, purchases, within)
    judged = shown.join(bought, on=_PAIR, how="left").with_columns(pl.col("bought").fill_null(0.0))
    judged = judged.join(_bought_anyway(impressions, shown, purchases, within, until), on="product_id", how="inner")
    return list(_curve(judged.sort(_PAIR)))  # sums in one order have the same last digit


def value_lengths(
    impressions: pl.DataFrame, purchases: pl.DataFrame, within: timedelta, until: pl.Expr
) -> list[LengthValue]:
    """Purchases by length of the first answer, shortest first. Arguments as those of `value_positions`."""
    first = (
        impressions.group_by("customer_id", "recommendation_id")
        .agg(pl.col("occurred_at").min(), pl.col("rank").max().alias("length"))
        .sort("customer_id", "occurred_at", "recommendation_id")
        .unique("customer_id", keep="first", maintain_order=True)
        .filter(until)
    )
    counted = count_after(
        first.select("customer_id", pl.col("occurred_at").alias("entered_at"), "length"), purchases, within
    )
    lengths = counted.group_by("length").agg(
        pl.len(), pl.col("purchases").mean(), (pl.col("purchases") > 0).mean().alias("came_back")
    )
    return [LengthValue(*row) for row in lengths.sort("length").iter_rows()]


def count_after(entered: pl.DataFrame, purchases: pl.DataFrame, within: timedelta) -> pl.DataFrame:
    """`entered` (customer_id, entered_at, …) with `purchases`: the number of each in `within` from entered_at on."""
    soon = pl.col("ordered_at").is_between(pl.col("entered_at"), pl.col("entered_at") + within, closed="left")
    made = entered.select("customer_id", "entered_at").join(purchases, on="customer_id").filter(soon)
    counted = made.group_by("customer_id").agg(pl.len().cast(pl.Float64).alias("purchases"))
    joined = entered.join(counted, on="customer_id", how="left", maintain_order="left")
    return joined.with_columns(pl.col("purchases").fill_null(0.0))


def _bought_after(shown: pl.DataFrame, purchases: pl.DataFrame, within: timedelta) -> pl.DataFrame:
    soon = pl.col("ordered_at").is_between(pl.col("occurred_at"), pl.col("occurred_at") + within, closed="left")
    return shown.join(purchases, on=_PAIR).filter(soon).select(_PAIR).unique().with_columns(bought=pl.lit(1.0))


def _bought_anyway(
    impressions: pl.DataFrame, shown: pl.DataFrame, purchases: pl.DataFrame, within: timedelta, until: pl.Expr
) -> pl.DataFrame:
    """product_id, anyway: the share of those who never saw a product that bought it; none where all saw it."""
    entered = impressions.group_by("customer_id").agg(pl.col("occurred_at").min()).filter(until)
    saw = impressions.select(_PAIR).unique()
    viewers = saw.join(entered, on="customer_id").group_by("product_id").agg(pl.len().alias("viewers"))
    buyers = (
        _bought_after(entered.join(purchases.select(_PAIR).unique(), on="customer_id"), purchases, within)
        .join(saw, on=_PAIR, how="anti")
        .group_by("product_id")
        .agg(pl.len().alias("buyers"))
    )
    others = len(entered) - pl.col("viewers").fill_null(0)
    products = shown.select("product_id").unique().join(viewers, on="product_id", how="left")
    compared = products.filter(others > 0).join(buyers, on="product_id", how="left")
    return compared.select("product_id", (pl.col("buyers").fill_null(0) / others).alias("anyway"))


def _curve(judged: pl.DataFrame) -> Iterator[PositionValue]:
    for (position,), part in sorted(judged.partition_by("rank", as_dict=True).items()):
        of_customer = (
            part.group_by("customer_id")
            .agg(pl.len().cast(pl.Float64).alias("n"), (pl.col("bought") - pl.col("anyway")).sum().alias("more"))
            .sort("customer_id")
        )
        more = estimate_ratio(of_customer["more"].to_numpy(), of_customer["n"].to_numpy())
        bought, anyway = (float(part[name].to_numpy().mean()) for name in ("bought", "anyway"))
        low, high = interval(more)
        yield PositionValue(position, len(part), len(of_customer), bought, anyway, more.value, low, high)


def interval(estimate: Estimate) -> tuple[float, float]:
    """The 95 % interval of an estimate, by the normal distribution."""
    reach = float(norm.ppf(1 - LEVEL / 2)) * estimate.standard_error
    return estimate.value - reach, estimate.value + reach


def mean_of(values: pl.Series) -> Estimate:
    """The mean of one figure per customer."""
    return estimate_mean(values.to_numpy())
