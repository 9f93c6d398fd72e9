import gzip
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from recommender.cli.progress import Progress
from recommender.errors import UsageError
from recommender.reading import ReadingOptions
from recommender.settings import Settings
from tests.support.worlds import ledger_of
from training.ingest import ingest_report
from training.ingest.ingest import PurchaseSource, ingest
from training.ingest.ingest_report import ledger_facts
from training.ingest.schema import CATALOGUE, LEDGER

AS_OF = datetime(2024, 6, 1, tzinfo=UTC)
HEADER = "customer_id,product_id,ordered_at,order_id,quantity,unit_price\n"
MILK = "ann,milk,2024-01-01T10:00:00Z,1,2,1.10\n"
BREAD = "bob,bread,2024-01-02T10:00:00Z,2,1,2.50\n"


@pytest.fixture
def read(tmp_path):
    def read(*paths, products=None, **reading):
        return ingest(
            PurchaseSource(paths, ReadingOptions(**reading), products),
            Settings(home=tmp_path / "home"),
            AS_OF,
            Progress(show=False),
        )

    return read


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def lines(ingested):
    return list(ingested.ledger.select("customer_id", "product_id", "quantity").iter_rows())


def test_the_ledger_has_its_schema_and_order(tmp_path, read):
    found = read(write(tmp_path / "p.csv", HEADER + BREAD + MILK))
    assert found.ledger.schema == LEDGER
    assert found.catalogue.schema == CATALOGUE
    assert found.ledger.row(0) == ("ann", "milk", datetime(2024, 1, 1, 10, tzinfo=UTC), "1", 2.0, 1.1)
    assert lines(found) == [("ann", "milk", 2.0), ("bob", "bread", 1.0)]


def test_every_kind_of_file_says_the_same(tmp_path, read):
    csv = write(tmp_path / "a" / "p.csv", HEADER + MILK + BREAD)
    (tmp_path / "p.csv.gz").write_bytes(gzip.compress(csv.read_bytes()))
    semicolons = write(tmp_path / "p.txt", csv.read_text().replace(",", ";"))
    table = pl.read_csv(csv, infer_schema=False)
    table.write_parquet(tmp_path / "p.parquet")
    objects = write(tmp_path / "p.jsonl", "".join(json.dumps(row) + "\n" for row in table.iter_rows(named=True)))
    (tmp_path / "p.jsonl.gz").write_bytes(gzip.compress(objects.read_bytes()))
    expected = read(csv).ledger
    for file in ("p.csv.gz", semicolons.name, "p.parquet", objects.name, "p.jsonl.gz"):
        assert read(tmp_path / file).ledger.equals(expected), file


def test_a_folder_and_a_glob_are_read_whole_and_a_file_only_once(tmp_path, read):
    january = write(tmp_path / "in" / "january.csv", HEADER + MILK)
    write(tmp_path / "in" / "february.csv", HEADER + BREAD)
    write(tmp_path / "in" / "readme.md", "not data")
    assert (
        lines(read(tmp_path / "in")) == lines(read(tmp_path / "in" / "*.csv")) == lines(read(tmp_path / "in", january))
    )
    assert len(read(tmp_path / "in").ledger) == 2


def test_a_product_file_in_the_same_folder_is_not_read_as_purchases(tmp_path, read):
    write(tmp_path / "in" / "purchases.csv", HEADER + MILK)
    products = write(tmp_path / "in" / "products.csv", "product_id,title\nmilk,Milk\n")
    assert read(tmp_path / "in", products=products).catalogue["title"].to_list() == ["Milk"]


def test_the_same_rows_in_another_order_give_the_same_ledger(tmp_path, read):
    one = read(write(tmp_path / "1.csv", HEADER + MILK + BREAD + MILK))
    two = read(write(tmp_path / "2.csv", HEADER + MILK + MILK + BREAD))
    assert one.ledger.equals(two.ledger)
    assert one.catalogue.equals(two.catalogue)


def test_only_three_columns_are_needed(tmp_path, read):
    rows = "ann,milk,2024-01-01\nann,bread,2024-01-01\nann,milk,2024-01-02\n"
    found = read(write(tmp_path / "p.csv", "customer_id,product_id,ordered_at\n" + rows))
    assert found.ledger["order_id"].to_list() == ["ann@2024-01-01", "ann@2024-01-01", "ann@2024-01-02"]
    assert found.ledger["quantity"].to_list() == [1.0, 1.0, 1.0]
    assert found.ledger["unit_price"].null_count() == 3


def test_columns_may_be_named(tmp_path, read):
    file = write(tmp_path / "p.csv", "Customer ID,SKU,Date\n007,a b,2024-01-01\n")
    found = read(file, columns={"customer_id": "Customer ID", "product_id": "SKU", "ordered_at": "Date"})
    assert lines(found) == [("007", "a b", 1.0)]
    assert found.report.columns == {"customer_id": "Customer ID", "product_id": "SKU", "ordered_at": "Date"}


def test_integer_and_float_ids_of_a_parquet_file_are_text(tmp_path, read):
    table = {"customer_id": [13085.0, 7.0], "product_id": [1, 2], "ordered_at": [1_704_456_000_000, 1_704_456_000_001]}
    pl.DataFrame(table).write_parquet(tmp_path / "p.parquet")
    assert lines(read(tmp_path / "p.parquet")) == [("13085", "1", 1.0), ("7", "2", 1.0)]


def test_refunds_are_netted_and_counted(tmp_path, read):
    refund = "ann,milk,2024-01-05T10:00:00Z,9,-1,1.10\n"
    found = read(write(tmp_path / "p.csv", HEADER + MILK + BREAD + refund))
    assert lines(found) == [("ann", "milk", 1.0), ("bob", "bread", 1.0)]
    assert found.report.refunds["lines"] == 1
    assert found.report.rows_good == 3


def test_a_refund_status_voids_its_own_order_only(tmp_path, read):
    header = "customer_id,product_id,ordered_at,order_id,status\n"
    paid, void = "ann,milk,2024-01-01,1,paid\n", "ann,milk,2024-01-08,2,Refunded\n"
    rows = paid + void + "ann,milk,2024-01-09,1,cancelled\nbob,milk,2024-01-09,3,\n"
    found = read(write(tmp_path / "p.csv", header + rows))
    assert lines(found) == [("bob", "milk", 1.0)]
    assert found.report.refunds["own_lines"] == 1


def test_without_order_ids_a_refunded_row_is_the_purchase_itself(tmp_path, read):
    header = "customer_id,product_id,ordered_at,status\n"
    rows = "ann,milk,2024-01-01,\nann,milk,2024-01-08,\nann,milk,2024-01-09,refunded\n"
    kept = ["ann@2024-01-01", "ann@2024-01-08"]
    assert read(write(tmp_path / "p.csv", header + rows)).ledger["order_id"].to_list() == kept


def test_without_order_ids_a_refund_of_an_event_log_takes_back_an_earlier_purchase(tmp_path, read):
    header = "customer_id,product_id,ordered_at,status\n"
    rows = "ann,milk,2024-01-01,sale\nann,milk,2024-01-08,sale\nann,milk,2024-01-09,return\n"
    assert read(write(tmp_path / "p.csv", header + rows)).ledger["order_id"].to_list() == ["ann@2024-01-01"]


def test_a_key_that_only_the_last_lines_have_is_seen(tmp_path, read):
    lines = [
        {"customer_id": str(n % 40), "product_id": "TEA", "ordered_at": str(date(2022, 1, 1) + timedelta(n // 2))}
        | ({"status": "refunded"} if n >= 1_140 else {})
        for n in range(1_200)
    ]
    found = read(write(tmp_path / "p.jsonl", "\n".join(map(json.dumps, lines))))
    assert len(found.ledger) == 1_140


def test_a_refunded_quantity_is_taken_off_its_row(tmp_path, read):
    header = "customer_id,product_id,ordered_at,quantity,refunded_quantity\n"
    rows = "ann,milk,2024-01-01,3,1\nann,bread,2024-01-01,1,1\nbob,milk,2024-01-01,2,\n"
    found = read(write(tmp_path / "p.csv", header + rows))
    assert lines(found) == [("ann", "milk", 2.0), ("bob", "milk", 2.0)]
    assert found.report.refunds["own_lines"] == 2


def test_tills_are_left_out_and_reported(tmp_path, read):
    people = [f"c{number},milk,2024-01-0{day}" for number in range(20) for day in (1, 2, 3)]
    till = [f"till,p{number},2024-02-{number % 28 + 1:02}" for number in range(40)]
    found = read(write(tmp_path / "p.csv", "customer_id,product_id,ordered_at\n" + "\n".join(people + till)))
    assert [suspect["customer_id"] for suspect in found.report.suspicious] == ["till"]
    assert "till" not in found.ledger["customer_id"]
    assert found.report.customers == 20


def test_the_report_describes_the_ledger(tmp_path, read):
    rows = "ann,milk,2024-01-01T00:00:00Z,1,,\nann,milk,2024-01-11T00:00:00Z,2,,\nann,milk,2024-01-31T00:00:00Z,3,,\n"
    report = read(write(tmp_path / "p.csv", HEADER + rows + BREAD)).report
    assert (report.purchases, report.customers, report.products, report.orders) == (4, 2, 2, 4)
    assert (report.repeat_pair_share, report.repeat_customer_share, report.median_gap_days) == (0.5, 0.5, 15.0)
    assert (report.first_at, report.last_at) == ("2024-01-01T00:00:00+00:00", "2024-01-31T00:00:00+00:00")
    assert report.times == ["ISO-8601 with a zone"]
    assert json.loads(json.dumps(report.to_dict()))["bad_share"] == 0.0


def test_a_large_ledger_is_described_as_any_other(monkeypatch):
    ledger = ledger_of((f"C{n % 7}", f"P{n % 5}", n / 3 + 0.5) for n in range(200))
    whole = ledger_facts(ledger)
    monkeypatch.setattr(ingest_report, "_LINES_OF_A_PART", 50)
    assert ledger_facts(ledger) == whole
    assert whole["repeat_pair_share"] > 0


def test_unknown_formats_and_zoneless_moments_are_usage_errors(tmp_path, read):
    file = write(tmp_path / "p.csv", HEADER + MILK)
    with pytest.raises(UsageError, match=r"no format 'excel'; there are: etsy, ga4, "):
        read(file, format="excel")
    zoneless = datetime(2024, 1, 1)  # noqa: DTZ001 - the mistake that is tested
    with pytest.raises(UsageError, match="has no zone"):
        ingest(PurchaseSource([file]), Settings(home=tmp_path), zoneless, Progress(show=False))


def test_online_retail_two(tmp_path, read):
    file = Path(__file__).parents[4] / "../shared/data/online-retail-ii.parquet"
    if not file.exists():
        pytest.skip("the Online Retail II file is not in ../shared/data")
    found = read(file, format="online-retail")
    assert found.report.rows_read == 1_044_847
    assert found.report.left_out["no customer (guest sale)"] == 235_287
    assert found.report.suspicious == []  # 17841 and 14911 are wholesalers, not tills
    assert {"17841", "14911"} <= set(found.ledger["customer_id"])
    cut, end = datetime(2011, 10, 1, tzinfo=UTC), datetime(2011, 10, 31, tzinfo=UTC)
    past = found.ledger.filter(pl.col("ordered_at") < cut)["customer_id"].unique()
    later = found.ledger.filter(pl.col("ordered_at").is_between(cut, end, closed="left"))["customer_id"].unique()
    # 1,107 before refunds are netted; six of them returned all that they had bought before or after the cut
    assert later.is_in(past.implode()).sum() == 1_101


def test_an_id_that_becomes_an_object_is_a_bad_row_that_names_the_remedy(tmp_path, read):
    def line(customer):
        return json.dumps({"customer_id": customer, "product_id": "TEA", "ordered_at": "2024-01-01"})

    rows = [*map(line, map(str, range(1, 41))), line({"id": 7})]
    report = read(write(tmp_path / "p.jsonl", "\n".join(rows))).report
    remedy = 'id is an object of JSON; name one of its keys, such as customer_id="customer.id"'
    assert (report.customers, report.quarantined) == (40, {remedy: 1})
