"""Purchases in an object store, read as from a file, by the very client that polars has."""

import gzip
import io
import json
import os

import polars as pl
import pytest

from recommender.cli.progress import Progress
from recommender.errors import DatabaseError, UnreadableFileError, UsageError
from recommender.settings import Settings
from tests.support.object_store import object_store
from tests.support.purchase_files import AS_OF, GOOD, HEADER
from training.ingest.ingest import PurchaseSource, ingest

CSV = (HEADER + GOOD).encode()
ROWS = pl.read_csv(CSV)


def parquet(rows: pl.DataFrame) -> bytes:
    file = io.BytesIO()
    rows.write_parquet(file)
    return file.getvalue()


LONG = "".join(f"c{number},p1,2024-01-01T10:00:00Z,1,\n" for number in range(300_000))
OBJECTS = {
    "orders.csv": CSV,
    "crlf.csv": CSV.replace(b"\n", b"\r\n"),
    "orders.csv.gz": gzip.compress(CSV),
    "semicolons.txt": CSV.replace(b",", b";"),
    "orders.jsonl": ROWS.write_ndjson().encode(),
    "orders.parquet": parquet(ROWS),
    "many/1.csv": (HEADER + GOOD[: len(GOOD) // 2]).encode(),
    "many/2.csv": (HEADER + GOOD[len(GOOD) // 2 :]).encode(),
    "more/1.parquet": parquet(ROWS[:30]),
    "more/2.parquet": parquet(ROWS[30:]),
    "long.csv": (HEADER + LONG + "broken\n" + LONG).encode(),
    "cp1252.csv": (HEADER + "ä,p,2024-01-01,1,1\n").encode("cp1252"),
    "empty.csv": b"",
    "products.csv": b"product_id,title\np1,Milk\n",
}


@pytest.fixture(scope="module", autouse=True)
def store():
    """The store, in the environment of all tests of this file."""
    with object_store(OBJECTS) as environment, pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        yield


@pytest.mark.parametrize("scheme", ["s3", "s3a"])
@pytest.mark.parametrize(
    "name",
    ["orders.csv", "crlf.csv", "orders.csv.gz", "semicolons.txt", "orders.jsonl", "orders.parquet", "more/*.parquet"],
)
def test_every_form_is_read_as_from_a_file(read, name, scheme):
    found = read(f"{scheme}://bucket/{name}")
    assert (found.report.rows_good, found.report.purchases) == (60, 60)
    assert found.report.sources == [f"{scheme}://bucket/{name}"]


def test_each_object_of_a_pattern_has_a_header_of_its_own(read):
    found = read("s3://bucket/many/*.csv")
    assert (found.report.rows_good, found.report.quarantined) == (60, {})
    assert found.report.sources == ["s3://bucket/many/1.csv", "s3://bucket/many/2.csv"]


def test_lines_keep_their_order_and_their_numbers(read):
    found = read("s3://bucket/long.csv")
    assert found.report.rows_read == 600_001
    bad = pl.read_csv(found.report.quarantine)
    assert bad.select("file", "line").rows() == [("s3://bucket/long.csv", 300_002)]


def test_products_are_read_too(tmp_path, read):
    found = read("s3://bucket/orders.csv", products="s3://bucket/products.csv")
    assert found.catalogue.filter(product_id="p1")["title"].item() == "Milk"
    with pytest.raises(UsageError, match="2 objects; name one file of products"):
        read("s3://bucket/orders.csv", products="s3://bucket/many/*.csv")


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        ("no.csv", DatabaseError, r"s3://bucket/no\.csv cannot be read"),
        ("no.parquet", DatabaseError, r"s3://bucket/no\.parquet cannot be read"),
        ("cp1252.csv", DatabaseError, r"cp1252\.csv cannot be read: .*copy it here first"),
        ("empty.csv", UnreadableFileError, r"s3://bucket/empty\.csv is empty"),
    ],
)
def test_what_cannot_be_read_is_named(read, tmp_path, name, error, words):
    with pytest.raises(error, match=words) as caught:
        read(f"s3://bucket/{name}")
    assert "s3cret" not in str(caught.value)
    assert list((tmp_path / "home" / "work").iterdir()) == []


def test_a_store_that_is_out_of_reach_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    # a bucket of its own: polars keeps its clients
    with pytest.raises(DatabaseError, match=r"s3://nowhere/orders\.csv cannot be read") as caught:
        ingest(PurchaseSource(("s3://nowhere/orders.csv",)), Settings(home=tmp_path), AS_OF, Progress(show=False))
    assert "s3cret" not in str(caught.value)


def test_the_other_stores_are_handed_to_polars(tmp_path, monkeypatch):
    """Their clients are polars' own; here it is only asked for the right thing."""
    asked = []

    def scan(path, **options):
        asked.append(path)
        raise pl.exceptions.ComputeError("enough")

    monkeypatch.setattr(pl, "scan_lines", scan)
    monkeypatch.setattr(pl, "scan_parquet", scan)
    paths = ["gs://bucket/orders.csv", "az://box/orders.parquet", "abfss://box@account/orders/*.parquet"]
    for path in paths:
        with pytest.raises(DatabaseError, match="enough"):
            ingest(PurchaseSource((path,)), Settings(home=tmp_path), AS_OF, Progress(show=False))
    assert asked == paths


@pytest.mark.parametrize("name", ["orders.csv", "orders.parquet", "orders.csv.gz"])
@pytest.mark.parametrize("scheme", ["gs", "gcs", "az", "azure", "abfs", "adl"])
def test_google_and_azure_are_read_by_their_own_clients(read, monkeypatch, scheme, name):
    """Both are asked for objects as S3 is, so the same stand-in answers; the environment says where it is."""
    url = os.environ["AWS_ENDPOINT_URL"]
    key = {"gcs_base_url": url, "disable_oauth": True, "client_email": "", "private_key": "", "private_key_id": ""}
    monkeypatch.setenv("GOOGLE_SERVICE_ACCOUNT_KEY", json.dumps(key))
    for variable, value in (("ACCOUNT_NAME", "shop"), ("ENDPOINT", url)):
        monkeypatch.setenv(f"AZURE_STORAGE_{variable}", value)
    monkeypatch.setenv("AZURE_SKIP_SIGNATURE", "true")
    monkeypatch.setenv("AZURE_ALLOW_HTTP", "true")
    found = read(f"{scheme}://bucket/{name}")
    assert (found.report.rows_good, found.report.sources) == (60, [f"{scheme}://bucket/{name}"])


def test_azure_without_an_account_says_which_variables_are_missing(tmp_path):
    with pytest.raises(
        DatabaseError, match=r"az://keyless/orders\.csv cannot be read: no keys were found; set AZURE_STOR"
    ):
        ingest(PurchaseSource(("az://keyless/orders.csv",)), Settings(home=tmp_path), AS_OF, Progress(show=False))


@pytest.mark.parametrize(
    ("path", "variable"), [("gs://b/o.csv", "GOOGLE_APPLICATION_CREDENTIALS"), ("s3://b/o.csv", "AWS_ACCESS_KEY_ID")]
)
def test_so_do_the_others(tmp_path, monkeypatch, path, variable):
    """Their clients look for the machine's own cloud for many seconds first; this is what they say then."""

    def scan(path, **options):
        raise OSError("Error performing token request: Error performing GET http://169.254.169.254/latest/api/token")

    monkeypatch.setattr(pl, "scan_lines", scan)
    with pytest.raises(DatabaseError, match=f"no keys were found; set {variable}"):
        ingest(PurchaseSource((path,)), Settings(home=tmp_path), AS_OF, Progress(show=False))
