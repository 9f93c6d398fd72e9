"""The snapshot: the ledger before a moment, with dense indices, that every model learns from."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recommender.days import SECONDS_PER_DAY
from training.dataset.coded_ids import runs_of_customers
from training.dataset.id_map import IdMap


@dataclass(frozen=True)
class Snapshot:
    """One line per order and product, sorted by customer, then day, then order.

    Attributes:
        as_of: everything here happened before it.
        customers: the n_customers with a purchase before `as_of`.
        products: the n_products sold before `as_of` or named in the catalogue.
        customer_index, product_index, order_index: (n_lines,) int32.
        day: (n_lines,) int32, days since 1970-01-01.
        quantity: (n_lines,) float32, above 0.
    """

    as_of: datetime
    customers: IdMap
    products: IdMap
    customer_index: NDArray[np.int32]
    product_index: NDArray[np.int32]
    order_index: NDArray[np.int32]
    day: NDArray[np.int32]
    quantity: NDArray[np.float32]

    @property
    def as_of_day(self) -> float:
        """`as_of` in days since 1970-01-01."""
        return self.as_of.timestamp() / SECONDS_PER_DAY

    @property
    def n_orders(self) -> int:
        """Number of orders."""
        return int(self.order_index.max(initial=-1)) + 1

    def keep(self, lines: NDArray[np.bool_]) -> Self:
        """The snapshot of some lines (n_lines,), with the same indices."""
        names = ("customer_index", "product_index", "order_index", "day", "quantity")
        return replace(self, **{name: getattr(self, name)[lines] for name in names})

    def of_every(self, nth: int) -> Self:
        """The snapshot of every nth customer, with the same indices; itself where that is everybody."""
        return self if nth == 1 else self.keep(self.customer_index % nth == 0)


def build_snapshot(ledger: pl.DataFrame, as_of: datetime, catalogue_ids: Iterable[str] = ()) -> Snapshot:
    """The snapshot of a ledger before `as_of`; it may be that of some customers.

    Args:
        ledger: purchases as `training.ingest.ingest` returns them; coded ids are welcome.
        as_of: an aware datetime; purchases at or after it are left out.
        catalogue_ids: products to index even if nobody bought them yet. An `IdMap` must hold all of the ledger's
            products, too: it becomes that of the snapshot.

    An empty past gives empty arrays.
    """
    past = pl.concat([_read_lines(some, as_of) for some in runs_of_customers(ledger)])
    customers = IdMap(past["customer_id"].unique().sort())
    if isinstance(catalogue_ids, IdMap):
        products = catalogue_ids
    else:
        products = IdMap(sorted({*past["product_id"].unique(), *catalogue_ids}))
    numbers = past.select(customer=pl.col("customer_id").rle_id(), order=pl.struct("customer_id", "order_id").rle_id())
    return Snapshot(
        as_of=as_of,
        customers=customers,
        products=products,
        customer_index=numbers["customer"].to_numpy().astype(np.int32),
        product_index=past["product_id"].cast(pl.Enum(products.ids)).to_physical().to_numpy().astype(np.int32),
        order_index=numbers["order"].to_numpy().astype(np.int32),
        day=past["day"].to_numpy().astype(np.int32),
        quantity=past["quantity"].to_numpy().astype(np.float32),
    )


def _read_lines(ledger: pl.DataFrame, as_of: datetime) -> pl.DataFrame:
    """One line per order and product before `as_of`, in the order of a snapshot."""
    return (
        ledger.lazy()
        .filter(pl.col("ordered_at") < as_of)
        .group_by("customer_id", "order_id", "product_id")
        .agg(pl.col("quantity").sum(), pl.col("ordered_at").min())
        .with_columns(pl.col("ordered_at").dt.epoch("d").cast(pl.Int32).alias("day"))
        .sort("customer_id", "day", "order_id", "product_id")
        .select("customer_id", "order_id", "product_id", "quantity", "day")
        .collect(engine="in-memory")  # the streaming one adds fractions in any order
    )
