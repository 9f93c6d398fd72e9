"""The buy-again lists by rhythm: each customer's own products, before probabilities are learned."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.publication.lists import OWN, Basis, ListTable
from training.dataset.pair_history import Floats, Ints
from training.dataset.ranked_lists import starts_of
from training.dataset.snapshot import Snapshot
from training.models.repurchase import PairRhythms, elapsed_days
from training.models.return_rate import bought_within

_SHARE_FLOOR, _SMALLEST_SHARE = 0.2, 0.01
_DUE_DAYS = 30.0
_LARGEST_UINT16 = np.iinfo(np.uint16).max


@dataclass(frozen=True)
class OwnLists:
    """The own lists: each customer's bought products, best first.

    Attributes:
        table: dtype OWN, an owner for every customer; `score` is NaN until a probability is learned.
        raw_score: (len(table.records),) float32, at least 0: what the lists are sorted by.
    """

    table: ListTable
    raw_score: NDArray[np.float32]


def build_buy_again(snapshot: Snapshot, rhythm: PairRhythms, k: int, half_life_days: float) -> OwnLists:
    """The buy-again lists: each customer's own products by the probability of another purchase.

        raw score = Σ over purchase days 0.5^(age / half_life_days) · return share of the product · √P

    with P the probability of a purchase within 30 days, from the pair's rhythm as in `recommender.slate.due`. The root
    keeps an estimate of timing from overruling what the history counts. A pair is left out where its return share is
    below 0.2 of the shop's or below 1 %: durables that nobody re-buys, unless this customer did.

    Args:
        snapshot: of everybody or of some customers.
        rhythm: result of `find_rhythms` for it.
        k: longest list, at least 1.
        half_life_days: a purchase day this old counts half.

    Returns:
        An owner for every customer in the order of `snapshot.customers`, possibly with an empty list; ties by
        product_index.
    """
    history, share = rhythm.history, rhythm.pairs.return_share
    score = _score(snapshot, rhythm, half_life_days)
    kept = np.flatnonzero(share >= max(_SHARE_FLOOR * rhythm.shop.shop_return_share, _SMALLEST_SHARE))
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


def _score(snapshot: Snapshot, rhythm: PairRhythms, half_life_days: float) -> Floats:
    history = rhythm.history
    due = bought_within(
        _DUE_DAYS, elapsed_days(snapshot, history.last_visit, history), *rhythm.shop.calibrate(rhythm.forecast)
    )
    decay = 0.5 ** ((snapshot.as_of_day - history.day) / half_life_days)
    return history.sum_by_pair(decay) * rhythm.shop.products.return_share[history.product_index] * np.sqrt(due)


def _records(rhythm: PairRhythms, kept: Ints) -> NDArray[np.void]:
    history, pairs = rhythm.history, rhythm.shop.calibrate(rhythm.forecast)
    records = np.zeros(len(kept), dtype=OWN)
    records["product_index"] = history.product_index[kept]
    records["score"] = np.nan
    records["last_day"] = np.clip(history.day[history.last_visit[kept]], 0, _LARGEST_UINT16)
    records["purchases"] = np.minimum(history.orders[kept], _LARGEST_UINT16)
    records["log_gap"], records["log_gap_sd"], records["return_share"] = (field[kept] for field in pairs)
    return records
