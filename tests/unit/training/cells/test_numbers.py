import math

import polars as pl
import pytest

from recommender.reading import ReadingOptions
from training.cells.numbers import read_numbers
from training.cells.source_column import SAMPLE_ROWS, SourceColumn


def read(cells, dtype=pl.String):
    frame = pl.LazyFrame({"n": pl.Series(cells, dtype=dtype)})
    numbers = read_numbers(SourceColumn(frame, "n"), ReadingOptions())
    return frame.select(numbers.value).collect().to_series().to_list()


def test_a_number_that_cannot_be_read_is_nan_and_an_empty_one_null():
    found = read([" 2.5", "", None, "two", "nan"])
    assert found[:3] == [2.5, None, None]
    assert all(map(math.isnan, found[3:]))


def column_of(cells, **options):
    """The numbers, the notes and the questions of a column of text."""
    frame = pl.LazyFrame({"n": pl.Series(cells, dtype=pl.String)})
    numbers = read_numbers(SourceColumn(frame, "n"), ReadingOptions(**options))
    return frame.select(numbers.value.alias("n")).collect()["n"].to_list(), numbers.notes, numbers.questions


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        (["4,50", "9,00"], [4.5, 9]),
        (["1.234,56", "1.200"], [1234.56, 1200]),
        (["1,234.56", "1,200"], [1234.56, 1200]),
        (["4,50", "1,200"], [4.5, 1.2]),
        (["1", "1,200"], [1, 1200]),
        (["1,234,567", "1,200"], [1234567, 1200]),
        (["1.234.567", "1.200"], [1234567, 1200]),
        (["1,23,456.00", "12,34,567"], [123456, 1234567]),
        (["1'200.50", "1’200"], [1200.5, 1200]),
        (["1 200,50", "12\u202f000", "3\u00a0000"], [1200.5, 12000, 3000]),
        (["1_000"], [1000]),
        (["0,250", "1,200"], [0.25, 1.2]),
        (["1.000", "2.500", "0.750"], [1, 2.5, 0.75]),
        (["1.000", "2.500", "12.5"], [1, 2.5, 12.5]),
        (["KWD 1.250", "12.350 KWD"], [1.25, 12.35]),
        (["KWD 1,250", "KWD 2,500"], [1.25, 2.5]),
        (["1.125", "1500"], [1.125, 1500]),
        (["€ 4,50", "4,50 €", "EUR 1.200,00", "-€4,50"], [4.5, 4.5, 1200, -4.5]),
        (["$4.50", "US$ 1,200.00", "3 USD", "£2"], [4.5, 1200, 3, 2]),
        (["\uffe51,200", "980円", "¥500", "1,500 원", "12.50元"], [1200, 980, 500, 1500, 12.5]),
        (["12,50 zł", "R$ 10,00", "100 kr.", "1.200,-", "5,–"], [12.5, 10, 100, 1200, 5]),
        (["CHF 12.-", "Fr. 1,200.-"], [12, 1200]),
        (["12-", "(12.50)", "\u22123", "+6", "-5"], [-12, -12.5, -3, 6, -5]),
        (["1e5", "1.5E+03"], [1e5, 1500]),
        (["۴٫۵۰", "۱٬۲۰۰٫۵", "۱۲"], [4.5, 1200.5, 12]),
        (["٤٫٥", "१२"], [4.5, 12]),
        (['="4.50"', "'4.50"], [4.5, 4.5]),
        (["3", "N/A", "-", "null"], [3, None, None, None]),
    ],
)
def test_a_column_tells_how_its_numbers_are_written(cells, numbers):
    found, _, questions = column_of(cells)
    assert (found, list(questions)) == (numbers, [])


@pytest.mark.parametrize("odd", ["10%", "(7", "4 pcs", "1,2,3", "4.5.6", "--"])
def test_what_is_no_number_is_nan(odd):
    found = column_of(["1.50", "2.25", odd])[0]
    assert found[:2] == [1.5, 2.25]
    assert found[2] is None if odd == "--" else math.isnan(found[2])


@pytest.mark.parametrize(("cell", "dot", "comma"), [("1,200", 1200, 1.2), ("1.200", 1.2, 1200)])
def test_a_mark_that_could_be_two_things_is_asked_for(cell, dot, comma):
    cells = [cell, "2,500"] if "," in cell else [cell, "800"]
    assert column_of([f"€ {cell}"])[2]
    assert column_of([cell])[2]
    assert column_of([cell, cell.replace("1", "12"), cell.replace("1", "127")])[2]
    [question] = column_of(cells)[2]
    assert question.choices == {"--decimal .": f"{dot}", "--decimal ,": f"{comma}"}
    assert column_of(cells, decimal=".")[0][0] == dot
    assert column_of(cells, decimal=",")[0][0] == comma


def test_a_cell_far_behind_the_head_tells_what_the_head_leaves_open():
    cells = ["1,200"] * (SAMPLE_ROWS + 1)
    assert column_of([*cells, "1,200.50"])[0][0] == 1200
    assert column_of([*cells, "4,50"])[0][0] == 1.2


def test_what_a_head_of_small_whole_numbers_leaves_open_is_read_where_it_can_be_one_thing_only():
    ones = ["1"] * (SAMPLE_ROWS + 1)
    found = column_of([*ones, "1,200", "1.5", "10000", "1,234.5", "1.200", "4,5"])[0][len(ones) :]
    assert found[:4] == [1200, 1.5, 10000, 1234.5]
    assert all(map(math.isnan, found[4:]))
    assert column_of([*ones, "1.200"], decimal=",")[0][-1] == 1200
    assert column_of([*ones, "1.200"], decimal=".")[0][-1] == 1.2


def test_both_signs_before_decimals_ask_and_a_few_are_nan():
    [question] = column_of(["4,50", "4.50"])[2]
    assert set(question.choices) == {"--decimal .", "--decimal ,"}
    assert math.isnan(column_of([*["4.50"] * 500, "4,50"])[0][-1])


def test_a_column_that_mostly_holds_no_numbers_is_refused():
    [question] = column_of(["tea", "mug", "3"])[2]
    assert (question.code, question.cell) == ("no_numbers", "tea")


def test_what_is_read_otherwise_than_programs_write_it_is_noted():
    assert [note.text for note in column_of(["4,50"])[1]] == ["n: '4,50' is read as 4.5"]
    assert list(column_of(["4.50", "3"])[1]) == []


def test_currencies_are_kept():
    frame = pl.LazyFrame({"n": ["4,50 €", "EUR 3", "$2", "kr 5", "7"]})
    currency = read_numbers(SourceColumn(frame, "n"), ReadingOptions()).currency
    assert frame.select(currency).collect().to_series().to_list() == ["EUR", "EUR", "$", "kr", None]
