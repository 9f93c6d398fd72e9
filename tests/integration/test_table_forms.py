"""The same purchases in every form of a table give the same ledger."""

import bz2
import csv
import gzip
import io
import json
import lzma
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from recommender.cli.progress import Progress
from recommender.errors import RepriseError
from recommender.settings import Settings
from training.ingest.ingest import PurchaseSource, ingest

COLUMNS = ["customer_id", "product_id", "ordered_at", "order_id", "quantity", "unit_price", "title"]
AS_OF = datetime(2026, 11, 30, tzinfo=UTC)
PURCHASES = [
    ["7001", "TEA", "2026-09-13", "A1", "1", "4.50", "Thé à la menthe"],
    ["7001", "TEA", "2026-10-14", "A2", "1", "4.50", "Thé à la menthe"],
    ["7002", "MUG", "2026-09-20", "A3", "2", "9.00", "Becher, groß"],
    ["7002", "TEA", "2026-10-25", "A4", "1", "4.50", "Thé à la menthe"],
    ["7003", "00123", "2026-10-28", "A5", "3", "4.50", 'Saucer 7"'],
    ["7003", "MUG", "2026-11-16", "A6", "1", "9.00", "Becher, groß"],
]
PACKINGS = {
    "plain": lambda content: content,
    "gzip": gzip.compress,
    "gzip members": lambda content: gzip.compress(content[:99]) + gzip.compress(content[99:]),
    "bzip2": bz2.compress,
    "xz": lzma.compress,
}
ABOVE = ["", "Orders of Tea & Mug\n\n", "Report\nfrom September\n", "\n\n"]
BELOW = ["", "Total{0}{0}{0}{0}9{0}36.00{0}\n", "\n\n"]


def read(path: Path, **options: object):
    source = PurchaseSource([path], **options)  # type: ignore[arg-type]
    return ingest(source, Settings(home=path.parent / "home"), AS_OF, Progress(show=False))


def delimited(separator: str, quoting: int, end: str, above: str, below: str) -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=separator, quoting=quoting, lineterminator="\n").writerows([COLUMNS, *PURCHASES])
    return (above + text.getvalue() + below.format(separator)).replace("\n", end)


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory):
    file = tmp_path_factory.mktemp("plain") / "p.csv"
    file.write_text(delimited(",", csv.QUOTE_ALL, "\n", "", ""))
    found = read(file)
    assert found.ledger.height == 6
    assert sorted(found.catalogue["title"]) == ["Becher, groß", 'Saucer 7"', "Thé à la menthe"]
    return found


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    separator=st.sampled_from(",;\t|^"),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL, csv.QUOTE_NONNUMERIC]),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "latin-1"]),
    packing=st.sampled_from(sorted(PACKINGS)),
    above=st.sampled_from(ABOVE),
    below=st.sampled_from(BELOW),
)
def test_delimited_text(tmp_path, expected, *, separator, quoting, end, encoding, packing, above, below):
    file = tmp_path / "p.csv"
    text = delimited(separator, quoting, end, above, below)
    file.write_bytes(PACKINGS[packing](text.encode(encoding)))
    found = read(file)
    assert found.ledger.equals(expected.ledger)
    assert found.catalogue.equals(expected.catalogue)
    assert (sum(found.report.left_out.values()) == 1) == below.startswith("Total")
    codes = {note["code"] for note in found.report.notes}
    assert ("title_lines" in codes) == (above.strip() != "")
    assert bool(codes & {"encoding", "encoding_guessed"}) == (not encoding.startswith("utf-8"))
    assert not list((tmp_path / "home" / "work").glob("*"))


@pytest.mark.parametrize(
    "write",
    [
        lambda rows: "\n".join(map(json.dumps, rows)),
        json.dumps,
        lambda rows: json.dumps({"orders": rows, "count": 6}, indent=1, ensure_ascii=False),
        lambda rows: "\n".join(json.dumps(row, indent=1) for row in rows),
    ],
    ids=["lines", "array", "held", "pretty"],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_json(tmp_path, expected, write, encoding):
    file = tmp_path / "p.json"
    file.write_bytes(write([dict(zip(COLUMNS, row, strict=True)) for row in PURCHASES]).encode(encoding))
    found = read(file)
    assert found.ledger.equals(expected.ledger)
    assert found.catalogue.equals(expected.catalogue)


def test_workbooks_and_archives(tmp_path, expected):
    book = Workbook()
    for row in (COLUMNS, *PURCHASES):
        book.active.append(row)
    book.save(tmp_path / "p.xlsx")
    with zipfile.ZipFile(tmp_path / "p.zip", "w") as archive:
        archive.writestr("orders/p.csv", delimited(";", csv.QUOTE_ALL, "\r\n", "sep=;\n", ""))
    for name in ("p.xlsx", "p.zip"):
        found = read(tmp_path / name)
        assert found.ledger.equals(expected.ledger)
        assert found.catalogue.equals(expected.catalogue)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    cut=st.integers(1, 400),
    flip=st.integers(0, 400),
    byte=st.integers(0, 255),
    packing=st.sampled_from(["plain", "gzip"]),
)
def test_a_damaged_file_is_read_or_refused(tmp_path, cut, flip, byte, packing):
    file = tmp_path / "p.csv"
    content = bytearray(delimited(",", csv.QUOTE_ALL, "\n", "", "").encode())
    content[flip % len(content)] = byte
    file.write_bytes(PACKINGS[packing](bytes(content))[:cut])
    try:
        found = read(file)
    except RepriseError as error:
        assert len(str(error)) < 2_000  # noqa: PT017
    else:
        assert found.ledger.height <= 6


@pytest.mark.parametrize("name", ["copy of p.csv", "p.csv.gz"])
def test_a_copy_counts_once_and_is_said(tmp_path, expected, name):
    folder = tmp_path / "in"
    folder.mkdir()
    text = delimited(",", csv.QUOTE_ALL, "\n", "", "").encode()
    (folder / "p.csv").write_bytes(text)
    (folder / name).write_bytes(gzip.compress(text) if name.endswith("gz") else text)
    source = PurchaseSource([folder / "p.csv", folder / name])
    found = ingest(source, Settings(home=tmp_path / "home"), AS_OF, Progress(show=False))
    assert found.ledger.equals(expected.ledger)
    assert [note["code"] for note in found.report.notes] == ["copy"]
    assert found.report.notes[0]["text"] == f"p.csv: {name} holds the same and is not read again"


def test_a_bad_row_below_line_breaks_has_its_line(tmp_path):
    rows = ['7001,TEA,2026-09-13,"two\nlines"\n', '7001,TEA,2026-09-14,"x"\n', '7002,MUG,soon,"three\n\nlines"\n']
    file = tmp_path / "p.csv"
    file.write_text("customer_id,product_id,ordered_at,note\n" + "".join(rows) + rows[0] * 40 + "7003,,2026-09-15,x\n")
    found = read(file)
    bad = Path(str(found.report.quarantine)).read_text().splitlines()[1:]
    assert [line.split(",")[1] for line in bad] == ["5", "88"]
