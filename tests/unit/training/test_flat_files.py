"""Cells of CSV files, whoever wrote what stands in them."""

import csv
import io

import polars as pl
import pytest

from training.flat_files import as_written, frame_to_csv, harmless, to_csv

FORMULAS = ["=1", "+1", "-1", "@x", "\t=1", "\r=1", " =1", "\n@x", '=HYPERLINK("http://evil.example")']


def cells(line: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(line.decode(), newline="")))


@pytest.mark.parametrize("text", FORMULAS)
def test_each_kind_of_formula_is_harmless(text):
    assert harmless(text).startswith("'")
    assert cells(to_csv([text, 1]))[0][0].startswith("'")


@pytest.mark.parametrize("cell", ["Milk - 1 l", "", "a  b", None, -0.5, 3])
def test_the_rest_stays(cell):
    assert harmless(cell) == cell


@pytest.mark.parametrize("text", ["\x1b]8;;http://evil\x07", "\x9b2J", "a\x00b", "\x7f"])
def test_no_terminal_obeys_a_file(text):
    assert not set(text) & set(to_csv([text]).decode()) & set("\x1b\x07\x9b\x00\x7f")


@pytest.mark.parametrize("text", ["=1", "-5", "Milk", "'", "'quoted'", ""])
def test_an_id_is_read_as_it_was_written(text):
    assert as_written(str(harmless(text))) == text


def test_a_frame_is_written_like_its_cells():
    texts = [*FORMULAS, "Milk", "a\x1bb", None, '"', "a,b"]
    frame = pl.DataFrame({"=name": texts, "n": range(len(texts))})
    expected = to_csv(["=name", "n"]) + b"".join(to_csv(row) for row in frame.rows())
    assert cells(frame_to_csv(frame)) == cells(expected)


def test_a_frame_without_rows_is_its_header():
    assert frame_to_csv(pl.DataFrame({"a": []}, schema={"a": pl.String})) == b"a\n"
