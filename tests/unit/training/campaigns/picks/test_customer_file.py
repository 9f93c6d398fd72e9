"""Files of ids."""

import errno
import os

import pytest
from openpyxl import Workbook

from recommender.errors import UnclearInputError, UnreadableFileError
from training.campaigns.picks.customer_file import read_customers
from training.flat_files import to_csv


def test_ids_that_reprise_defused_are_read_back(tmp_path):
    path = tmp_path / "customers.csv"
    path.write_bytes(to_csv(["customer_id"]) + to_csv(["=1+1"]) + to_csv(["ANNA"]))
    listed = read_customers(path)
    assert ("=1+1" in listed, "ANNA" in listed, len(listed)) == (True, True, 2)


def ids_in(path, text):
    path.write_bytes(text)
    listed = read_customers(path)
    return len(listed), {one for one in ("00123", "ANNA", "a,b", "a b", "customer_id", 'q"q') if one in listed}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (b"ANNA\n00123\nANNA\n\n", {"ANNA", "00123"}),
        (b"Name,Customer ID\nAnna,ANNA\nBob,00123\n", {"ANNA", "00123"}),
        (b"ANNA\r\n00123", {"ANNA", "00123"}),
        (b"\xef\xbb\xbfANNA\na b\n", {"ANNA", "a b"}),
        (b"a,b\nANNA\n", {"a,b", "ANNA"}),
        (b'name,customer_id\nx,ANNA\n"y,z","a,b"\nshort\nw,\n', {"ANNA", "a,b"}),
        (b'\xef\xbb\xbfcustomer_id\r\n"q""q"\r\nANNA\r\n', {'q"q', "ANNA"}),
    ],
    ids=["lines", "a column, as people call it", "Windows", "BOM", "commas in ids", "a column", "a column, quoted"],
)
def test_ids_come_from_lines_or_from_their_column(tmp_path, text, found):
    assert ids_in(tmp_path / "ids", text) == (len(found), found)


@pytest.mark.parametrize(
    ("text", "message"),
    [(b"", "is empty"), (b"customer_id\n", "names no customer"), (b"\xff\xfe\x00", "is the file complete")],
)
def test_a_file_of_nobody_is_refused(tmp_path, text, message):
    (tmp_path / "ids").write_bytes(text)
    with pytest.raises(UnreadableFileError, match=message):
        read_customers(tmp_path / "ids")


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(UnreadableFileError, match=f"cannot be read: .*{os.strerror(errno.ENOENT)}"):
        read_customers(tmp_path / "ids")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
@pytest.mark.parametrize("text", ["customer_id;name\r\nJÖRG;x\r\nANNA;Ö\r\n", "JÖRG\rANNA\r"])
def test_files_as_spreadsheets_save_them(tmp_path, encoding, text):
    (tmp_path / "ids").write_bytes(text.encode(encoding))
    listed = read_customers(tmp_path / "ids")
    assert (len(listed), "JÖRG" in listed, "ANNA" in listed) == (2, True, True)


@pytest.mark.parametrize("text", ["customer_id,name\n{},x\n", "{}\nANNA\n"])
def test_an_encoding_of_ids_is_never_guessed(tmp_path, text):
    (tmp_path / "ids").write_bytes(text.format("JÖRG").encode("cp1252"))
    with pytest.raises(UnclearInputError, match="letters beyond ASCII; save it as UTF-8"):
        read_customers(tmp_path / "ids")
    (tmp_path / "ids").write_bytes("customer_id,name\nJ,Jörg\n".encode("cp1252"))
    assert "J" in read_customers(tmp_path / "ids")


def test_a_workbook(tmp_path):
    book = Workbook()
    for row in (["name", "customer_id"], ["Anna", 7001], ["Bob", "00123"]):
        book.active.append(row)
    book.save(tmp_path / "ids.xlsx")
    listed = read_customers(tmp_path / "ids.xlsx")
    assert (len(listed), "7001" in listed, "00123" in listed) == (2, True, True)
