import numpy as np

from recommender.publication.lists import Basis
from training.dataset.ranked_lists import (
    RankedLists,
    build_table,
    concatenate_lists,
    owners_of,
    split_lists,
    spread_lists,
    starts_of,
)

LISTS = RankedLists(
    starts_of(np.array([2, 0, 1])),
    np.array([7, 3, 5], np.int32),
    np.array([0.5, 0.25, 1e9], np.float32),
)


def test_starts_of_no_lists_is_zero():
    assert starts_of(np.zeros(0, np.int64)).tolist() == [0]


def test_owners_and_split_skip_empty_lists():
    assert owners_of(LISTS.starts).tolist() == [0, 0, 2]
    assert [each.tolist() for each in split_lists(LISTS.product_index, LISTS.starts)] == [[7, 3], [], [5]]


def test_lists_of_some_rows_are_spread_over_all():
    spread = spread_lists(LISTS, np.array([1, 2, 4]), 6)
    assert [each.tolist() for each in split_lists(spread.product_index, spread.starts)] == [[], [7, 3], [], [], [5], []]


def test_lists_of_several_parts_follow_each_other():
    both = concatenate_lists([LISTS, LISTS])
    assert both.lengths.tolist() == [2, 0, 1, 2, 0, 1]
    assert both.product_index.tolist() == [7, 3, 5, 7, 3, 5]


def test_no_parts_give_no_lists():
    nothing = concatenate_lists([])
    assert (nothing.starts.tolist(), len(nothing.product_index), nothing.score.dtype) == ([0], 0, np.float32)


def test_a_table_keeps_order_and_cuts_scores_that_float16_cannot_hold():
    table = build_table(["a", "b", "c"], LISTS)
    assert table.records.tolist() == [(7, 0.5), (3, 0.25), (5, 65504.0)]
    assert set(table.basis.tolist()) == {Basis.MODEL}


def test_a_missing_score_stays_missing():
    table = build_table(["a", "b", "c"], LISTS._replace(score=np.full(3, np.nan, np.float32)))
    assert np.isnan(table.records["score"]).all()
