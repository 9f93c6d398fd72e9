import pytest

from recommender.errors import MissingColumnError, UsageError
from training.ingest.columns import take_columns


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
