"""Files of every kind as tables."""

import bz2
import gzip
import io
import lzma
import os
import re
import tarfile
import zipfile

import polars as pl
import pytest

from recommender.errors import UnclearInputError, UnreadableFileError, UsageError
from training.tables.files import CLOSING_LINE, REPEATED_HEADER

HEADER = ("customer_id", "product_id", "ordered_at", "price", "city")
ROWS = [
    ("7001", "TEA", "2026-09-13", "4.50", "Köln"),
    ("7001", "MUG", "2026-10-14", "9.00", "Bonn"),
    ("7002", "TEA", "2026-10-25", "4.50", "Orléans"),
    ("7003", "TEA", "2026-11-16", "4.50", "Bonn"),
]


def text(separator: str = ",", end: str = "\n") -> str:
    return "".join(separator.join(row) + end for row in (HEADER, *ROWS))


def zipped(**files: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


def tarred(content):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        member = tarfile.TarInfo("p.csv")
        member.size = len(content.encode())
        archive.addfile(member, io.BytesIO(content.encode()))
    return packed.getvalue()


def by_zstandard(content):
    packed = io.BytesIO()
    lines = pl.LazyFrame({"line": content.splitlines()})
    lines.sink_csv(packed, include_header=False, quote_style="never", null_value="", compression="zstd")
    return packed.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|", "^"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_encodings_separators_and_line_ends(scan, encoding, separator, end):
    found = scan(text(separator, end).encode(encoding))
    assert (found.names, found.rows, found.lines, found.broken) == (list(HEADER), ROWS, [2, 3, 4, 5], {})
    assert ("encoding" in found.remarks) == (encoding.startswith("utf") and not encoding.startswith("utf-8"))
    assert ("encoding_guessed" in found.remarks) == (encoding == "cp1252")


def test_a_guessed_encoding_is_said_with_a_cell_and_a_named_one_is_taken(scan):
    assert "read as cp850, such as 'Köln'" in scan(text().encode("cp850")).remarks["encoding_guessed"]
    assert scan(text().encode("cp850"), encoding="cp850").remarks == {}
    assert scan(text().encode("cp850"), encoding="cp437").rows == ROWS
    with pytest.raises(UnreadableFileError, match=r"p\.csv is not utf-8: .*name its --encoding, or none"):
        scan(text().encode("cp850"), encoding="utf-8")
    with pytest.raises(UsageError, match="'klingon' is no encoding; give one such as utf-8"):
        scan(text(), encoding="klingon")


def test_lines_of_another_encoding_among_utf8(scan):
    body = text().partition("\n")[2]
    found = scan(text().encode() + body.encode("cp1252"))
    assert found.rows == ROWS * 2
    assert "UTF-8 and, where it is not that, cp1252, such as 'Köln'" in found.remarks["encoding_guessed"]


@pytest.mark.parametrize(
    ("city", "encoding", "choices"),
    [
        ("ЧАЙ", "cp1251", "--encoding cp1251 ('ЧАЙ'), or --encoding koi8_r ('вюи')"),
        ("Şişe", "cp1254", "--encoding cp1254 ('Şişe'), or --encoding cp1257 ('Žiže')"),
    ],
)
def test_few_letters_that_several_encodings_read_are_asked_about(scan, city, encoding, choices):
    content = text().replace("Köln", "Bonn").replace("Orléans", city).encode(encoding)
    with pytest.raises(UnclearInputError, match=re.escape(choices)):
        scan(content)
    assert scan(content, encoding=encoding).rows[2][4] == city


@pytest.mark.parametrize(
    "pack",
    [
        gzip.compress,
        bz2.compress,
        lzma.compress,
        lambda content: zipped(**{"a/p.csv": content.decode()}),
        lambda content: by_zstandard(content.decode()),
    ],
)
def test_packed_files(scan, pack):
    assert scan(pack(text().encode())).rows == ROWS


@pytest.mark.parametrize("begin", ["[customer id],", "[0,", "{customer},"])
def test_a_header_with_brackets_begins_no_json(scan, begin):
    found = scan(f"{begin}product\nann,milk\n")
    assert (found.names, found.rows) == ([begin[:-1], "product"], [("ann", "milk")])


def test_several_members_of_gzip(scan):
    content = text().encode()
    assert scan(gzip.compress(content[:70]) + gzip.compress(content[70:])).rows == ROWS
    with pytest.raises(UnreadableFileError, match="is packed, and breaks off after line"):
        scan(gzip.compress(content[:70]) + gzip.compress(content[70:])[:-20])


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_where_a_packed_file_breaks_off_is_said(scan, pack):
    rows = "".join(f"{number},{os.urandom(8).hex()}\n" for number in range(100_000))
    packed = pack(f"customer_id,product_id\n{rows}".encode())
    with pytest.raises(UnreadableFileError, match="is packed, and breaks off after line") as caught:
        scan(packed[: len(packed) // 2])
    said = str(caught.value).partition("after line ")[2].partition(":")[0]
    assert 30_000 < int(said.replace(",", "")) < 60_000


@pytest.mark.parametrize("cell", ['7" saucer', '"Best" mug', '12" x 7"', '"open', 'closed"', '7""', '"a" b "c"'])
def test_a_quote_mark_inside_a_cell_is_read_as_it_stands(scan, cell):
    found = scan(text().replace("Orléans", cell))
    assert [row[4] for row in found.rows] == ["Köln", "Bonn", cell, "Bonn"]
    assert repr(cell) in found.remarks["quote_marks"]
    assert "lines: 1" in found.remarks["quote_marks"]


@pytest.mark.parametrize("cell", ["a, b", 'the "best"', "two\nlines", '7"', "", "\n\n", '"', ',"\n'])
def test_cells_that_are_quoted_rightly(scan, cell):
    found = scan(text().replace("Orléans", '"' + cell.replace('"', '""') + '"'))
    assert [row[4] or "" for row in found.rows] == ["Köln", "Bonn", cell, "Bonn"]
    assert found.lines == [2, 3, 4, 5 + cell.count("\n")]
    assert found.remarks == {}


def test_a_row_that_quote_marks_tear_is_broken_alone(scan):
    found = scan(text().replace("Orléans", '"a, b" c'))
    assert found.broken == {4: "more cells than the header"}
    assert len(found.rows) == 3


def test_an_open_quote_mark_does_not_swallow_the_lines_below(scan):
    found = scan(text().replace("TEA,2026-09", '"TEA,2026-09').replace("Orléans", '"Orléans, F"'))
    assert [row[1] for row in found.rows] == ['"TEA', "MUG", "TEA", "TEA"]
    assert found.rows[2][4] == "Orléans, F"


def test_what_stands_above_the_table(scan):
    assert scan("sep=;\r\n" + text(";", "\r\n")).lines == [3, 4, 5, 6]
    for above in ("Orders of Tea & Mug GmbH\nfrom 2026-09-01, to 2026-11-30\n\n", "Orders,,,,\n,,,,\n,,,,\n"):
        found = scan(above + text())
        assert (found.names, found.rows, found.lines) == (list(HEADER), ROWS, [5, 6, 7, 8])
        assert "such as 'Orders" in found.remarks["title_lines"]


@pytest.mark.parametrize(
    "under",
    [
        "Customer,Product,Date,Price,Town",
        "-----------,----------,----------,-----,----",
        "===,===,===,==,==",
        "(id),(id),(date),(EUR),",
    ],
)
def test_a_second_line_of_the_header(scan, under):
    found = scan(text().replace("\n", f"\n{under}\n", 1))
    assert (found.rows, found.lines) == (ROWS, [3, 4, 5, 6])
    assert under.replace(",", " ").strip() in found.remarks["second_header"]


def test_the_header_again_between_files_that_were_joined(scan):
    found = scan(text() + text())
    assert (found.rows, found.broken) == (ROWS * 2, {6: REPEATED_HEADER})
    assert scan(text() + text().replace("Bonn", '7" Bonn')).broken == {6: REPEATED_HEADER}


@pytest.mark.parametrize(
    "total",
    [
        "Total,,,22.50,",
        ",,,22.50,",
        "Summe;",
        "Gesamtsumme,,,22.50,",
        "ИТОГО:,,,1,",
        "---,---",
        "Page 1 of 2,,,,",
        "\x1a",
        "   ",
    ],
)
def test_a_line_that_ends_the_table_is_no_row(scan, total):
    found = scan(text() + total + "\n")
    assert (found.rows, found.broken) == (ROWS, {6: CLOSING_LINE})


def test_a_customer_who_is_called_like_a_total_stays(scan):
    last = "Total,TEA,2026-11-17,4.50,Bonn\n"
    assert len(scan(text() + last).rows) == 5


def test_a_file_that_ends_in_the_middle_of_a_row(scan):
    assert scan(text()[:-7]).broken == {5: "the file ends in the middle of it"}
    assert scan(text()[:-1]).rows == ROWS


def test_the_ends_of_a_long_file(scan):
    body = text().partition("\n")[2]
    found = scan(text() + body * 2_000 + "Total,,,1,\n7003,M")
    assert found.broken == {8_006: CLOSING_LINE, 8_007: "the file ends in the middle of it"}
    assert len(found.rows) == 8_004


def test_columns_that_blanks_part(scan):
    wide = [max(map(len, column)) + 2 for column in zip(HEADER, *ROWS, strict=True)]
    padded = ["".join(cell.ljust(n) for cell, n in zip(row, wide, strict=True)) for row in (HEADER, *ROWS)]
    assert scan("\n".join(padded)).rows == ROWS
    assert scan(text(" ")).rows == ROWS
    short = scan("\n".join([*padded, "7004  TEA  2026-11-17", ""]))
    assert short.broken == {6: "fewer cells than the header"}


def test_tables_as_database_clients_print_them(scan):
    printed = ["| " + " | ".join(cell.ljust(11) for cell in row) + " |" for row in (HEADER, *ROWS)]
    rule = "+" + "+".join(["-" * 13] * 5) + "+"
    found = scan("\n".join([rule, printed[0], rule, *printed[1:], rule, "4 rows in set (0.00 sec)", ""]))
    cells = [tuple(cell.strip() for cell in row[1:6]) for row in found.rows]
    assert (found.names[1:6], cells) == (list(HEADER), ROWS)


def test_headers_that_are_empty_or_stand_twice(scan):
    found = scan("customer_id,,price,price\n1,2,3,4\n")
    assert found.names == ["customer_id", "column 2", "price", "price_2"]
    assert "'price' stands there more than once; the next is called 'price_2'" in found.remarks["repeated_column"]


def test_ragged_rows(scan):
    found = scan("a,b,c\n1\n1,2,3,,,\n1,2,3,4\n\n1,2\n")
    assert [row for row in found.rows if any(row)] == [("1", None, None), ("1", "2", "3"), ("1", "2", None)]
    assert found.broken == {4: "more cells than the header"}
    assert found.lines[-1] == 6


def test_three_thousand_columns_and_a_huge_cell(scan):
    wide = scan("\n".join(",".join(f"{start}{n}" for n in range(3_000)) for start in "abc"))
    assert (len(wide.names), len(wide.rows)) == (3_000, 2)
    huge = scan(text().replace("Orléans", "x" * 50_000_000))
    assert [len(row[4] or "") for row in huge.rows] == [4, 4, 50_000_000, 4]


def test_a_header_alone(scan):
    found = scan("customer_id,product_id\n")
    assert (found.names, found.rows) == (["customer_id", "product_id"], [])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"\xef\xbb\xbf \r\n\n", "is empty"),
        (bytes(range(32)) * 100, "is no text: it is full of control bytes"),
        (b"\x89PNG\r\n" + os.urandom(100), "is a picture"),
        (b"%PDF-1.7", "is a PDF"),
        (b"<html><table>", "is HTML"),
        (b"PK\x03\x04rest", "a ZIP archive or workbook that is cut off; copy it anew"),
        (zipped(a="x", b="y"), "holds 'a', 'b'; unpack it and name what counts"),
        (gzip.compress(text().encode())[:-9], r"is packed, and breaks off after line \d: "),
        (lzma.compress(text().encode())[:-20], r"is packed, and breaks off after line \d: "),
        (bz2.compress(text().encode())[:-9], r"is packed, and breaks off after line \d: "),
        (by_zstandard(text())[:-9], "is the file complete"),
        (bytes.fromhex("28b52ffd240319000061fc0afd2bc0ad"), "is packed by Zstandard and holds no text in UTF-8"),
        (zipped(a="x").replace(b"PK\x01\x02\x14\x03\x14", b"PK\x01\x02\x14\x03\x90"), "that is cut off; copy it anew"),
        (tarred(text() * 100), "is a tar archive; unpack it"),
        (gzip.compress(tarred(text() * 100)), "is a tar archive; unpack it"),
        (b"SQLite format 3\0", "is a database"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:5a\nsize 9\n", "is a pointer of Git LFS"),
        (b"\xd0\xcf\x11\xe0" + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le"), "is protected by a password"),
    ],
)
def test_files_that_are_not_read(scan, content, said):
    with pytest.raises(UnreadableFileError, match=said) as caught:
        scan(content)
    assert "p.csv" in str(caught.value)
    assert str(caught.value).isprintable()


def test_byte_order_marks_where_files_were_joined(scan):
    found = scan(f"\ufeff{text()}\ufeff{text()}\ufeff{text().partition(chr(10))[2]}")
    assert (found.rows, found.broken) == (ROWS * 3, {6: REPEATED_HEADER})


def test_quote_marks_behind_a_backslash(scan):
    found = scan(text().replace("Orléans", r'"7\", blue"'))
    assert [row[4] for row in found.rows] == ["Köln", "Bonn", '7", blue', "Bonn"]
    assert found.remarks == {}
