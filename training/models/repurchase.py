"""Repurchase rhythm: the distribution of gaps between purchases of a product, and the share of buyers who return.

Both are learned for the shop, its categories, its products and the pairs of a customer and a product, each shrunk to
the level above:

    estimate = (sum over the level + c · estimate above) / (count of the level + c)

the posterior mean of a conjugate prior worth c observations (Gelman et al., Bayesian Data Analysis, ch. 2 and 5).
A much-bought product speaks for itself, a new one for its category. The pseudo-counts c, the stretch and the due
factor of `training.models.buy_again` were chosen on Online Retail II (30 days after 2011-06-01, 07-01 and 08-01) by
log loss, calibration, recall and NDCG; near their values the figures hardly change.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr

from training.dataset.pair_history import Floats, History, Ints, build_history, sum_by
from training.dataset.snapshot import Snapshot
from training.models.return_rate import bought_since, fit_odds, look_back, shift_odds

_GAP_PSEUDO_COUNTS, _PAIR_PSEUDO_COUNT = (30.0, 30.0), 4.0
"""Gaps that a category and a product, and the spread of a pair, borrow from the level above."""
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
_SHIFT_LINES = 4_000_000
"""Lines that the correction of the odds is learned from, about: of 9.6 million, a quarter moves it by .013."""
_STRETCH = 0.25
_LARGEST_STRETCH = float(np.log(2))


class Gaps(NamedTuple):
    """The rhythm of one level: three float64 arrays of one length, all finite.

    The gap to the next purchase is log-normal: `log_gap` and `log_gap_sd` are mean and standard deviation (above 0)
    of the natural logarithm of days. `return_share`, in [0, 1], is the share of buyers who buy again in this rhythm.
    """

    log_gap: Floats
    log_gap_sd: Floats
    return_share: Floats


@dataclass(frozen=True)
class ShopRhythms:
    """The rhythms of a shop's products, as `fit_rhythms` returns them.

    Attributes:
        products: by product_index.
        variance: (n_products,) float64 of a product's log gaps.
        within: (n_products,) float64, the part of it that lies within its buyers.
        shop_return_share: over all products.
        odds_shift: the correction of the shares' log odds by the latest days; 0 until it is fitted.
    """

    products: Gaps
    variance: Floats
    within: Floats
    shop_return_share: float
    odds_shift: float = 0.0

    def calibrate(self, gaps: Gaps) -> Gaps:
        """`products`, or the `forecast` of pairs, with `odds_shift` applied, as they are published."""
        return gaps._replace(return_share=shift_odds(gaps.return_share, self.odds_shift))


@dataclass(frozen=True)
class PairRhythms:
    """The rhythms of the pairs of some customers, as `find_rhythms` returns them.

    Attributes:
        history: the pairs and visits.
        shop: of which they are.
        pairs: by position in `history`; what the ranker learns from.
        forecast: likewise; as published but for `odds_shift`, fitted to be calibrated pair by pair.
    """

    history: History
    shop: ShopRhythms
    pairs: Gaps
    forecast: Gaps


class _Level(NamedTuple):
    """The members of one level: `parent` (n_members of the level below,) is the index of each one's parent here."""

    parent: Ints
    size: int


def fit_rhythms(snapshot: Snapshot, history: History, categories: Sequence[str | None]) -> ShopRhythms:
    """The rhythms of the products of a snapshot of everybody.

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
        history: of the same snapshot.
        categories: (n_products,) by product_index; products with None form one category.
    """
    return replace(_learn(snapshot, history, categories), odds_shift=_fit_shift(snapshot, categories))


def find_rhythms(history: History, shop: ShopRhythms) -> PairRhythms:
    """The rhythms of some customers' pairs: the products', and what each pair's own gaps say against them."""
    product = history.product_index
    count, total, square = _log_gap_sums(history)
    log_gap, _, share = (values[product] for values in shop.products)
    mean = _shrink(total, count, log_gap, _PAIR_PSEUDO_COUNT)
    around = np.maximum(square - 2 * mean * total + count * mean**2, 0)
    sd = _sd(_shrink(around, count, shop.variance[product], _PAIR_PSEUDO_COUNT))
    own_share = _own_share(history, share, _OWN_SHARE_PSEUDO_COUNT)
    return PairRhythms(history, shop, Gaps(mean + _stretch(history), sd, own_share), _forecast(history, shop))


def _forecast(history: History, shop: ShopRhythms) -> Gaps:
    """The rhythm of each pair as it is published, but for the correction of its odds."""
    mean, sd = _own_gaps(history, shop)
    share = shop.products.return_share[history.product_index]
    return Gaps(mean + _stretch(history), sd, _own_share(history, share, _FORECAST_SHARE_PSEUDO_COUNT))


def _fit_shift(snapshot: Snapshot, categories: Sequence[str | None]) -> float:
    """What makes the odds of 30 days ago right for what was bought since."""
    snapshot = snapshot.of_every(len(snapshot.day) // _SHIFT_LINES + 1)
    then = look_back(snapshot)
    history = build_history(then)
    forecast = _forecast(history, _learn(then, history, categories))
    elapsed = elapsed_days(then, history.last_visit, history)
    return fit_odds(elapsed, *forecast, bought_since(snapshot, history))


def _learn(snapshot: Snapshot, history: History, categories: Sequence[str | None]) -> ShopRhythms:
    """What the past says, before it is held against the days just past."""
    levels = _build_levels(history, categories)
    means, variances = _fit_gaps(history, levels)
    sd, elapsed = _sd(variances[2]), elapsed_days(snapshot, history.first_visit, history)
    seen = ndtr((np.log(elapsed) - means[2][history.product_index]) / sd[history.product_index])
    shares = _fit_shares(history, levels, seen)
    within = _fit_within(history, levels)
    return ShopRhythms(Gaps(means[2], sd, shares[2]), variances[2], within, float(shares[0][0]))


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
    """Means and variances of log gaps for shop, categories and products."""
    counts, sums, squares = (_roll_up(values, levels) for values in _log_gap_sums(history))
    means = _shrink_down(sums, counts, _FIRST_LOG_GAP, _GAP_PSEUDO_COUNTS, levels)
    around = [
        np.maximum(square - 2 * mean * total + count * mean**2, 0)
        for square, mean, total, count in zip(squares, means, sums, counts, strict=True)
    ]
    return means, _shrink_down(around, counts, _FIRST_LOG_GAP_SD**2, _GAP_PSEUDO_COUNTS, levels)


def _fit_within(history: History, levels: list[_Level]) -> Floats:
    """(n_products,) variance of log gaps within the buyers of each product."""
    count, around = _own_squares(history)
    arounds, freedoms = (_roll_up(values, levels) for values in (around, np.maximum(count - 1, 0)))
    return _shrink_down(arounds, freedoms, _FIRST_LOG_GAP_SD**2, _GAP_PSEUDO_COUNTS, levels)[2]


def _own_gaps(history: History, shop: ShopRhythms) -> tuple[Floats, Floats]:
    """Mean and standard deviation of each pair's next log gap, from those of the products.

    The gaps of a product vary within its buyers and between them. With variances w within and b between, a pair of n
    gaps borrows w / b gaps for its mean, whose own variance is then w / (n + w / b) and adds to the pair's spread.
    """
    own, (_, total, _) = history.product_index, _log_gap_sums(history)
    count, around = _own_squares(history)
    borrowed = (shop.within / np.maximum(shop.variance - shop.within, _SMALLEST_BETWEEN * shop.variance))[own]
    within = _shrink(around, np.maximum(count - 1, 0), shop.within[own], _PAIR_PSEUDO_COUNT)
    spread = within + shop.within[own] / (count + borrowed)
    return _shrink(total, count, shop.products.log_gap[own], borrowed), _sd(spread)


def _own_squares(history: History) -> tuple[Floats, Floats]:
    """(n_pairs,) number of log gaps, and their sum of squares around the pair's own mean."""
    count, total, square = _log_gap_sums(history)
    return count, np.maximum(square - total**2 / np.maximum(count, 1), 0)


def _sd(variance: Floats) -> Floats:
    return np.maximum(np.sqrt(variance), _SMALLEST_SD)


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
    returned = _roll_up((history.visits > 1).astype(np.float64), levels)
    exposed = [np.maximum(*both) for both in zip(_roll_up(seen, levels), returned, strict=True)]
    return _shrink_down(returned, exposed, _FIRST_SHARE, _SHARE_PSEUDO_COUNTS, levels)


def _roll_up(values: Floats, levels: list[_Level]) -> list[Floats]:
    """Sums over shop, categories and products of the (n_pairs,) values."""
    totals = [values]
    for level in reversed(levels):
        totals.insert(0, sum_by(level.parent, totals[0], level.size))
    return totals[:-1]


def _shrink_down(
    sums: list[Floats], counts: list[Floats], first: float, pseudo_counts: Sequence[float], levels: list[_Level]
) -> list[Floats]:
    """Estimates from the shop down, each shrunk to its parent's."""
    estimates = [_shrink(sums[0], counts[0], np.array([first]), 1.0)]
    for total, count, pseudo_count, level in zip(sums[1:], counts[1:], pseudo_counts, levels[:-1], strict=True):
        estimates.append(_shrink(total, count, estimates[-1][level.parent], pseudo_count))
    return estimates


def _shrink(total: Floats, count: Floats, prior: Floats, pseudo_count: Floats | float) -> Floats:
    return (total + pseudo_count * prior) / (count + pseudo_count)


def _stretch(history: History) -> Floats:
    log_quantity = np.log(history.quantity)
    usual = history.sum_by_pair(log_quantity) / history.visits
    stretch: Floats = _STRETCH * (log_quantity[history.last_visit] - usual)
    return np.clip(stretch, -_LARGEST_STRETCH, _LARGEST_STRETCH)


def elapsed_days(snapshot: Snapshot, visit: Ints, history: History) -> Floats:
    """Days from each visit (n,), a position in `history`, to `snapshot.as_of`, above 0."""
    elapsed: Floats = np.maximum(snapshot.as_of_day - history.day[visit], 1e-3)
    return elapsed
