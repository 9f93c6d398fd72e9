import polars as pl

from training.cells.texts import text_of


def column(values, dtype=pl.String):
    return pl.DataFrame({"cell": pl.Series(values, dtype=dtype)})


def test_text_keeps_leading_zeros_inner_spaces_and_unicode_and_trims():
    frame = column(["00123", "  a b/ü ", "", "  ", "NaN", "null", "None", "\\N", "<na>", "NONE", "nano"])
    found = frame.select(text_of("cell", pl.String()))["cell"].to_list()
    assert found == ["00123", "a b/ü", None, None, None, None, None, None, None, None, "nano"]


def test_whole_floats_are_integers_with_gaps():
    found = column([13085.0, None, 1.5], pl.Float64).select(text_of("cell", pl.Float64()))["cell"].to_list()
    assert found == ["13085", None, "1.5"]
