"""Workbooks as tables."""

import base64
import sys
import zipfile
import zlib
from datetime import datetime

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from recommender.errors import UnclearInputError, UnreadableFileError, UsageError
from tests.unit.training.tables.conftest import scan_whole
from training.tables.files import CLOSING_LINE

HEADER = ["customer_id", "product_id", "ordered_at", "quantity", "price"]
DAY = datetime(2026, 9, 13)  # noqa: DTZ001
MOMENT = datetime(2026, 9, 14, 10, 5, 3)  # noqa: DTZ001
ROWS = [[7001, "00123", DAY, 2, 4.5], [7002, "TEA", MOMENT, 1, None]]
CELLS = [("7001", "00123", "2026-09-13", "2", "4.5"), ("7002", "TEA", "2026-09-14T10:05:03", "1", None)]

OLD = zlib.decompress(
    base64.b85decode(
        "c-rk)O-NKx6#nj;H$RSlGp3OSG6-3jh~}miIu({H%_8WBU>av$Fqt#<oLShSEOQwIt%^2+E!tRZ`k{i_6$C~uf*{aZwh9Vb=)BH3?~SPuI8c)D"
        "zQ;ZHo^#JR_q=!Sx%a*IW;#4OaldX3E6@oK@>U6aOJs^lNr4H0`Ynr_g*rgRa<Q&Z5}=9ndGVzDwV&sZ=X(ws?&&Xx0w1ZI#1MKjX(O_R*e5Z>"
        "701v)RN)p$Do`s?RS8W9-5~U?Xg(FXM<iE;c98C@I)UkEZ__Sk6(7?Yq^|<(_o3Ll7fBmx@RC>Y#cRse^<uA?il1F)9rbz{CP5S0ZKMs8`AXbI"
        "5a{Y^>FH@XPMAeCP4*<dSrOoCA*-K9T>09{6-fSlx!nI7d4MKyrTn_41Ea7`Ns^4yqTa3BiG0vZ8s_jk`gkEoDW#mr4QDfhh8asGX*mp;nPe`J"
        "wV4d-8_8HaOB?yQTs)mkWk<ZMlu8&>x3;$JY^N+a@+!y&fovS1WgADiBvcvEBr2sHmb3~{<nwpFyzS}li^fDUDu;!Aq-^0kfQ3tJLB<u*;}J^3"
        "qDd@v2)!&`H%q%tXf^3j-Pl*-G!Bf3&K2oxq;c8>GtsR}+S{l-{`t_O`teWE?bM#?o;zPX^)5Pr20G%BWY5<anpLy9d4usdTBwz?{d^Ew`^#1o"
        "&_Yh^mUC`aVu6#75Eg24{B+bJr#a8c<~+oC7CD_b-SMnec)p+oMHa^CL0eymXMS?eu!-6l#alPS{)3`d>SvGaOB3JAeQBa|#_?s(p-+7AU9+!x"
        "@#T{!JGCl2U=!MOe<BDME?l^9;lhOr7yl@fyn5QN+q(0@?Q=dC_`l8qmAw0#<iEvXWa!G$N9BH`sWvfE)cV;7uPXRbtF$TnFJv60(M=4XU*Z@j"
        "di~NziCTI;t2PY%xfCjP{CqKS{^jw100YbDt^"
    )
)
"""A workbook of Excel 97 with the sheet Orders, as it was saved."""


def workbook(path, sheets, *, hidden=(), epoch=None):
    book = Workbook()
    book.remove(book.active)
    if epoch:
        book.epoch = epoch
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
        sheet.sheet_state = "hidden" if name in hidden else "visible"
    book.save(path)
    return path


@pytest.mark.parametrize("epoch", [None, CALENDAR_MAC_1904])
@pytest.mark.parametrize("ending", ["xlsx", "xlsm", "csv"])
def test_typed_cells_become_text(tmp_path, ending, epoch):
    found = scan_whole(workbook(tmp_path / f"p.{ending}", {"Orders": [HEADER, *ROWS]}, epoch=epoch))
    assert (found.names, found.lines, found.remarks) == (HEADER, [2, 3], {})
    assert [tuple(cell and cell.removesuffix("T00:00:00") for cell in row) for row in found.rows] == CELLS


def test_open_document(tmp_path):
    def cell(value):
        if isinstance(value, int | float):
            return f'<table:table-cell office:value-type="float" office:value="{value}"/>'
        if isinstance(value, datetime):
            return f'<table:table-cell office:value-type="date" office:date-value="{value.isoformat()}"/>'
        return f'<table:table-cell office:value-type="string"><text:p>{value or ""}</text:p></table:table-cell>'

    rows = "".join(f"<table:table-row>{''.join(map(cell, row))}</table:table-row>" for row in (HEADER, *ROWS))
    urn = "urn:oasis:names:tc:opendocument:xmlns"
    spaces = " ".join(f'xmlns:{name}="{urn}:{name}:1.0"' for name in ("office", "table", "text"))
    content = f'<office:spreadsheet><table:table table:name="Orders">{rows}</table:table></office:spreadsheet>'
    with zipfile.ZipFile(tmp_path / "p.ods", "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", f'<manifest:manifest xmlns:manifest="{urn}:manifest:1.0"/>')
        archive.writestr(
            "content.xml",
            f'<?xml version="1.0"?><office:document-content {spaces}><office:body>{content}</office:body>'
            "</office:document-content>",
        )
    found = scan_whole(tmp_path / "p.ods").rows
    assert [tuple(cell and cell.removesuffix("T00:00:00") for cell in row) for row in found] == CELLS


def test_title_totals_and_merged_cells(tmp_path):
    rows = [["Report 2026"], [], HEADER, *ROWS, [None, "MUG", DAY, 1, 9], ["Total", None, None, 4, 18]]
    path = workbook(tmp_path / "p.xlsx", {"Orders": rows})
    book = load_workbook(path)
    book["Orders"].merge_cells("A5:A6")
    book.save(path)
    found = scan_whole(path)
    assert [row[0] for row in found.rows] == ["7001", "7002", "7002"]
    assert (found.lines, found.broken) == ([4, 5, 6], {7: CLOSING_LINE})
    assert "'Report 2026'" in found.remarks["title_lines"]


def test_the_only_sheet_with_a_table_is_read_and_said(tmp_path):
    sheets = {"Notes": [["made on Monday"]], "Orders": [HEADER, *ROWS], "Old": [HEADER, *ROWS]}
    found = scan_whole(workbook(tmp_path / "p.xlsx", sheets, hidden=["Old"]))
    assert len(found.rows) == 2
    assert found.remarks == {"sheet": "sheet 'Orders' is read; left out: 'Notes', 'Old'"}


def test_several_tables_are_asked_for(tmp_path):
    path = workbook(tmp_path / "p.xlsx", {"Orders": [HEADER, *ROWS], "Products": [["id", "title"], ["TEA", "Tea"]]})
    with pytest.raises(UnclearInputError, match=r"'Orders' \(3 rows\), 'Products' \(2 rows\); name one with --sheet"):
        scan_whole(path)
    assert scan_whole(path, sheet="Products").rows == [("TEA", "Tea")]
    with pytest.raises(UsageError, match="has no sheet 'X'; there are 'Orders', 'Products'"):
        scan_whole(path, sheet="X")


def test_workbooks_that_cannot_be_read(tmp_path, monkeypatch):
    path = workbook(tmp_path / "p.xlsx", {"Orders": [HEADER, *ROWS]})
    cut = tmp_path / "cut.xlsx"
    cut.write_bytes(path.read_bytes()[:-300])
    with pytest.raises(UnreadableFileError, match=r"cut\.xlsx is a ZIP archive or workbook that is cut off"):
        scan_whole(cut)
    with pytest.raises(UnreadableFileError, match=r"empty\.xlsx is empty"):
        scan_whole(workbook(tmp_path / "empty.xlsx", {"Sheet": []}))
    monkeypatch.setitem(sys.modules, "python_calamine", None)
    with pytest.raises(UnreadableFileError, match=r"pip install 'reprise-recommender\[excel\]'"):
        scan_whole(path)


@pytest.mark.parametrize("name", ["old.xls", "old.csv"])
def test_a_workbook_of_excel_97(tmp_path, name):
    (tmp_path / name).write_bytes(OLD)
    found = scan_whole(tmp_path / name)
    assert (found.names, found.lines, found.remarks) == (HEADER, [2, 3], {})
    assert found.rows == [("7001", "00123", "2026-09-13", "2", "4.5"), ("7002", "TÉ", "2026-09-14", "1", None)]
    (tmp_path / name).write_bytes(OLD[:3000])
    with pytest.raises(UnreadableFileError, match=r"old.* is no workbook that can be read"):
        scan_whole(tmp_path / name)
