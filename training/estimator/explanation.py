"""Explanation of one customer's ranking: which features pull each product up or down."""

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import logit

from recommender.errors import UnknownCustomerError
from training.dataset.pair_history import Ints
from training.ranking.feature_table import FeatureTable
from training.ranking.features import build_features, customer_table, find_candidates, find_evidence
from training.ranking.ranker import Ranker, is_own
from training.ranking.shop_evidence import ShopEvidence

_LEAST = 1e-7
"""Probabilities nearer to 0 or 1 than this count as this near: log-odds of float32 are noise beyond."""


def explain_customer(
    customer_id: str, part: pl.DataFrame, shop: ShopEvidence, ranker: Ranker, *, k: int, n_features: int
) -> pl.DataFrame:
    """The likeliest products of a customer with the features that speak most for or against each.

    The pull of a feature is what the log-odds would lose if it had the value that is usual (the median) among
    candidates of the same kind, all else equal: above 0 it speaks for the product. Pulls of features that tell alike do
    not add up.

    Args:
        customer_id: who is explained.
        part: all ledger lines of some customers, this one among them; the usual values are those of their candidates.
        shop: what everybody's purchases say at the same moment.
        ranker: that ranked the customer.
        k: products.
        n_features: for each product, those with the largest pull.

    Returns:
        rank Int32 from 1, product_id, kind String (`buy_again`, `discover`), probability Float32 of a purchase within
        the horizon, returns Float32: that the customer buys anything in it; feature String, value and usual Float32
        (null where it has no meaning), pull Float32. By rank, the largest pull first.

    Raises:
        UnknownCustomerError: there is no purchase before `shop.as_of`.
    """
    evidence = find_evidence(part, shop)
    ids = evidence.snapshot.customers.ids
    if customer_id not in ids:
        raise UnknownCustomerError(f"{customer_id!r} bought nothing before {shop.as_of}; only buyers have a ranking")
    customer, everyone = np.array([list(ids).index(customer_id)]), np.arange(len(ids))
    candidates = find_candidates(evidence, everyone)
    features = build_features(evidence, candidates)
    asked = candidates.customer_index == customer[0]
    returns = ranker.returning(customer_table(evidence, customer))[0]
    probability = returns * ranker.score(features.filter(asked))
    first = np.lexsort((candidates.product_index[asked], -probability))[:k]
    products = _products(shop, candidates.product_index[asked][first], features.filter(asked), first)
    told = products.with_columns(pl.Series("probability", probability[first]), pl.lit(returns).alias("returns"))
    return told.join(
        _pulls(ranker, features, np.flatnonzero(asked)[first], n_features), on="rank", maintain_order="left"
    )


def _products(shop: ShopEvidence, product_index: Ints, features: FeatureTable, first: Ints) -> pl.DataFrame:
    own = is_own(features.column("pair_orders"))[first]
    return pl.DataFrame(
        {
            "rank": np.arange(1, len(first) + 1, dtype=np.int32),
            "product_id": pl.Series([shop.products.ids[product] for product in product_index], dtype=pl.String),
            "kind": np.where(own, "buy_again", "discover"),
        }
    )


def _pulls(ranker: Ranker, features: FeatureTable, first: Ints, n_features: int) -> pl.DataFrame:
    """The features of the largest pull, of each of the first candidates."""
    table = features.to_frame()
    names, values = table.columns, table.to_numpy()
    usual = np.empty((len(first), len(names)), np.float32)
    own = is_own(features.column("pair_orders"))
    for kind in (own, ~own):
        usual[kind[first]] = pl.DataFrame(values[kind], names).fill_nan(None).median().fill_null(np.nan).to_numpy()
    shown = values[first]
    lost = logit(_scores(ranker, shown, names))[:, None] - logit(_one_usual(ranker, shown, usual, names))
    pulls = pl.DataFrame(
        {
            "rank": np.repeat(np.arange(1, len(first) + 1, dtype=np.int32), len(names)),
            "feature": names * len(first),
            "value": shown.ravel(),
            "usual": usual.ravel(),
            "pull": lost.astype(np.float32).ravel(),
        }
    )
    by_size = pulls.sort("rank", pl.col("pull").abs(), "feature", descending=[False, True, False])
    return (
        by_size.group_by("rank", maintain_order=True)
        .head(n_features)
        .with_columns(pl.col("value", "usual").fill_nan(None))
    )


def _one_usual(
    ranker: Ranker, shown: NDArray[np.float32], usual: NDArray[np.float32], names: list[str]
) -> NDArray[np.float64]:
    """(n, n_features) the probability with one feature after the other as usual."""
    n, width = shown.shape
    varied = np.repeat(shown, width, axis=0)
    every = np.arange(n * width)
    varied[every, every % width] = usual.ravel()
    return _scores(ranker, varied, names).reshape(n, width)


def _scores(ranker: Ranker, values: NDArray[np.float32], names: list[str]) -> NDArray[np.float64]:
    score = ranker.score(FeatureTable.of(pl.DataFrame(values, names)))
    return np.clip(score.astype(np.float64), _LEAST, 1 - _LEAST)
