"""Lines as records of cells, compared with Python's own reader and writer of CSV."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.tables.text.records import BLANK, BLANKS, read_records
from training.tables.text.survey import line_breaks_in_cells

CELL = st.text(st.sampled_from('ab,;" \n'), max_size=6)
TABLES = st.integers(2, 4).flatmap(lambda width: st.lists(st.lists(CELL, min_size=width, max_size=width), min_size=1))


@given(TABLES, st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]))
def test_what_csv_writes_is_read_back(tmp_path_factory, table, quoting):
    written = io.StringIO()
    csv.writer(written, lineterminator="\n", quoting=quoting).writerows(table)
    records = list(read_records(written.getvalue().splitlines(keepends=True), ",", len(table[0])))
    assert [record.cells for record in records] == table
    assert not any(record.literal for record in records)
    file = tmp_path_factory.mktemp("records") / "p.csv"
    file.write_text(written.getvalue())
    breaks = line_breaks_in_cells(file, ",")
    expected = [number for number, row in enumerate(table) for _ in range("".join(row).count("\n"))]
    assert breaks is not None
    assert breaks.tolist() == expected


@given(st.lists(st.text(st.sampled_from('ab,"'), max_size=8), min_size=1, max_size=8))
def test_no_line_is_lost_whatever_its_quote_marks(lines):
    records = list(read_records([f"{line}\n" for line in lines], ",", 3))
    covered = [line for record in records for line in range(record.line, record.end + 1)]
    assert covered == list(range(1, len(lines) + 1))


@pytest.mark.parametrize("text", ['a,7" b\n', 'a,"b" c\n', 'a,"b\n', '"a,b\n', 'a"",b\n', 'a,"b"" c\n'])
def test_a_survey_refuses_what_is_not_csv(tmp_path, text):
    file = tmp_path / "p.csv"
    file.write_text("x,y\n" + text)
    assert line_breaks_in_cells(file, ",") is None


def test_runs_of_blanks():
    assert next(read_records(["  a b   c\td  \n"], BLANKS)).cells == ["a b", "c", "d"]
    assert next(read_records(["  a b   c\td  \n"], BLANK)).cells == ["a", "b", "c", "d"]
