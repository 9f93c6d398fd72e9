"""Files of ids."""

import errno
import os

import pytest

from recommender.errors import UnreadableFileError
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
        (b"ANNA\r\n00123", {"ANNA", "00123"}),
        (b"\xef\xbb\xbfANNA\na b\n", {"ANNA", "a b"}),
        (b"a,b\nANNA\n", {"a,b", "ANNA"}),
        (b'name,customer_id\nx,ANNA\n"y,z","a,b"\nshort\nw,\n', {"ANNA", "a,b"}),
        (b'\xef\xbb\xbfcustomer_id\r\n"q""q"\r\nANNA\r\n', {'q"q', "ANNA"}),
    ],
    ids=["lines", "Windows", "BOM", "commas in ids", "a column", "a column, quoted"],
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
