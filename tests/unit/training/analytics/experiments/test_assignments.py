"""Who is in an experiment: from a file of assignments or exposures, or by hash."""

import errno
import os
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from recommender.customer_salt import digest_of_customer
from recommender.errors import MissingColumnError, UnclearInputError, UnreadableFileError
from recommender.experiments.experiment import Experiment, assign
from tests.support.worlds import AS_OF, empty_shop, new_customer
from training.analytics.experiments.assignments import CUSTOMERS, assign_customers, read_assignments
from training.analytics.read_columns import AS_IT_IS, SideFile
from training.tables.workspace import Workspace

START, END = datetime(2026, 9, 1, tzinfo=UTC), datetime(2026, 10, 1, tzinfo=UTC)


@pytest.fixture
def read(tmp_path):
    def read(text, how=AS_IT_IS):
        file = tmp_path / "assigned.csv"
        file.write_text(text)
        return read_assignments(file, START, END, Workspace(tmp_path), how)

    return read


def test_without_exposures_all_enter_at_the_start(read):
    found = read("variant,customer_id\nsix,00123\ncontrol,ANNA\n")
    assert found.customers.schema == CUSTOMERS
    assert found.customers.rows() == [("00123", "six", START), ("ANNA", "control", START)]
    assert set(found.left_out.values()) == {0}


def test_ids_that_a_tool_rewrote_name_the_customers_of_purchase_files(read):
    found = read("customer_id,variant\n7001.0,six\n'7002,control\n")
    assert found.customers["customer_id"].to_list() == ["7001", "7002"]


def test_names_of_columns_may_differ_in_case_and_blanks(read):
    found = read(" Variant ;Customer ID;Exposed At\nsix;00123;2026-09-20T10:00:00Z\n")
    assert found.customers.rows() == [("00123", "six", datetime(2026, 9, 20, 10, tzinfo=UTC))]


def test_a_header_in_another_language_is_proposed(read, tmp_path):
    text = "Kundennummer;Testgruppe;gesehen am\n7001;six;2026-09-20\n"
    with pytest.raises(MissingColumnError, match="add --assignment-columns customer_id=Kundennummer") as refused:
        read(text, how=SideFile({}, "--assignment-columns"))
    named = refused.value.proposed["columns"]
    assert named == {"customer_id": "Kundennummer", "variant": "Testgruppe", "exposed_at": "gesehen am"}
    found = read(text, how=SideFile(named, "--assignment-columns"))
    assert found.customers.rows() == [("7001", "six", datetime(2026, 9, 20, tzinfo=UTC))]


def test_ids_are_hashed_as_those_of_the_purchases_and_digests_stay(read):
    digest = digest_of_customer("ANNA", b"salt")
    assert read("customer_id,variant\nANNA,six\n", how=SideFile(salt=b"salt")).customers["customer_id"][0] == digest
    assert (
        read(f"customer_id,variant\n{digest},six\n", how=SideFile(salt=b"salt")).customers["customer_id"][0] == digest
    )


def test_a_customer_enters_with_the_first_exposure_but_not_before_the_start(read):
    found = read(
        "customer_id,variant,exposed_at\n"
        "LATER,six,2026-09-20T10:00:00Z\nLATER,six,2026-09-12T10:00:00Z\n"
        "EARLY,six,2026-08-01T10:00:00Z\nNEVER,six,\n"
    )
    entered = dict(found.customers.select("customer_id", "entered_at").iter_rows())
    assert entered == {"EARLY": START, "NEVER": START, "LATER": datetime(2026, 9, 12, 10, tzinfo=UTC)}


def test_who_cannot_be_counted_is_left_out_and_counted(read):
    found = read(
        "customer_id,variant,exposed_at\n"
        "BOTH,six,2026-09-02\nBOTH,control,2026-09-03\nAFTER,six,2026-10-01\n"
        ",six,2026-09-02\nNOBODY,,2026-09-02\nWHEN,six,soon\nGOOD,six,2026-09-02\n"
    )
    assert found.customers["customer_id"].to_list() == ["GOOD"]
    assert dict(found.left_out) == {
        "rows without an id, a variant or a readable time": 3,
        "in several variants": 1,
        "first exposed at or after the end": 1,
    }


def test_parquet_and_an_empty_file(tmp_path):
    file = tmp_path / "assigned.parquet"
    pl.DataFrame({"customer_id": [], "variant": []}, {"customer_id": pl.Int64, "variant": pl.String}).write_parquet(
        file
    )
    assert read_assignments(file, START, END, Workspace(tmp_path)).customers.is_empty()
    pl.DataFrame({"customer_id": [7], "variant": ["six"]}).write_parquet(file)
    assert read_assignments(file, START, END, Workspace(tmp_path)).customers.rows() == [("7", "six", START)]


def test_what_is_wrong_with_a_file_is_said(read, tmp_path):
    with pytest.raises(MissingColumnError, match="has no column 'variant'; its columns are 'customer_id', 'arm'"):
        read("customer_id,arm\nANNA,six\n")
    with pytest.raises(UnreadableFileError, match=f"nowhere.csv cannot be read: {os.strerror(errno.ENOENT)}"):
        read_assignments(tmp_path / "nowhere.csv", START, END, Workspace(tmp_path))


def test_by_hash_everybody_who_bought_before_the_start():
    """Ten regulars bought for 10 weeks; NEW bought for the first time yesterday."""
    experiment, start = Experiment(name="home", variants={"control": 1, "six": 1}), AS_OF - timedelta(days=7)
    found = assign_customers(experiment, new_customer(), start)
    assert found.customers.rows() == [(f"R{i}", assign(experiment, f"R{i}"), start) for i in range(10)]
    assert found.left_out == {"without a purchase before the start": 1}
    assert assign_customers(experiment, empty_shop(), start).customers.schema == CUSTOMERS


def test_files_as_spreadsheets_save_them(tmp_path):
    file = tmp_path / "assigned.txt"
    lines = "customer_id\tvariant\r\nJÖRG\tsix\r\nB\tsix\r\ncustomer_id\tvariant\r\nC\tsix\r\n"
    file.write_bytes(lines.encode("utf-16"))
    read = read_assignments(file, START, END, Workspace(tmp_path))
    assert sorted(read.customers["customer_id"]) == ["B", "C", "JÖRG"]
    file.write_bytes(lines.encode("cp1252"))
    with pytest.raises(UnclearInputError, match="letters beyond ASCII; save it as UTF-8"):
        read_assignments(file, START, END, Workspace(tmp_path))
