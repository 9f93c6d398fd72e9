"""Past and future of a ledger: learn from what is before the cut, be judged by what comes after."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

import polars as pl

PAIR = ["customer_id", "product_id"]


@dataclass(frozen=True)
class Window:
    """A cut in time and what was bought in the `horizon_days` from it on.

    Attributes:
        past: the ledger before `cut`.
        truth: [customer_id, product_id], each pair once, sorted: all that was bought in [cut, cut + horizon_days)
            by customers who had bought something before the cut.
        cut: an aware datetime.
        horizon_days: length of the window.
    """

    past: pl.DataFrame
    truth: pl.DataFrame
    cut: datetime
    horizon_days: int

    @cached_property
    def customers(self) -> pl.Series:
        """Ids of the customers in `truth`, sorted: those who are scored."""
        return self.truth["customer_id"].unique().sort()

    @cached_property
    def bought(self) -> pl.DataFrame:
        """[customer_id, product_id], each pair once: what the customers of `truth` had bought before the cut."""
        own = self.past.lazy().join(self.truth.lazy(), on="customer_id", how="semi")
        return own.select(PAIR).unique().sort(PAIR).collect()

    @cached_property
    def repeat(self) -> pl.DataFrame:
        """The part of `truth` that its customer had bought before the cut."""
        return self.truth.join(self.bought, on=PAIR, how="semi")

    @cached_property
    def discover(self) -> pl.DataFrame:
        """The part of `truth` that its customer had never bought before the cut."""
        return self.truth.join(self.bought, on=PAIR, how="anti")


def split_window(ledger: pl.DataFrame, cut: datetime, horizon_days: int) -> Window:
    """Cut `ledger` at `cut`, an aware datetime. An empty past or future gives an empty truth."""
    past = ledger.filter(pl.col("ordered_at") < cut)
    later = ledger.lazy().filter(pl.col("ordered_at").is_between(cut, cut + timedelta(horizon_days), closed="left"))
    truth = later.join(past.lazy(), on="customer_id", how="semi").select(PAIR).unique().sort(PAIR).collect()
    return Window(past, truth, cut, horizon_days)
