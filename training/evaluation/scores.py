"""Scores of a ranking: offline metrics by customer, and their means by slice of customers.

Slices of the same ranking, each named by the beginning of a measure's name:

- none (mixed): its first k products against all that the customer bought in the window;
- `repeat_`: the products on it that the customer had bought before the cut, ranked anew, against the part of the truth
  that was bought before; only customers with such a truth;
- `discover_`: likewise, what was never bought before;
- `orders_1_`, `orders_2_4_`, `orders_5_`: mixed, by the orders that the customer had made before the cut;
- `orders_0_`: customers without a past, who are in no other slice.

A ranking is scored as far as it goes: repeat and discover need one that is longer than k to be fair.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from training.dataset.split import PAIR, Window
from training.evaluation import offline_metrics

Scores = dict[str, float | None]
"""Measure → figure; None where nobody could be scored."""

MEASURES = {
    "recall": offline_metrics.recall_at_k,
    "ndcg": offline_metrics.ndcg_at_k,
    "hit_rate": offline_metrics.hit_rate_at_k,
    "map": offline_metrics.average_precision_at_k,
}
ORDERS = {"orders_1_": (1, 1), "orders_2_4_": (2, 4), "orders_5_": (5, np.inf)}
SLICES = ("", "repeat_", "discover_", "orders_0_", *ORDERS)


@dataclass(frozen=True)
class CustomerScores:
    """The metrics of one ranking for each customer.

    Attributes:
        customers: (n,) ids of `Window.everyone`.
        measures: (m,) names, such as `recall@10` or `repeat_ndcg@5`.
        values: (n, m) float64, NaN where the customer is not in the measure's slice: the same ones for all rankings.
    """

    customers: pl.Series
    measures: tuple[str, ...]
    values: NDArray[np.float64]


def score_customers(ranking: pl.DataFrame, window: Window, ks: Sequence[int]) -> CustomerScores:
    """The metrics of a ranking for each customer; see `score_ranking`."""
    ranking = _of_window(ranking, window)
    columns = {
        f"{piece}{name}@{k}": np.where(asked, measure(hits[:, :k], n_relevant), np.nan)
        for piece, hits, n_relevant, asked in _slices(ranking, window, max(ks))
        for name, measure in MEASURES.items()
        for k in ks
    }
    return CustomerScores(window.everyone, tuple(columns), np.column_stack(list(columns.values())))


def score_ranking(ranking: pl.DataFrame, window: Window, ks: Sequence[int]) -> Scores:
    """The scores of a ranking: mean metrics by slice.

    Args:
        ranking: [customer_id, product_id, rank, …], each product once for a customer. Customers who bought nothing in
            the window are left out; one who did and has no list scores 0.
        window: past and truth.
        ks: lengths of the list that are judged.

    Returns:
        Means of `recall@k`, `ndcg@k`, `hit_rate@k` and `map@k`, and `n_customers`, for each slice; then of the
        customers with a past: `coverage@k` (share of the products sold before the cut that anybody is shown),
        `repeat_share@k` (share of the places that hold what the customer had bought before) and `novelty@k` (bits of
        surprise of a place, among the products sold before).

    Raises:
        ValueError: a customer has a product twice.
    """
    return mean_scores(score_customers(ranking, window, ks)) | _variety(_of_window(ranking, window), window, ks)


def mean_scores(scores: CustomerScores) -> Scores:
    """The mean of each measure and the `n_customers` of each slice."""
    means: Scores = {}
    for measure, values in zip(scores.measures, scores.values.T, strict=True):
        asked = values[~np.isnan(values)]
        means[measure] = float(asked.mean()) if len(asked) else None
        means[f"{slice_of(measure)}n_customers"] = len(asked)
    return means


def slice_of(measure: str) -> str:
    """The slice that a measure's name begins with."""
    return next((piece for piece in SLICES if piece and measure.startswith(piece)), "")


def _of_window(ranking: pl.DataFrame, window: Window) -> pl.DataFrame:
    ranking = ranking.join(window.everyone.to_frame(), on="customer_id", how="semi").sort("customer_id", "rank")
    if ranking.select(PAIR).is_duplicated().any():
        raise ValueError("the ranking holds a product twice for one customer")
    return ranking


def _slices(
    ranking: pl.DataFrame, window: Window, k: int
) -> Iterator[tuple[str, offline_metrics.Hits, NDArray[np.int64], NDArray[np.bool_]]]:
    """Name of each slice, hits (n, k), n_relevant (n,) and whether a customer of `everyone` is in the slice (n,)."""
    rows = window.everyone.to_frame().with_row_index("row")
    mixed = _hits(ranking, pl.concat([window.truth, window.newcomers]), rows, k)
    orders = rows.join(window.past_orders, on="customer_id", how="left", maintain_order="left")
    n_orders = orders["n_orders"].fill_null(0).to_numpy()
    own = ranking.join(window.bought, on=PAIR, how="semi", maintain_order="left")
    new = ranking.join(window.bought, on=PAIR, how="anti", maintain_order="left")
    yield "", *mixed, n_orders > 0
    yield "repeat_", *_hits(own, window.repeat, rows, k), n_orders > 0
    yield "discover_", *_hits(new, window.discover, rows, k), n_orders > 0
    yield "orders_0_", *mixed, n_orders == 0
    for piece, (fewest, most) in ORDERS.items():
        yield piece, *mixed, (fewest <= n_orders) & (n_orders <= most)


def _hits(
    ranking: pl.DataFrame, truth: pl.DataFrame, rows: pl.DataFrame, k: int
) -> tuple[offline_metrics.Hits, NDArray[np.int64]]:
    """`hits` (n, k) and `n_relevant` (n,) of the customers in `rows`."""
    hits, n_relevant = np.zeros((len(rows), k), dtype=bool), np.zeros(len(rows), dtype=np.int64)
    found = _first(ranking, k).join(truth, on=PAIR, how="semi").join(rows, on="customer_id")
    hits[found["row"].to_numpy(), found["place"].to_numpy()] = True
    bought = truth.group_by("customer_id").len().join(rows, on="customer_id")
    n_relevant[bought["row"].to_numpy()] = bought["len"].to_numpy()
    return hits, n_relevant


def _variety(ranking: pl.DataFrame, window: Window, ks: Sequence[int]) -> Scores:
    buyers = window.past.group_by("product_id").agg(pl.col("customer_id").n_unique().alias("buyers"))
    share = buyers.cast({"product_id": pl.String}).sort("product_id").with_row_index("product_index")
    share = share.with_columns(pl.col("buyers") / max(window.past["customer_id"].n_unique(), 1))
    shown = ranking.join(window.customers.to_frame(), on="customer_id", how="semi", maintain_order="left")
    shown = shown.join(window.bought.with_columns(repeat=True), on=PAIR, how="left", maintain_order="left")
    shown = shown.join(share, on="product_id", how="left", maintain_order="left")
    figures: Scores = {}
    for k in ks:
        places = _first(shown, k)
        repeated, sold = places["repeat"].fill_null(value=False), places.drop_nulls("product_index")
        figures[f"coverage@{k}"] = offline_metrics.coverage(sold["product_index"].to_numpy(), len(share))
        figures[f"repeat_share@{k}"] = offline_metrics.repeat_share(repeated.to_numpy()) if len(places) else None
        figures[f"novelty@{k}"] = offline_metrics.novelty(sold["buyers"].to_numpy()) if len(sold) else None
    return figures


def _first(ranking: pl.DataFrame, k: int) -> pl.DataFrame:
    """The first k of each customer in a sorted ranking, with `place` from 0, whatever ranks were left out."""
    place = pl.int_range(pl.len()).over("customer_id").alias("place")
    return ranking.with_columns(place).filter(pl.col("place") < k)
