"""Bad rows are quarantined with a reason, odd ones survive, and shops too small to learn from are described."""

import csv
import json
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from recommender.errors import TooLittleDataError, TooManyBadRowsError, UnclearInputError
from tests.support.purchase_files import AS_OF, GOOD, HEADER, write

LOST_ID = "id in scientific notation: its last digits are lost; format the column as text and export it again"


def quarantined(report):
    with Path(report.quarantine).open(newline="") as file:
        return list(csv.DictReader(file))


def test_each_bad_row_is_quarantined_with_its_line_and_reason_and_good_rows_go_on(tmp_path, read):
    long = "x" * 600
    bad = [
        (",,2024-01-01,1,1", "no customer_id"),
        ("c1,  ,2024-01-01,1,1", "no product_id"),
        ("c1,p1,soon,1,1", "ordered_at cannot be read as a time"),
        ("c1,p1,,1,1", "ordered_at cannot be read as a time"),
        ("c1,p1,2124-01-01,1,1", "ordered_at in the future"),
        ("c1,p1,1985-01-01,1,1", "ordered_at before 1990"),
        ("c1,p1,2024-01-01,1000000000000,1", "quantity over 10,000,000"),
        ("9.23E+11,p1,2024-01-01,1,1", LOST_ID),
        ("c1,p1,2024-01-01,two,1", "quantity is not a number"),
        ("c1,p1,2024-01-01,NaN,1", "quantity is not a number"),
        ("c1,p1,2024-01-01,inf,1", "quantity is not a number"),
        (f"{long},p1,2024-01-01,1,1", "id over 512 characters"),
        ("c1,p1", "ordered_at cannot be read as a time"),
        ("c1,p1,2024-01-01,1,1,extra", "broken line"),
    ]
    file = write(tmp_path / "mixed.csv", HEADER + GOOD + "".join(f"{line}\n" for line, _ in bad))
    found = read(file, share=0.5)
    rows = quarantined(found.report)
    assert [(row["reason"], int(row["line"])) for row in rows] == [
        (reason, 62 + number) for number, (_, reason) in enumerate(bad)
    ]
    assert rows[0]["file"] == str(file)
    assert rows[2]["ordered_at"] == "soon"
    assert len(rows[11]["customer_id"]) == 200
    assert found.report.quarantine == str(tmp_path / "home" / "quarantine" / "mixed.csv")
    assert len(found.ledger) == 60


def test_too_many_bad_rows_are_refused_after_the_quarantine_is_written(tmp_path, read):
    file = write(tmp_path / "p.csv", HEADER + GOOD + "c1,p1,never,1,1\n" * 5 + ",,2024-01-01,1,1\n")
    with pytest.raises(TooManyBadRowsError) as caught:
        read(file)
    message = str(caught.value)
    assert "6 of 66 rows are bad (9.1%, allowed are 5.0%)" in message
    assert "ordered_at cannot be read as a time (5), no customer_id (1)" in message
    assert str(tmp_path / "home" / "quarantine" / "p.csv") in message
    assert len((tmp_path / "home" / "quarantine" / "p.csv").read_text().splitlines()) == 7


def test_the_doctor_shows_the_report_of_a_refused_file(tmp_path, doctor):
    code, output, message = doctor(write(tmp_path / "p.csv", HEADER + "c1,p1,never,1,1\n" * 5 + GOOD))
    assert code == 3
    assert "ordered_at cannot be read as a time" in output
    assert "5 of 65 rows are bad" in message


def test_a_mended_file_leaves_no_old_quarantine(tmp_path, read):
    file = write(tmp_path / "p.csv", HEADER + GOOD + "c1,,2024-01-01,1,1\n")
    old = Path(read(file).report.quarantine)
    assert old.exists()
    write(file, HEADER + GOOD)
    assert read(file).report.quarantine is None
    assert not old.exists()


def test_bad_json_lines_are_quarantined(tmp_path, read):
    good = [{"customer_id": "00123", "product_id": n % 5, "ordered_at": "2024-01-01"} for n in range(60)]
    file = write(tmp_path / "p.jsonl", "\n".join([*map(json.dumps, good), '{"customer_id": ', "[1]", ""]))
    found = read(file)
    assert [(row["line"], row["reason"]) for row in quarantined(found.report)] == [
        ("61", "broken line"),
        ("62", "broken line"),
    ]
    assert found.ledger["customer_id"].unique().to_list() == ["00123"]


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_a_ten_megabyte_line_is_one_bad_row(tmp_path, read, kind):
    long = "x" * 10_000_000
    if kind == "csv":
        content = HEADER + f"{long},p1,2024-01-01,1,1\n" + GOOD
    else:
        row = {"product_id": "p1", "ordered_at": "2024-01-01"}
        content = "\n".join(json.dumps(row | {"customer_id": name}) for name in (long, *("c" * 60)))
    found = read(write(tmp_path / f"long.{kind}", content))
    assert found.report.quarantined == {"id over 512 characters": 1}
    assert len(found.ledger) == 60
    assert Path(found.report.quarantine).stat().st_size < 1000


@pytest.mark.parametrize("id_", ["00123", "a b", "a/b?c=d", "日本-ü", "a'b", '"a,b"', "a%2Fb", "[/]", "0"])
def test_odd_ids_survive(tmp_path, read, id_):
    found = read(
        write(
            tmp_path / "p.csv",
            HEADER + f" {id_} ,{id_},2024-01-01,1,1\n" if '"' not in id_ else HEADER + f"{id_},{id_},2024-01-01,1,1\n",
        )
    )
    expected = id_.strip('"')
    assert found.ledger.select("customer_id", "product_id").row(0) == (expected, expected)
    assert found.catalogue["product_id"].to_list() == [expected]


def test_times_without_a_zone_are_utc_and_said_so(tmp_path, read):
    report = read(write(tmp_path / "p.csv", HEADER + GOOD.replace("Z", ""))).report
    assert report.times == ["ISO-8601 without a zone, taken as UTC"]
    assert report.first_at.endswith("+00:00")


def test_negative_quantities_are_refunds_not_bad(tmp_path, read):
    rows = "ann,p1,2024-01-01,3,1\nann,p1,2024-01-02,-1,1\nbob,p1,2024-01-02,-5,1\n"
    found = read(write(tmp_path / "p.csv", HEADER + rows))
    assert list(found.ledger.select("customer_id", "quantity").iter_rows()) == [("ann", 2.0)]
    assert found.report.quarantined == {}
    assert (found.report.refunds["lines"], found.report.refunds["unmatched_lines"]) == (2, 1)


@pytest.mark.parametrize("price", ["NaN", "inf", "cheap"])
def test_a_price_that_cannot_be_costs_the_price_not_the_purchase(tmp_path, read, price):
    rows = f"ann,p1,2024-01-01,1,{price}\nann,p2,2024-01-01,1,2.50\nann,p3,2024-01-01,1,2.50\n"
    found = read(write(tmp_path / "p.csv", HEADER + rows))
    assert found.ledger["unit_price"].to_list() == [None, 2.5, 2.5]
    assert found.report.prices_ignored == 1
    assert found.catalogue["price"].to_list() == [None, "2.50", "2.50"]


def test_prices_that_are_mostly_no_numbers_are_refused_and_shown(tmp_path, read, doctor):
    file = write(tmp_path / "p.csv", HEADER + GOOD.replace("2.50", "two fifty"))
    with pytest.raises(UnclearInputError, match=r"column 'unit_price': 'two fifty' .*--columns"):
        read(file)
    code, output, _ = doctor(file)
    assert code == 3
    assert "prices ignored" in output


def test_nan_prices_of_a_parquet_file(tmp_path, read):
    table = {"customer_id": ["c"], "product_id": ["p"], "ordered_at": [AS_OF], "unit_price": [float("nan")]}
    pl.DataFrame(table).write_parquet(tmp_path / "p.parquet")
    assert read(tmp_path / "p.parquet").report.prices_ignored == 1


def test_duplicate_lines_are_kept_and_counted(tmp_path, read):
    found = read(write(tmp_path / "p.csv", HEADER + "ann,p1,2024-01-01,1,1\n" * 3))
    assert (len(found.ledger), found.report.duplicates, found.report.orders) == (3, 2, 1)


@pytest.mark.parametrize(
    ("rows", "sizes"),
    [
        ("ann,p1,2024-01-01,1,1\nann,p2,2024-01-09,1,1\n", [1, 2, 2]),
        ("ann,p1,2024-01-01,1,1\nbob,p1,2024-01-09,1,1\n", [2, 1, 2]),
        ("ann,p1,2024-01-01,1,1\nann,p2,2024-01-01,1,1\n", [1, 2, 1]),
        ("ann,p1,2024-01-01,1,1\nbob,p2,2024-01-01,1,1\n", [2, 2, 2]),
    ],
    ids=["one customer", "one product", "one order", "nobody buys twice"],
)
def test_tiny_shops_are_described(tmp_path, doctor, rows, sizes):
    code, output, _ = doctor(write(tmp_path / "p.csv", HEADER + rows), "--json")
    report = json.loads(output)
    assert code == 0
    assert [report[name] for name in ("customers", "products", "orders")] == sizes
    assert report["repeat_pair_share"] == 0
    assert report["median_gap_days"] is None
    assert not any(feature["enough"] for feature in report["features"])


def test_a_till_with_forty_percent_is_left_out_and_named(tmp_path, doctor):
    till = "".join(f"TILL,p{number % 9},2024-01-{number % 28 + 1:02},1,1\n" for number in range(40))
    people = "".join(f"c{number % 15},p{number % 9},2024-01-{number % 28 + 1:02},1,1\n" for number in range(60))
    code, output, _ = doctor(write(tmp_path / "p.csv", HEADER + till + people), "--json")
    report = json.loads(output)
    assert code == 0
    assert [(suspect["customer_id"], suspect["share"]) for suspect in report["suspicious"]] == [("TILL", 0.4)]
    assert report["purchases"] == 60
    assert "TILL" in doctor(tmp_path / "p.csv")[1]


def test_nothing_but_refunds(tmp_path, read):
    with pytest.raises(
        TooLittleDataError, match=r"no purchase is left in .*p.csv \(1 rows read, 0 left out, 1 refunds"
    ):
        read(write(tmp_path / "p.csv", HEADER + "ann,p1,2024-01-01,-1,1\n"))


@pytest.mark.parametrize("with_file", [False, True])
def test_what_was_sold_later_was_not_known_before(read, tmp_path, with_file):
    later = "c1,novelty,2024-05-01T10:00:00Z,1,2.50\n"
    products = write(tmp_path / "products.csv", "product_id,title\nnovelty,Announced early\n") if with_file else None
    known = read(write(tmp_path / "p.csv", HEADER + GOOD + later), products=products).before(
        datetime(2024, 4, 1, tzinfo=UTC)
    )
    assert "novelty" not in known.ledger["product_id"]
    assert ("novelty" in known.catalogue["product_id"]) == with_file
    assert set(known.ledger["product_id"]) <= set(known.catalogue["product_id"])
