import numpy as np
import polars as pl

from training.ranking.binning import Bins


def bins_of(*values):
    return Bins.of(pl.DataFrame({"a": np.array(values, np.float32)}), seed=0)


def numbers(bins, *values):
    return bins.number(pl.DataFrame({"a": np.array(values, np.float32)}))[:, 0].tolist()


def test_few_values_have_a_bin_each():
    assert numbers(bins_of(3, 1, 1, 7), 0, 1, 3, 4.9, 7, 99) == [0, 0, 1, 1, 2, 2]


def test_many_values_share_bins_of_like_many_rows():
    values = np.random.default_rng(0).normal(size=20_000)
    found = bins_of(*values).number(pl.DataFrame({"a": values.astype(np.float32)}))[:, 0]
    rows = np.bincount(found.astype(int))
    assert len(rows) == 250
    assert (rows.min(), rows.max()) >= (79, 80)
    assert rows.max() <= 81


def test_a_missing_value_stays_missing():
    assert np.isnan(numbers(bins_of(1, 2, np.nan), np.nan)[0])


def test_what_has_no_two_values_is_left_out():
    bins = Bins.of(pl.DataFrame({"one": [1.0, 1.0], "none": [np.nan, np.nan], "two": [1.0, 2.0]}), seed=0)
    assert list(bins.edges) == ["two"]


def test_many_values_of_which_nearly_all_rows_have_the_largest():
    bins = bins_of(*range(300), *[1e6] * 100_000)
    assert bins.edges == {} or np.ptp(numbers(bins, *range(300), 1e6)) > 0


def test_no_rows():
    assert Bins.of(pl.DataFrame({"a": pl.Series([], dtype=pl.Float32)}), seed=0).edges == {}
