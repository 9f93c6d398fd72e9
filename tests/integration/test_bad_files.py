"""A file that cannot be used gets a reason and a remedy, never a traceback. Bad rows: test_bad_rows.py."""

import errno
import gzip
import json
import os
import re
import subprocess
import sys

import pytest

from recommender.errors import HomeError, MissingColumnError, UnreadableFileError
from tests.support.purchase_files import GOOD, HEADER, write
from training.ingest import ingest as ingest_module


@pytest.mark.parametrize("content", [b"", b"\n\n  \n", b"\xef\xbb\xbf"])
def test_an_empty_file(tmp_path, doctor, content):
    code, _, message = doctor(write(tmp_path / "empty.csv", content))
    assert code == 3
    assert "empty.csv is empty; a header line and one line per purchase are needed" in message


def test_a_file_that_is_not_there(tmp_path, doctor):
    code, _, message = doctor(tmp_path / "nowhere.csv")
    assert (code, message) == (3, f"{tmp_path / 'nowhere.csv'} does not exist; check the path")


def test_a_header_without_rows(tmp_path, doctor):
    code, output, message = doctor(write(tmp_path / "header.csv", HEADER))
    assert code == 3
    assert "no purchase is left" in message
    assert "Enough data for" in output


def test_a_folder_without_data_files(tmp_path, read):
    (tmp_path / "folder").mkdir()
    write(tmp_path / "folder" / "photo.png", b"\x89PNG")
    with pytest.raises(UnreadableFileError, match=r"folder .* holds no data file; known endings are \.csv"):
        read(tmp_path / "folder")
    with pytest.raises(UnreadableFileError, match=r"pattern .* holds no data file"):
        read(tmp_path / "folder" / "*.csv")


def test_another_encoding_is_read_and_said(tmp_path, read):
    latin = write(tmp_path / "latin.csv", (HEADER + GOOD).encode() + "café,p1,2024-01-01,1,1\n".encode("latin-1"))
    found = read(latin)
    assert "café" in found.ledger["customer_id"]
    assert "read as cp1252, such as 'café'; if that is wrong, name it with --encoding" in found.report.notes[0]["text"]
    wide = read(write(tmp_path / "wide.csv", (HEADER + GOOD).encode("utf-16")))
    assert len(wide.ledger) == 60


def test_a_byte_order_mark_does_no_harm(tmp_path, read):
    assert len(read(write(tmp_path / "bom.csv", "\ufeff" + HEADER + GOOD)).ledger) == 60


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("book.xlsx", b"PK\x03\x04rest", "a ZIP archive or workbook that is cut off"),
        ("array.json", b'[{"customer_id": 1}, {"custom', "breaks off or is no JSON"),
        ("broken.parquet", b"PAR1 and nothing else", "cannot be read"),
        ("cut.csv.gz", gzip.compress((HEADER + GOOD).encode())[:-20], "is packed, and breaks off after line"),
    ],
)
def test_a_file_of_another_kind_or_cut_off(tmp_path, doctor, name, content, said):
    code, _, message = doctor(write(tmp_path / name, content))
    assert code == 3
    assert name in message
    assert said in message


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_without_permission(tmp_path, read):
    secret = write(tmp_path / "secret.csv", HEADER + GOOD)
    secret.chmod(0)
    with pytest.raises(UnreadableFileError, match=re.escape(os.strerror(errno.EACCES))):
        read(secret)


def test_a_file_that_changes_while_it_is_read(tmp_path, read, monkeypatch):
    growing = write(tmp_path / "growing.csv", HEADER + GOOD)
    real = ingest_module.read_part

    def and_then_it_grows(*arguments, **options):
        part = real(*arguments, **options)
        with growing.open("a") as file:
            file.write(GOOD)
        return part

    monkeypatch.setattr(ingest_module, "read_part", and_then_it_grows)
    with pytest.raises(UnreadableFileError, match=r"growing.csv changed while it was read; wait"):
        read(growing)


def test_a_quarantine_that_cannot_be_written(tmp_path, read):
    write(tmp_path / "home", "a file where the folder should be")
    bad = write(tmp_path / "p.csv", HEADER + GOOD + "c1,,2024-01-01,1,1\n")
    with pytest.raises(HomeError, match="set REPRISE_HOME"):
        read(bad)


def test_a_missing_column_names_those_seen_and_the_nearest(tmp_path, doctor):
    code, _, message = doctor(write(tmp_path / "p.csv", "Customer ID,product,ordered_at\n1,2,2024-01-01\n"))
    assert code == 3
    assert "'Customer ID', 'product', 'ordered_at'" in message
    assert "--columns customer_id='Customer ID'" in message


def test_columns_on_the_command_line(tmp_path, doctor):
    file = write(tmp_path / "p.csv", "Customer ID,product,when\n" + "1,2,2024-01-01\n")
    named = "customer_id=Customer ID,product_id=product"
    code, output, _ = doctor(file, "--columns", named, "--columns", "ordered_at=when", "--json")
    assert code == 0
    assert json.loads(output)["columns"]["ordered_at"] == "when"
    assert doctor(file, "--columns", "shopper=Customer ID")[0] == 2


def test_a_product_file_that_cannot_be_used(tmp_path, read):
    purchases = write(tmp_path / "p.csv", HEADER + GOOD)
    with pytest.raises(MissingColumnError, match="no column 'product_id'"):
        read(purchases, products=write(tmp_path / "products.csv", "sku\n1\n"))
    with pytest.raises(UnreadableFileError, match=r"nothing.csv cannot be read"):
        read(purchases, products=tmp_path / "nothing.csv")


def test_the_command_ends_with_one_line_and_code_3(tmp_path):
    file = write(tmp_path / "p.csv", "a,b\n1,2\n")
    command = [sys.executable, "-m", "recommender.cli", "doctor", str(file)]
    environment = {**os.environ, "REPRISE_HOME": str(tmp_path / "home")}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 3
    assert done.stderr.startswith(f"error: {file} has no column 'customer_id'")
    assert "Traceback" not in done.stderr
