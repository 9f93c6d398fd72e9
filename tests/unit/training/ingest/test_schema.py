import math

import polars as pl
import pytest

from recommender.errors import MissingColumnError, UsageError
from training.ingest.schema import first_reason, number_of, take_columns, text_of


def column(values, dtype=pl.String):
    return pl.DataFrame({"cell": pl.Series(values, dtype=dtype)})


def test_text_keeps_leading_zeros_inner_spaces_and_unicode_and_trims():
    frame = column(["00123", "  a b/ü ", "", "  ", "NaN", "null", "None", "\\N", "nano"])
    found = frame.select(text_of("cell", pl.String()))["cell"].to_list()
    assert found == ["00123", "a b/ü", None, None, None, None, None, None, "nano"]


def test_whole_floats_are_integers_with_gaps():
    found = column([13085.0, None, 1.5], pl.Float64).select(text_of("cell", pl.Float64()))["cell"].to_list()
    assert found == ["13085", None, "1.5"]


def test_a_number_that_cannot_be_read_is_nan_and_an_empty_one_null():
    found = column([" 2.5", "", None, "two", "nan"]).select(number_of("cell", pl.String()))["cell"].to_list()
    assert found[:3] == [2.5, None, None]
    assert all(map(math.isnan, found[3:]))


def test_the_callers_names_win_over_the_formats():
    known = {"customer_id": ("customer_id",), "product_id": ("product_id",), "ordered_at": ("ordered_at",)}
    seen = ["customer_id", "buyer", "product_id", "ordered_at"]
    assert take_columns(seen, known, {"customer_id": "buyer"}, "f.csv")["customer_id"] == "buyer"


def test_a_missing_column_names_those_seen_and_the_nearest():
    with pytest.raises(MissingColumnError) as caught:
        take_columns(["Customer ID", "sku"], {"customer_id": ("customer_id",)}, {}, "f.csv")
    assert "f.csv has no column 'customer_id'" in str(caught.value)
    assert "'Customer ID', 'sku'" in str(caught.value)
    assert "--columns customer_id='Customer ID'" in str(caught.value)


def test_a_named_column_that_is_not_there_is_missing_even_if_optional():
    known = {name: (name,) for name in ("customer_id", "product_id", "ordered_at")}
    with pytest.raises(MissingColumnError, match="nearest is 'qty'"):
        take_columns([*known, "qty"], known, {"quantity": "qtty"}, "f.csv")


def test_a_name_that_is_not_ours_is_a_usage_error():
    with pytest.raises(UsageError, match="'user_id' is not a column of ours"):
        take_columns(["a"], {}, {"user_id": "a"}, "f.csv")


def test_the_first_rule_that_holds_is_the_reason():
    rules = {"small": pl.col("cell") < 10, "negative": pl.col("cell") < 0}
    found = column([-1, 50, None], pl.Int64).select(first_reason(rules)).to_series().to_list()
    assert found == ["small", None, None]
