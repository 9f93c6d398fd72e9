import numpy as np
import polars as pl

from training.ranking.feature_table import FeatureGroup, FeatureTable


def table():
    """Three candidates; `price` is of the product, whose last row stands for none."""
    price = np.array([3, 4, np.nan], np.float32)
    own = np.array([10, 11, 12], np.float32)
    return FeatureTable([FeatureGroup({"price": price}, np.array([1, -1, 0])), FeatureGroup({"own": own})], 3)


def test_a_frame_has_a_row_for_each_candidate():
    frame = pl.DataFrame({"price": [4.0, np.nan, 3.0], "own": [10.0, 11.0, 12.0]})
    assert table().to_frame().equals(frame.cast(pl.Float32), null_equal=True)


def test_a_column():
    assert table().column("own").tolist() == [10, 11, 12]
    assert table().column("price").tolist()[::2] == [4, 3]


def test_those_that_are_chosen():
    chosen = table().filter(np.array([True, False, True]))
    assert len(chosen) == 2
    assert chosen.to_frame().rows() == [(4, 10), (3, 12)]


def test_of_a_frame():
    frame = table().to_frame()
    assert FeatureTable.of(frame).to_frame().equals(frame)
    assert len(FeatureTable.of(frame.clear())) == 0
