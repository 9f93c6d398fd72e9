"""Personal lists: every customer's candidates by falling probability."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recommender.publication.lists import ListTable
from training.dataset.batches import Rows, customer_batches, for_each_batch
from training.dataset.pair_history import Ints
from training.dataset.pair_keys import find_keys
from training.dataset.ranked_lists import RankedLists, concatenate_lists, owners_of, starts_of
from training.ranking.features import Evidence, build_features, customer_table, find_candidates
from training.ranking.ranker import Ranker, is_own


class PersonalLists(NamedTuple):
    """The ranked lists of some customers: all products bought before, and the best of the others.

    Scores are probabilities.
    """

    buy_again: RankedLists
    discover: RankedLists


def rank_candidates(
    ranker: Ranker,
    evidence: Evidence,
    customers: NDArray[np.integer],
    k: int,
    advance: Callable[[int], None] = lambda _: None,
) -> PersonalLists:
    """The personal lists of some customers, scored batch by batch.

    Args:
        ranker: learned from earlier windows.
        evidence: what is known now.
        customers: (n,) customer indices, rising.
        k: longest list of products never bought.
        advance: is called with the number of customers done.
    """

    def rank_batch(_: int, batch: Rows) -> PersonalLists:
        candidates = find_candidates(evidence, batch)
        features = build_features(evidence, candidates)
        row, product = np.searchsorted(batch, candidates.customer_index), candidates.product_index
        returning = ranker.returning(customer_table(evidence, batch))
        score, bought = returning[row] * ranker.score(features), is_own(features.column("pair_orders"))
        own = _ranked(row[bought], product[bought], score[bought], len(batch))
        new = _ranked(row[~bought], product[~bought], score[~bought], len(batch))
        return PersonalLists(own, first_of_each(new, k))

    batches = customer_batches(customers, len(evidence.snapshot.products))
    lists = list(for_each_batch(rank_batch, batches, advance))
    return PersonalLists(
        concatenate_lists(each.buy_again for each in lists), concatenate_lists(each.discover for each in lists)
    )


def first_of_each(lists: RankedLists, k: int) -> RankedLists:
    """The first `k` products of each list."""
    kept = _places(lists.starts) < k
    return RankedLists(starts_of(np.minimum(lists.lengths, k)), lists.product_index[kept], lists.score[kept])


def buy_again_table(own: ListTable, ranked: RankedLists, n_products: int, k: int) -> ListTable:
    """The buy-again table: the records of `own` by falling probability, with probabilities.

    Args:
        own: what each customer bought before and may buy again, with its rhythm.
        ranked: a list for each owner of `own`; products that it does not have are left out.
        n_products: of the shop.
        k: longest list.
    """
    keys = owners_of(own.starts) * n_products + own.records["product_index"]
    by_key = np.argsort(keys)
    owner = owners_of(ranked.starts)
    position = find_keys(keys[by_key], owner * n_products + ranked.product_index)
    owner, position, score = owner[position >= 0], by_key[position[position >= 0]], ranked.score[position >= 0]
    starts = starts_of(np.bincount(owner, minlength=len(own)))
    kept = _places(starts) < k
    records = own.records[position[kept]]
    records["score"] = score[kept]
    return ListTable(own.owner_ids, starts_of(np.minimum(np.diff(starts), k)), records, own.basis)


def _places(starts: Ints) -> Ints:
    """Place from 0 of each record within its list."""
    return np.arange(starts[-1]) - np.repeat(starts[:-1], np.diff(starts))


def _ranked(row: Ints, product: Ints, score: NDArray[np.float32], n: int) -> RankedLists:
    """A list for each of `n` rows by falling score, ties by product_index."""
    order = np.lexsort((product, -score, row))
    return RankedLists(starts_of(np.bincount(row, minlength=n)), product[order].astype(np.int32), score[order])
