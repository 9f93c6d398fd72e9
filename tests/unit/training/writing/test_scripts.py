import polars as pl

from training.writing.scripts import describe_look_alikes, fold_letters, look_alikes, plain_text

ARABIC, PERSIAN = "كيك", "کیک"


def test_digits_signs_and_blanks_are_as_ascii_has_them():
    frame = pl.DataFrame({"cell": ["\u200f۱۲/٠٥", "\u22125\u00a0\u202f", "\uff13", None, "tea"]})
    assert frame.select(plain_text(pl.col("cell")))["cell"].to_list() == ["12/05", "-5", "3", None, "tea"]


def test_letters_that_are_written_in_two_ways_are_one():
    assert fold_letters(ARABIC) == fold_letters(PERSIAN)
    assert fold_letters("می\u200cخرم") == fold_letters("میخرم")
    assert fold_letters("Cafe\u0301") == fold_letters("CAFÉ")


def test_ids_that_differ_only_in_such_letters_are_named_with_their_code_points():
    groups = look_alikes(pl.Series([ARABIC, PERSIAN, "12", "۱۲", "tea", "Tea", "чай"]))
    assert groups == [("12", "۱۲"), tuple(sorted((ARABIC, PERSIAN)))]
    assert "U+0643" in describe_look_alikes(groups)
    assert look_alikes(pl.Series(["tea", "mug"])) == []
    assert look_alikes(pl.Series([], dtype=pl.String)) == []
