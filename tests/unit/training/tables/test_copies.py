"""Files that hold the same."""

import gzip

import pytest

from recommender.errors import UnclearInputError
from recommender.reading import ReadingOptions
from training.tables.copies import without_copies
from training.tables.files import find_files
from training.tables.scan import scan_file
from training.tables.workspace import Workspace

ONE, OTHER = "a,b\n1,2\n", "a,b\n1,3\n"


def kept(home, files):
    with Workspace(home) as work:
        tables = without_copies({file: scan_file(file, ReadingOptions(), work) for file in files})
        return {file.name: dict(table.remarks) for file, table in tables.items()}


def test_copies_are_read_once_and_named(tmp_path):
    for name, text in (("a.csv", ONE), ("b.csv", ONE), ("c.csv", OTHER), ("d.csv", ONE)):
        (tmp_path / name).write_text(text)
    (tmp_path / "e.csv.gz").write_bytes(gzip.compress(OTHER.encode()))
    said = "b.csv holds the same and is not read again; d.csv holds the same and is not read again"
    assert kept(tmp_path / "home", find_files([tmp_path])) == {
        "a.csv": {"copy": said},
        "c.csv": {"copy": "e.csv.gz holds the same and is not read again"},
    }


@pytest.mark.parametrize("other", ["orders.xlsx", "orders.parquet", "orders.csv.gz", "orders.jsonl"])
def test_a_folder_with_one_name_in_two_formats_is_asked_about(tmp_path, other):
    (tmp_path / "orders.csv").write_text(ONE)
    (tmp_path / other).write_text(OTHER)
    with pytest.raises(UnclearInputError, match=r"could be the same purchases in two formats; name the files"):
        find_files([tmp_path])
    assert len(find_files([tmp_path / "orders.csv", tmp_path / other])) == 2
