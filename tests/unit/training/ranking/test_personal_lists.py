import numpy as np
import polars as pl
import pytest

from recommender.publication.lists import OWN, ListTable
from recommender.settings import AlsSettings, Settings
from tests.support.evidence import evidence_of
from tests.support.worlds import AS_OF, two_tastes
from training.dataset.ranked_lists import RankedLists
from training.ranking.feature_table import FeatureTable
from training.ranking.personal_lists import buy_again_table, first_of_each, rank_candidates

SETTINGS = Settings(als=AlsSettings(factors=8))


class ByAls:
    """Stands in for a learned ranker: what was bought before has probability 0.25, what is new its ALS score.

    The first of the customers asked for returns half as surely as the others.
    """

    def returning(self, customers: FeatureTable):
        return np.where(np.arange(len(customers)) == 0, np.float32(0.5), np.float32(1))

    def score(self, features: FeatureTable):
        return np.where(features.column("pair_orders") > 0, np.float32(0.25), features.column("affinity_als"))


@pytest.fixture
def evidence():
    ledger = two_tastes()
    catalogue = pl.DataFrame({"product_id": ledger["product_id"].unique().sort()}).with_columns(
        title=pl.lit(None, pl.String), category=pl.lit(None, pl.String)
    )
    return evidence_of(ledger, catalogue, AS_OF, SETTINGS)


def test_own_and_new_products_apart(evidence):
    done = []
    lists = rank_candidates(ByAls(), evidence, np.array([0, 7]), 2, done.append)
    assert lists.buy_again.lengths.tolist() == [5, 5]
    assert (lists.discover.lengths <= 2).all()
    assert evidence.snapshot.products[lists.discover.product_index[0]] == "A0"
    assert set(lists.buy_again.score[:5]) == {0.125}
    assert set(lists.buy_again.score[5:]) == {0.25}
    assert sum(done) == 2


def test_nobody(evidence):
    lists = rank_candidates(ByAls(), evidence, np.array([], np.int32), 3)
    assert lists.buy_again.lengths.tolist() == lists.discover.lengths.tolist() == []


def test_the_first_of_each_list():
    lists = RankedLists(np.array([0, 3, 3, 4]), np.array([5, 6, 7, 8], np.int32), np.array([3, 2, 1, 9], np.float32))
    first = first_of_each(lists, 2)
    assert (first.starts.tolist(), first.product_index.tolist()) == ([0, 2, 2, 3], [5, 6, 8])


def test_records_keep_their_rhythm_in_the_new_order():
    """Owner A ranks 2 before 1; 3 is a durable without a record; B's only product has none either."""
    records = np.zeros(2, OWN)
    records["product_index"], records["log_gap"] = [1, 2], [3, 4]
    own = ListTable(["A", "B"], np.array([0, 2, 2]), records, np.zeros(2, np.uint8))
    ranked = RankedLists(
        np.array([0, 3, 4]), np.array([3, 2, 1, 3], np.int32), np.array([0.9, 0.8, 0.5, 0.3], np.float32)
    )
    table = buy_again_table(own, ranked, 5, 10)
    assert table.starts.tolist() == [0, 2, 2]
    assert table.records["product_index"].tolist() == [2, 1]
    assert table.records["log_gap"].tolist() == [4, 3]
    assert table.records["score"] == pytest.approx([0.8, 0.5], abs=1e-3)
    assert buy_again_table(own, ranked, 5, 1).records["product_index"].tolist() == [2]
