"""Offline metrics of ranked lists, customer by customer, against the purchases that followed.

Every measure at k takes the same two arrays, so that k is always `hits.shape[1]`:

    hits        (n_customers, k) bool: whether the product at this rank was bought. A list shorter than k is
                padded with False.
    n_relevant  (n_customers,) int: how many distinct products the customer bought, found or not.

It returns (n_customers,) float64 in [0, 1], NaN for a customer with nothing relevant (k = 0 counts as such where k
divides): such a customer says nothing about the list and is left out of a mean, not counted as a failure. The mean
is the caller's, so that it can also resample customers. Agrees with trec_eval, which tests compare with.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Hits = NDArray[np.bool_]
Counts = NDArray[np.integer]
Shares = NDArray[np.float64]


def recall_at_k(hits: Hits, n_relevant: Counts) -> Shares:
    """Recall at k: hits / n_relevant.

    Source: Manning, Raghavan, Schütze, Introduction to Information Retrieval (2008), 8.3. A customer who bought more
    than k products cannot reach 1.
    """
    return _ratio(hits.sum(axis=1), n_relevant)


def hit_rate_at_k(hits: Hits, n_relevant: Counts) -> Shares:
    """Hit rate at k: 1 where any product on the list was bought, else 0; trec_eval calls it success."""
    return np.where(n_relevant > 0, hits.any(axis=1).astype(np.float64), np.nan)


def average_precision_at_k(hits: Hits, n_relevant: Counts) -> Shares:
    """Average precision at k: the mean over bought products of the precision at their rank, 0 off the list.

        AP@k = Σ_{r ≤ k, hit at r} (hits up to r) / r  /  n_relevant

    Source: Manning, Raghavan, Schütze (2008), equation 8.8, cut at k. It divides by n_relevant, not by
    min(k, n_relevant), as trec_eval's map_cut does.
    """
    ranks = np.arange(1, hits.shape[1] + 1)
    return _ratio((hits * hits.cumsum(axis=1) / ranks).sum(axis=1), n_relevant)


def ndcg_at_k(hits: Hits, n_relevant: Counts) -> Shares:
    """NDCG at k: discounted gain over that of the best list possible.

        DCG@k = Σ_{r ≤ k, hit at r} 1 / log2(r + 1)        NDCG@k = DCG@k / DCG of min(k, n_relevant) leading hits

    Source: Järvelin and Kekäläinen, Cumulated gain-based evaluation of IR techniques, ACM TOIS 20 (2002), with gains
    of 0 and 1 and the discount of Burges et al. (2005).
    """
    k = hits.shape[1]
    discount = 1 / np.log2(np.arange(2, k + 2))
    ideal = np.concatenate([[0.0], discount.cumsum()])
    return _ratio((hits * discount).sum(axis=1), ideal[np.minimum(n_relevant, k)])


def coverage(product_index: NDArray[np.integer], n_products: int) -> float:
    """Catalogue coverage: the share of the `n_products` that stand on at least one list.

    `product_index` holds every place of every list, in any shape, each in [0, n_products). No products: 0.
    """
    return np.unique(product_index).size / n_products if n_products else 0.0


def repeat_share(is_repeat: Hits) -> float:
    """Repeat share: the share of all places with a product that the customer had bought before; NaN without places.

    `is_repeat` has one value per filled place, in any shape.
    """
    return float(is_repeat.mean()) if is_repeat.size else float("nan")


def novelty(buyer_share: Shares) -> float:
    """Novelty: mean self-information of all places in bits, -log2(share of the customers who bought the product).

    `buyer_share` has one value in (0, 1] per filled place, in any shape; no place gives NaN. Source: Zhou et al.
    2010, Solving the apparent diversity-accuracy dilemma of recommender systems, PNAS 107.
    """
    return float(-np.log2(buyer_share).mean()) if buyer_share.size else float("nan")


class Reliability(NamedTuple):
    """A reliability diagram: predicted against observed in bins of equal mass, the lowest first; (n_bins,) each."""

    predicted: Shares
    observed: Shares
    n: Counts


def reliability(probability: NDArray[np.floating], bought: NDArray[np.bool_], n_bins: int = 20) -> Reliability:
    """The reliability diagram of predictions in `n_bins` bins of equal mass.

    Args:
        probability: (n,) predictions in [0, 1], none NaN.
        bought: (n,) what came of each.
        n_bins: at least 1; fewer are returned for fewer predictions.

    Equal predictions that fall into two bins share their outcome, so that the order of the rows does not matter.
    """
    values, group = np.unique(probability.astype(np.float64), return_inverse=True)
    outcome = _ratio(np.bincount(group, weights=bought, minlength=len(values)), np.bincount(group))[np.sort(group)]
    bins = zip(np.array_split(values[np.sort(group)], n_bins), np.array_split(outcome, n_bins), strict=True)
    filled = [(predicted.mean(), observed.mean(), len(observed)) for predicted, observed in bins if len(observed)]
    predicted, observed, n = np.array(filled, dtype=np.float64).reshape(-1, 3).T
    return Reliability(predicted, observed, n.astype(np.int64))


def calibration_error(bins: Reliability) -> float:
    """Expected calibration error: mean distance of predicted from observed, weighted by bin; NaN without predictions.

    Source: Naeini, Cooper, Hauskrecht 2015, Obtaining Well Calibrated Probabilities Using Bayesian Binning, AAAI, with
    bins of equal mass: probabilities of a purchase are small, and bins of equal width would hold nearly all in one.
    """
    if not bins.n.sum():
        return float("nan")
    return float(np.average(np.abs(bins.predicted - bins.observed), weights=bins.n))


def _ratio(part: NDArray[np.number], whole: NDArray[np.number]) -> Shares:
    """Of `part` and `whole`, (n_customers,) each, the quotient; NaN where whole is 0."""
    shares: Shares = np.full(whole.shape, np.nan)
    np.divide(part, whole, out=shares, where=whole > 0)
    return shares
