"""Frames of pandas, polars and Arrow, in and out."""

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from recommender.errors import UsageError
from training.estimator.native_frames import in_kind, to_polars

WANTED = pl.DataFrame({"product_id": ["TEA", "MUG"], "rank": [1, 2]})


@pytest.mark.parametrize(
    "given", [WANTED, pd.DataFrame({"product_id": ["TEA", "MUG"], "rank": [1, 2]}), WANTED.to_arrow()], ids=type
)
def test_a_frame_is_read_and_given_back_in_kind(given):
    read = to_polars(given)
    assert read.equals(WANTED)
    back = in_kind(WANTED, like=given)
    assert type(back) is type(given)
    assert to_polars(back).equals(WANTED)


@pytest.mark.parametrize("given", ["purchases.csv", [1, 2], None, WANTED.lazy(), pa.array([1])])
def test_what_is_no_frame_is_refused_by_its_name(given):
    with pytest.raises(UsageError, match=f"{type(given).__name__} is no frame; give one of pandas"):
        to_polars(given)
