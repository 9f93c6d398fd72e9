"""Personal lists: every customer's candidates by falling probability, part by part.

    part      all ledger lines of some customers
    shop      what everybody's purchases say (`training.ranking.shop_evidence`)
    lists     a row for each customer: customer_id String, buy_again and discover Binary, the records of the two lists
              (`recommender.publication.lists`)

Nothing of another part is needed, and no list depends on who else is in the part.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recommender.publication.lists import ListTable
from training.dataset.batches import Rows, customer_batches, for_each_batch
from training.dataset.pair_history import Ints
from training.dataset.pair_keys import find_keys
from training.dataset.ranked_lists import RankedLists, build_table, concatenate_lists, owners_of, starts_of
from training.models.als import top_products
from training.models.buy_again import build_buy_again
from training.parts.part_lists import pack_lists
from training.ranking.features import Evidence, build_features, customer_table, find_candidates, find_evidence
from training.ranking.ranker import Ranker, is_own
from training.ranking.shop_evidence import ShopEvidence


class PersonalLists(NamedTuple):
    """The ranked lists of some customers: all products bought before, and the best of the others.

    Scores are probabilities.
    """

    buy_again: RankedLists
    discover: RankedLists


def rank_part(
    part: pl.DataFrame, shop: ShopEvidence, ranker: Ranker | None, advance: Callable[[int], None] = lambda _: None
) -> pl.DataFrame:
    """The lists of the customers of a part who bought before `shop.as_of`, by id.

    Args:
        part: all ledger lines of some customers, in any order.
        shop: learned from everybody before the same moment; of its settings, `list_length` and `own_half_life_days`
            are read.
        ranker: learned from earlier windows; None: own products by rhythm, new ones by ALS, no probabilities.
        advance: is called with the number of customers done.

    Returns:
        The lists, as the head of this file describes them; the records of `buy_again` and `discover` are of dtype OWN
        and RANKED.
    """
    evidence = find_evidence(part, shop)
    snapshot, settings = evidence.snapshot, shop.settings
    customers, k = np.arange(len(snapshot.customers)), settings.list_length
    if ranker is None:
        own = build_buy_again(snapshot, evidence.rhythm, k, settings.own_half_life_days)
        return pack_lists([own.table, _new_by_taste(evidence, k)])
    lists = rank_candidates(ranker, evidence, customers, k, advance)
    own = build_buy_again(snapshot, evidence.rhythm, max(1, len(snapshot.products)), settings.own_half_life_days)
    buy_again = buy_again_table(own.table, lists.buy_again, len(snapshot.products), k)
    return pack_lists([buy_again, build_table(snapshot.customers.ids, lists.discover)])


def _new_by_taste(evidence: Evidence, k: int) -> ListTable:
    """What a history too short to learn from allows: new products by ALS, without probabilities."""
    affinities, customers = evidence.affinities, evidence.snapshot.customers
    factors = replace(affinities.tastes.recent, customers=affinities.recent)
    new = top_products(factors, np.arange(len(customers)), k, mask=affinities.long)
    return build_table(customers.ids, new._replace(score=np.full_like(new.score, np.nan)))


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
