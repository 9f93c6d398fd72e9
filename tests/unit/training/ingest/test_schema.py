import polars as pl

from training.ingest.schema import first_reason


def test_the_first_rule_that_holds_is_the_reason():
    rules = {"small": pl.col("cell") < 10, "negative": pl.col("cell") < 0}
    found = pl.DataFrame({"cell": [-1, 50, None]}).select(first_reason(rules)).to_series().to_list()
    assert found == ["small", None, None]
