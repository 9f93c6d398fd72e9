import math

import polars as pl

from recommender.reading import ReadingOptions
from training.cells.numbers import read_numbers
from training.cells.source_column import SourceColumn


def read(cells, dtype=pl.String):
    frame = pl.LazyFrame({"n": pl.Series(cells, dtype=dtype)})
    numbers = read_numbers(SourceColumn(frame, "n"), ReadingOptions())
    return frame.select(numbers.value).collect().to_series().to_list()


def test_a_number_that_cannot_be_read_is_nan_and_an_empty_one_null():
    found = read([" 2.5", "", None, "two", "nan"])
    assert found[:3] == [2.5, None, None]
    assert all(map(math.isnan, found[3:]))
