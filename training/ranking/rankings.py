"""Rankings of a model as a frame, for evaluation and for files."""

from collections.abc import Collection, Iterator
from dataclasses import replace

import numpy as np
import polars as pl

from recommender.errors import UsageError
from recommender.publication.lists import WHOLE_SHOP, ListName
from recommender.slate.placements import Mix
from training.dataset.id_map import IdMap
from training.dataset.ranked_lists import owners_of
from training.ranking.model import Model

_SCHEMA = pl.Schema(
    {
        "customer_id": pl.String,
        "product_id": pl.String,
        "rank": pl.Int32,
        "score": pl.Float32,
        "kind": pl.String,
    }
)


def rank_customers(model: Model, *, k: int, mix: Mix, customers: Collection[str] | None = None) -> pl.DataFrame:
    """The ranking of a model: the first `k` products of each customer.

    `buy_again` and `discover` are the lists as they are, shorter than `k` where the customer has fewer. `auto` is both
    in the order of `recommender.slate.candidates.merge_by_probability` (ties and missing probabilities: buy again
    first), filled up to `k` with best sellers that are not in it yet.

    Args:
        model: its lists have `settings.list_length` products at most, so has a ranking.
        k: longest ranking.
        mix: which lists.
        customers: ids of those who are ranked; unknown ones have no row. None: everybody.

    Returns:
        customer_id, product_id String; rank Int32 from 1; score Float32, the probability, null where none is known;
        kind String: `buy_again`, `discover` or `popular`. Sorted by customer and rank; a customer without any list
        has no row.

    Raises:
        UsageError: k is below 1 or the mix unknown.
    """
    if k < 1:
        raise UsageError(f"k is {k}; a ranking has at least 1 product")
    known = IdMap(model.tables["buy_again"].owner_ids)
    rows = pl.DataFrame({"customer": np.arange(len(known)) if customers is None else known.rows(customers)})
    if mix == "auto":
        ranked = _fill(_merge(model, k), rows, model, k)
    elif mix in ("buy_again", "discover"):
        ranked = _read(model, mix).filter(pl.col("rank") <= k)
    else:
        raise UsageError(f"mix {mix!r} is unknown; there are: auto, buy_again, discover")
    return _with_ids(ranked.join(rows, on="customer", how="semi", maintain_order="left"), model)


def rank_in_runs(model: Model, *, k: int, mix: Mix) -> Iterator[pl.DataFrame]:
    """`rank_customers` of everybody, some thousand customers at a time; at least one frame."""
    own, new = model.tables["buy_again"], model.tables["discover"]
    if not len(own):
        yield rank_customers(model, k=k, mix=mix)
    for buy_again, discover in zip(own.runs(), new.runs(), strict=True):
        some = replace(model, tables={**model.tables, "buy_again": buy_again, "discover": discover})
        yield rank_customers(some, k=k, mix=mix)


def _read(model: Model, name: ListName) -> pl.DataFrame:
    """One table as customer, rank, product (indices), score and kind, in its order."""
    table = model.tables[name]
    owners = owners_of(table.starts)
    return pl.DataFrame(
        {
            "customer": owners,
            "rank": np.arange(len(owners)) - table.starts[owners] + 1,
            "product": table.records["product_index"].astype(np.int64),
            "score": table.records["score"].astype(np.float32),
        }
    ).with_columns(pl.lit(name).alias("kind"))


def _merge(model: Model, k: int) -> pl.DataFrame:
    # sorted by minus the probability: a missing one is before all others in the first list, after them in the second
    own = _read(model, "buy_again").with_columns((-pl.col("score")).fill_nan(-np.inf).alias("key"))
    discover = _read(model, "discover").with_columns((-pl.col("score")).fill_nan(np.inf).alias("key"))
    place = pl.int_range(1, pl.len() + 1).over("customer").alias("rank")
    merged = pl.concat([own, discover]).sort("customer", "key", maintain_order=True).with_columns(place)
    return merged.filter(pl.col("rank") <= k).drop("key")


def _fill(merged: pl.DataFrame, customers: pl.DataFrame, model: Model, k: int) -> pl.DataFrame:
    lengths = merged.group_by("customer").len()
    short = customers.join(lengths, on="customer", how="left").filter(pl.col("len").fill_null(0) < k).select("customer")
    popular = _read(model, "popular").filter(pl.col("customer") == model.tables["popular"].owner_ids.index(WHOLE_SHOP))
    fill = (
        short.join(popular.drop("customer"), how="cross")
        .join(merged, on=["customer", "product"], how="anti")
        .with_columns(pl.lit(float("nan"), pl.Float32).alias("score"), pl.col("rank") + k)
    )
    place = pl.int_range(1, pl.len() + 1).over("customer").alias("rank")
    filled = pl.concat([merged, fill.select(merged.columns)]).sort("customer", "rank").with_columns(place)
    return filled.filter(pl.col("rank") <= k)


def _with_ids(ranked: pl.DataFrame, model: Model) -> pl.DataFrame:
    customers = pl.Series(model.tables["buy_again"].owner_ids, dtype=pl.String)
    products = pl.Series(model.snapshot.products.ids, dtype=pl.String)
    return ranked.select(
        customers.gather(ranked["customer"]).alias("customer_id"),
        products.gather(ranked["product"]).alias("product_id"),
        "rank",
        pl.col("score").fill_nan(None),
        "kind",
    ).cast(_SCHEMA)
