"""Temporal split of a ledger: training purchases before the cut, test purchases after it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Literal, cast

import numpy as np
import polars as pl

from recommender.errors import TooLittleDataError, UsageError

PAIR = ["customer_id", "product_id"]


@dataclass(frozen=True)
class Window:
    """An evaluation window: the purchases in the `horizon_days` from a cut on, and those before it.

    Attributes:
        past: the ledger before `cut`; coded ids are welcome, those below are texts.
        later: the ledger in [cut, cut + horizon_days).
        cut: an aware datetime.
        horizon_days: length of the window.
    """

    past: pl.DataFrame
    later: pl.DataFrame
    cut: datetime
    horizon_days: int

    @cached_property
    def truth(self) -> pl.DataFrame:
        """[customer_id, product_id], each pair once, sorted: purchases in the window by customers with a past."""
        return self._pairs_of("semi")

    @cached_property
    def newcomers(self) -> pl.DataFrame:
        """[customer_id, product_id], each pair once, sorted: purchases in the window by customers without a past."""
        return self._pairs_of("anti")

    def _pairs_of(self, how: Literal["semi", "anti"]) -> pl.DataFrame:
        customers = self.later.lazy().join(self.past.lazy(), on="customer_id", how=how)
        return customers.select(PAIR).unique().sort(PAIR).cast(pl.String).collect()

    @cached_property
    def customers(self) -> pl.Series:
        """Ids of the customers in `truth`, sorted: those who are scored."""
        return self.truth["customer_id"].unique().sort()

    @cached_property
    def everyone(self) -> pl.Series:
        """Ids of the customers in `truth` and of the newcomers, sorted."""
        return pl.concat([self.customers, self.newcomers["customer_id"].unique()]).sort()

    @cached_property
    def past_orders(self) -> pl.DataFrame:
        """[customer_id, n_orders UInt32]: orders before the cut of each of `customers`, by id."""
        orders = self._own.group_by("customer_id").agg(pl.col("order_id").n_unique().alias("n_orders"))
        return orders.sort("customer_id").cast({"customer_id": pl.String}).collect()

    @cached_property
    def bought(self) -> pl.DataFrame:
        """[customer_id, product_id], each pair once: purchases before the cut by the customers of `truth`."""
        return self._own.select(PAIR).unique().sort(PAIR).cast(pl.String).collect()

    @property
    def _own(self) -> pl.LazyFrame:
        """The part of `past` that is of `customers`."""
        return self.past.lazy().join(self.later.lazy(), on="customer_id", how="semi")

    @cached_property
    def repeat(self) -> pl.DataFrame:
        """The part of `truth` that its customer had bought before the cut."""
        return self.truth.join(self.bought, on=PAIR, how="semi")

    @cached_property
    def discover(self) -> pl.DataFrame:
        """The part of `truth` that its customer had never bought before the cut."""
        return self.truth.join(self.bought, on=PAIR, how="anti")

    def draw(self, n: int, seed: int) -> "Window":
        """The window with `n` of `customers` drawn by lot, and all newcomers; itself where there are no more."""
        if len(self.customers) <= n:
            return self
        drawn = np.random.default_rng(seed).choice(len(self.customers), n, replace=False)
        others = self.customers.to_frame().join(self.customers.gather(drawn).to_frame(), on="customer_id", how="anti")
        others = others.cast({"customer_id": self.later.schema["customer_id"]})
        return replace(self, later=self.later.join(others, on="customer_id", how="anti", maintain_order="left"))


def split_window(ledger: pl.DataFrame, cut: datetime, horizon_days: int) -> Window:
    """The window of `ledger` at `cut`, an aware datetime. An empty past or future gives an empty truth."""
    past = ledger.filter(pl.col("ordered_at") < cut)
    later = ledger.filter(pl.col("ordered_at").is_between(cut, cut + timedelta(horizon_days), closed="left"))
    return Window(past, later, cut, horizon_days)


def end_of(ledger: pl.DataFrame) -> datetime:
    """The first whole second after the last purchase. Raises TooLittleDataError where there is none."""
    last = ledger["ordered_at"].max()
    if not isinstance(last, datetime):
        raise TooLittleDataError("there is no purchase to learn from; `reprise doctor FILE` says what was left out")
    return last.replace(microsecond=0) + timedelta(seconds=1)


def last_cuts(ledger: pl.DataFrame, n: int, horizon_days: int) -> list[datetime]:
    """Cuts of the last `n` windows, which do not overlap, the last ending just after the last purchase; oldest first.

    Raises:
        TooLittleDataError: the ledger is empty or there is no purchase before the first cut.
    """
    end = end_of(ledger)
    cuts = [end - timedelta(days=horizon_days * back) for back in range(n, 0, -1)]
    check_cuts(ledger, cuts[:1])
    return cuts


def check_cuts(ledger: pl.DataFrame, cuts: Iterable[datetime]) -> None:
    """Refuse cuts that leave nothing to learn from or nothing to be judged by.

    Raises:
        TooLittleDataError: the ledger is empty, or nothing was bought before one of them.
        UsageError: nothing was bought from one of them on.
    """
    end = end_of(ledger)
    first = cast(datetime, ledger["ordered_at"].min())
    for cut in cuts:
        if cut <= first:
            raise TooLittleDataError(
                f"nothing was bought before {cut:%Y-%m-%d}: the first purchase is of {first:%Y-%m-%d}; "
                f"take fewer windows, a shorter horizon or a later cut"
            )
        if cut >= end:
            raise UsageError(f"nothing was bought from {cut:%Y-%m-%d} on: the last purchase is of {end:%Y-%m-%d}")
