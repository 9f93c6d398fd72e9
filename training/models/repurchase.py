"""Repurchase rhythm: the distribution of gaps between purchases of a product, and the share of buyers who return.

Both are learned for the shop, its categories, its products and the pairs of a customer and a product, each shrunk to
the level above:

    estimate = (sum over the level + c · estimate above) / (count of the level + c)

the posterior mean of a conjugate prior worth c observations (Gelman et al., Bayesian Data Analysis, ch. 2 and 5).
A much-bought product speaks for itself, a new one for its category. The pseudo-counts c, the stretch and the due
factor of `build_buy_again` were chosen on Online Retail II (30 days after 2011-06-01, 07-01 and 08-01) by log loss,
calibration, recall and NDCG; near their values the figures hardly change.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from recommender.publication.lists import OWN, Basis, ListTable
from training.dataset.pair_history import Floats, History, Ints, build_history, sum_by
from training.dataset.ranked_lists import starts_of
from training.dataset.snapshot import Snapshot
from training.models.return_rate import bought_since, bought_within, fit_odds, look_back, shift_odds

_GAP_PSEUDO_COUNTS = (30.0, 30.0, 4.0)
"""Gaps that a category, a product and the spread of a pair borrow from the level above."""
_SMALLEST_BETWEEN = 0.05
"""Share of a product's variance that lies between its buyers, at least."""
_SHARE_PSEUDO_COUNTS = (10.0, 10.0)
"""Buyers that a category and a product borrow from the level above."""
_OWN_SHARE_PSEUDO_COUNT, _FORECAST_SHARE_PSEUDO_COUNT = 2.0, 0.7
"""Returns of one customer that outweigh the product's share, for the ranker and in the forecast."""
_FIRST_LOG_GAP, _FIRST_LOG_GAP_SD, _FIRST_SHARE = float(np.log(30)), 1.0, 0.1
"""A shop without any history: a month or so, one buyer in ten. Worth a single observation."""
_SMALLEST_SD = 0.1
"""Even a clockwork buyer comes a tenth early or late."""
_STRETCH = 0.25
_LARGEST_STRETCH = float(np.log(2))
_SHARE_FLOOR, _SMALLEST_SHARE = 0.2, 0.01
_DUE_DAYS = 30.0
_LARGEST_UINT16 = np.iinfo(np.uint16).max


class Gaps(NamedTuple):
    """The rhythm of one level: three float64 arrays of one length, all finite.

    The gap to the next purchase is log-normal: `log_gap` and `log_gap_sd` are mean and standard deviation (above 0)
    of the natural logarithm of days. `return_share`, in [0, 1], is the share of buyers who buy again in this rhythm.
    """

    log_gap: Floats
    log_gap_sd: Floats
    return_share: Floats


@dataclass(frozen=True)
class ProductRhythms:
    """The rhythms of products and pairs, as `fit_rhythm` returns them.

    Attributes:
        history: the pairs and visits that it was learned from.
        products: by product_index.
        pairs: by position in `history`; what the ranker learns from.
        forecast: likewise; as published but for `odds_shift`, fitted to be calibrated pair by pair.
        shop_return_share: over all products.
        odds_shift: the correction of these shares' log odds by the latest days; 0 until it is fitted.
    """

    history: History
    products: Gaps
    pairs: Gaps
    forecast: Gaps
    shop_return_share: float
    odds_shift: float = 0.0

    def calibrate(self, gaps: Gaps) -> Gaps:
        """`products` or `forecast` with `odds_shift` applied, as they are published."""
        return gaps._replace(return_share=shift_odds(gaps.return_share, self.odds_shift))


@dataclass(frozen=True)
class OwnLists:
    """The own lists: each customer's bought products, best first.

    Attributes:
        table: dtype OWN, an owner for every customer; `score` is NaN until a probability is learned.
        raw_score: (len(table.records),) float32, at least 0: what the lists are sorted by.
    """

    table: ListTable
    raw_score: NDArray[np.float32]


class _Level(NamedTuple):
    """The members of one level: `parent` (n_members of the level below,) is the index of each one's parent here."""

    parent: Ints
    size: int


def fit_rhythm(snapshot: Snapshot, categories: Sequence[str | None]) -> ProductRhythms:
    """The rhythms of a snapshot's products and pairs.

    Gaps are the days between successive purchase days of one customer and one product. The mean and the variance of
    their logarithms are shrunk level by level. Gaps that are still open are not used, so that in a short history the
    long ones are under-represented; what they mean for the chance of a return is left to `recommender.slate.due`.

    Return share of shop, category and product: buyers with a second purchase day over buyers who have had time for
    one. A buyer whose first purchase is e days ago counts F(e) to the latter, F being the product's gap
    distribution: fresh buyers hardly count, those who have been silent for long count in full (exposure "used up",
    as in the Cape Cod method of loss reserving). Of a customer who came back n times and whose last gap is open, the
    share is (n + c · product) / (n + c): a beta-geometric chance to return (Fader & Hardie 2007, J. Interactive
    Marketing 21). The open gap is weighed at serving time.

    How far all shares are off is learned at once: what would have been forecast 30 days ago is held against what was
    bought since. The factor that makes up for it multiplies the odds to return where they are published.

    A last purchase larger than usual lasts longer: the own log gap grows by a quarter of ln(last quantity /
    geometric mean quantity of the pair), at most ln 2 up or down.

    Args:
        snapshot: what is known.
        categories: (n_products,) by product_index; products with None form one category.
    """
    then = look_back(snapshot)
    known = _learn(then, categories)
    elapsed = _elapsed(then, known.history.last_visit, known.history)
    shift = fit_odds(elapsed, *known.forecast, bought_since(snapshot, known.history))
    del then, known, elapsed  # not held beside what is learned next
    return replace(_learn(snapshot, categories), odds_shift=shift)


def build_buy_again(snapshot: Snapshot, rhythm: ProductRhythms, k: int, half_life_days: float) -> OwnLists:
    """The buy-again lists: each customer's own products by the probability of another purchase.

        raw score = Σ over purchase days 0.5^(age / half_life_days) · return share of the product · √P

    with P the probability of a purchase within 30 days, from the pair's rhythm as in `recommender.slate.due`. The root
    keeps an estimate of timing from overruling what the history counts. A pair is left out where its return share is
    below 0.2 of the shop's or below 1 %: durables that nobody re-buys, unless this customer did.

    Args:
        snapshot: the one that `rhythm` was learned from.
        rhythm: result of `fit_rhythm`.
        k: longest list, at least 1.
        half_life_days: a purchase day this old counts half.

    Returns:
        An owner for every customer in the order of `snapshot.customers`, possibly with an empty list; ties by
        product_index.
    """
    history, share = rhythm.history, rhythm.pairs.return_share
    score = _score(snapshot, rhythm, half_life_days)
    kept = np.flatnonzero(share >= max(_SHARE_FLOOR * rhythm.shop_return_share, _SMALLEST_SHARE))
    kept = kept[np.lexsort((history.product_index[kept], -score[kept], history.customer_index[kept]))]
    counts = np.bincount(history.customer_index[kept], minlength=len(snapshot.customers))
    rank = np.arange(len(kept)) - np.repeat(np.cumsum(counts) - counts, counts)
    kept = kept[rank < k]
    table = ListTable(
        owner_ids=snapshot.customers.ids,
        starts=starts_of(np.minimum(counts, k)),
        records=_records(rhythm, kept),
        basis=np.full(len(counts), Basis.MODEL, dtype=np.uint8),
    )
    return OwnLists(table, score[kept].astype(np.float32))


def _learn(snapshot: Snapshot, categories: Sequence[str | None]) -> ProductRhythms:
    """What the past says, before it is held against the days just past."""
    history = build_history(snapshot)
    levels = _build_levels(history, categories)
    means, variances = _fit_gaps(history, levels)
    sds = [np.maximum(np.sqrt(variance), _SMALLEST_SD) for variance in variances]
    elapsed = _elapsed(snapshot, history.first_visit, history)
    seen = ndtr((np.log(elapsed) - means[2][history.product_index]) / sds[2][history.product_index])
    shares = _fit_shares(history, levels, seen)
    own_mean, own_sd = _fit_own_gaps(history, levels, means[2], variances[2])
    stretch, product_share = _stretch(history), shares[2][history.product_index]
    return ProductRhythms(
        history=history,
        products=Gaps(means[2], sds[2], shares[2]),
        pairs=Gaps(means[3] + stretch, sds[3], _own_share(history, product_share, _OWN_SHARE_PSEUDO_COUNT)),
        forecast=Gaps(own_mean + stretch, own_sd, _own_share(history, product_share, _FORECAST_SHARE_PSEUDO_COUNT)),
        shop_return_share=float(shares[0][0]),
    )


def _build_levels(history: History, categories: Sequence[str | None]) -> list[_Level]:
    """Shop over categories, categories over products, products over pairs."""
    names = sorted({name or "" for name in categories})
    position = {name: index for index, name in enumerate(names)}
    category = np.array([position[name or ""] for name in categories], dtype=np.int64)
    return [
        _Level(np.zeros(len(names), dtype=np.int64), 1),
        _Level(category, len(names)),
        _Level(history.product_index, len(categories)),
    ]


def _fit_gaps(history: History, levels: list[_Level]) -> tuple[list[Floats], list[Floats]]:
    """Means and variances of log gaps for shop, categories, products and pairs."""
    counts, sums, squares = (_roll_up(values, levels) for values in _log_gap_sums(history))
    means = _shrink_down(sums, counts, _FIRST_LOG_GAP, _GAP_PSEUDO_COUNTS, levels)
    around = [
        np.maximum(square - 2 * mean * total + count * mean**2, 0)
        for square, mean, total, count in zip(squares, means, sums, counts, strict=True)
    ]
    return means, _shrink_down(around, counts, _FIRST_LOG_GAP_SD**2, _GAP_PSEUDO_COUNTS, levels)


def _fit_own_gaps(history: History, levels: list[_Level], mean: Floats, variance: Floats) -> tuple[Floats, Floats]:
    """Mean and standard deviation of each pair's next log gap, from those of the products.

    The gaps of a product vary within its buyers and between them. With variances w within and b between, a pair of n
    gaps borrows w / b gaps for its mean, whose own variance is then w / (n + w / b) and adds to the pair's spread.
    """
    count, total, square = _log_gap_sums(history)
    around = np.maximum(square - total**2 / np.maximum(count, 1), 0)
    arounds, freedoms = (_roll_up(values, levels) for values in (around, np.maximum(count - 1, 0)))
    within = _shrink_down(arounds, freedoms, _FIRST_LOG_GAP_SD**2, _GAP_PSEUDO_COUNTS, levels)
    own = history.product_index
    borrowed = (within[2] / np.maximum(variance - within[2], _SMALLEST_BETWEEN * variance))[own]
    spread = within[3] + within[2][own] / (count + borrowed)
    return _shrink(total, count, mean[own], borrowed), np.maximum(np.sqrt(spread), _SMALLEST_SD)


def _log_gap_sums(history: History) -> tuple[Floats, Floats, Floats]:
    """(n_pairs,) number, sum and sum of squares of the log gaps."""
    again = np.delete(np.arange(len(history.day)), history.first_visit)
    log_gap = np.log(history.day[again] - history.day[again - 1])
    count, total, square = (sum_by(history.pair[again], log_gap**power, len(history.orders)) for power in (0, 1, 2))
    return count, total, square


def _own_share(history: History, product_share: Floats, pseudo_count: float) -> Floats:
    returns = (history.visits - 1).astype(np.float64)
    return _shrink(returns, returns, product_share, pseudo_count)


def _fit_shares(history: History, levels: list[_Level], seen: Floats) -> list[Floats]:
    """Return shares of shop, categories and products; `seen` is how much of its gap each pair has had time for."""
    returned = _roll_up((history.visits > 1).astype(np.float64), levels)[:3]
    exposed = [np.maximum(*both) for both in zip(_roll_up(seen, levels)[:3], returned, strict=True)]
    return _shrink_down(returned, exposed, _FIRST_SHARE, _SHARE_PSEUDO_COUNTS, levels[:2])


def _roll_up(values: Floats, levels: list[_Level]) -> list[Floats]:
    """Sums over shop, categories, products and, unchanged, pairs."""
    totals = [values]
    for level in reversed(levels):
        totals.insert(0, sum_by(level.parent, totals[0], level.size))
    return totals


def _shrink_down(
    sums: list[Floats], counts: list[Floats], first: float, pseudo_counts: Sequence[float], levels: list[_Level]
) -> list[Floats]:
    """Estimates from the shop down, each shrunk to its parent's."""
    estimates = [_shrink(sums[0], counts[0], np.array([first]), 1.0)]
    for total, count, pseudo_count, level in zip(sums[1:], counts[1:], pseudo_counts, levels, strict=True):
        estimates.append(_shrink(total, count, estimates[-1][level.parent], pseudo_count))
    return estimates


def _shrink(total: Floats, count: Floats, prior: Floats, pseudo_count: Floats | float) -> Floats:
    return (total + pseudo_count * prior) / (count + pseudo_count)


def _stretch(history: History) -> Floats:
    log_quantity = np.log(history.quantity)
    usual = history.sum_by_pair(log_quantity) / history.visits
    stretch: Floats = _STRETCH * (log_quantity[history.last_visit] - usual)
    return np.clip(stretch, -_LARGEST_STRETCH, _LARGEST_STRETCH)


def _elapsed(snapshot: Snapshot, visit: Ints, history: History) -> Floats:
    """Days from a visit to as_of, above 0."""
    elapsed: Floats = np.maximum(snapshot.as_of_day - history.day[visit], 1e-3)
    return elapsed


def _score(snapshot: Snapshot, rhythm: ProductRhythms, half_life_days: float) -> Floats:
    history = rhythm.history
    due = bought_within(_DUE_DAYS, _elapsed(snapshot, history.last_visit, history), *rhythm.calibrate(rhythm.forecast))
    decay = 0.5 ** ((snapshot.as_of_day - history.day) / half_life_days)
    return history.sum_by_pair(decay) * rhythm.products.return_share[history.product_index] * np.sqrt(due)


def _records(rhythm: ProductRhythms, kept: Ints) -> NDArray[np.void]:
    history, pairs = rhythm.history, rhythm.calibrate(rhythm.forecast)
    records = np.zeros(len(kept), dtype=OWN)
    records["product_index"] = history.product_index[kept]
    records["score"] = np.nan
    records["last_day"] = np.clip(history.day[history.last_visit[kept]], 0, _LARGEST_UINT16)
    records["purchases"] = np.minimum(history.orders[kept], _LARGEST_UINT16)
    records["log_gap"], records["log_gap_sd"], records["return_share"] = (field[kept] for field in pairs)
    return records
