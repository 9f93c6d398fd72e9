"""Files that a spreadsheet opens: nothing in them runs, ids stay text, and all rows are there."""

import csv
import io

import pytest

from api.console.csv_file import to_csv
from api.console.page import Column, Link, Table

COLUMNS = (Column("customer", "id"), Column("title"), Column("share_back", "share"), Column("orders", "number"))


def rows_of(table: Table, form="csv") -> list[list[str]]:
    text = to_csv(table, str.capitalize, form).decode("utf-8-sig" if form == "csv-de" else "utf-8")
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=";" if form == "csv-de" else ","))


def table(*rows) -> Table:
    return Table("t", COLUMNS, rows)


def test_the_plain_file_has_a_head_and_numbers_as_programs_read_them() -> None:
    found = rows_of(table((Link("00417", "/x"), 'Müsli "Bio", 1 kg', 0.25, 3), ("b", None, None, None)))
    assert found == [
        ["Customer", "Title", "Share_back", "Orders"],
        ["00417", 'Müsli "Bio", 1 kg', "0.25", "3"],
        ["b", "", "", ""],
    ]


def test_a_german_spreadsheet_gets_a_mark_semicolons_commas_and_ids_as_text() -> None:
    raw = to_csv(table((Link("00417", "/x"), "Käse", 0.25, -3)), str, "csv-de")
    assert raw.startswith("\ufeff".encode())
    assert b"\r\n" in raw
    assert rows_of(table(("00417", "Käse", 0.25, -3)), "csv-de")[1] == ['="00417"', "Käse", "0,25", "-3"]
    assert rows_of(table(('a"b', "x", None, 0)), "csv-de")[1][0] == '="a""b"'


@pytest.mark.parametrize("form", ["csv", "csv-de"])
@pytest.mark.parametrize(
    "cell", ['=HYPERLINK("http://evil.example")', "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "  =1", "\n=1", "＝1"]
)
def test_no_cell_runs(form: str, cell: str) -> None:
    found = rows_of(table((cell, cell, None, None)), form)[1]
    assert found[1] == f"'{cell}"
    assert found[0] == f"'{cell}" or found[0].startswith('="')
    long = rows_of(table((cell + "x" * 300, None, None, None)), form)[1]
    assert long[0].startswith("'")


def test_an_id_cannot_leave_the_quotes_of_its_formula() -> None:
    found = rows_of(table(('x"&HYPERLINK("http://evil.example")&"', None, None, None)), "csv-de")[1][0]
    assert found == '="x""&HYPERLINK(""http://evil.example"")&"""'


def test_half_a_surrogate_pair_is_no_reason_to_fail() -> None:
    assert b"?" in to_csv(table(("\ud800", None, None, None)), str)
