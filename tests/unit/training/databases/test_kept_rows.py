"""What earlier readings brought, and how often each row of several readings counts."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from recommender.data_dir import DataDirectory
from recommender.errors import HomeError
from tests.support.full_disk import full_disk
from training.databases.kept_rows import OVERLAP, find_kept_rows, forget_in_readings

READ_AT = datetime(2026, 11, 20, 2, 30, tzinfo=UTC)
WHAT = {"address": "postgresql://shop@host/db", "sql": "SELECT :since", "reading": "{}"}


@pytest.fixture
def home(tmp_path):
    return DataDirectory(tmp_path)


def test_nothing_is_kept_before_the_first_reading(home):
    assert find_kept_rows(home, "default", **WHAT).since is None


def test_rows_are_kept_with_the_time_of_their_reading(home):
    kept, rows = find_kept_rows(home, "default", **WHAT), pl.DataFrame({"customer_id": ["ANNA", "BEN"]})
    kept.write(rows, READ_AT)
    again = find_kept_rows(home, "default", **WHAT)
    assert again.read().equals(rows)
    assert again.since == datetime(2026, 11, 20, tzinfo=UTC) - OVERLAP
    kept.write(rows[:1], READ_AT + timedelta(days=1))
    assert (len(again.read()), again.since) == (1, datetime(2026, 11, 21, tzinfo=UTC) - OVERLAP)


@pytest.mark.parametrize("other", [{"address": "mysql://host/db"}, {"sql": "SELECT 1"}, {"reading": "{'a': 1}"}])
def test_another_query_begins_anew(home, other):
    find_kept_rows(home, "default", **WHAT).write(pl.DataFrame({"customer_id": ["ANNA"]}), READ_AT)
    assert find_kept_rows(home, "default", **(WHAT | other)).since is None
    assert find_kept_rows(home, "other", **WHAT).since is None


def test_erased_customers_go_and_the_time_stays(home):
    kept = find_kept_rows(home, "default", **WHAT)
    kept.write(pl.DataFrame({"customer_id": ["ANNA", "BEN", "ANNA"]}), READ_AT)
    since = kept.since
    assert forget_in_readings(home, "default", lambda one: one == "ANNA") == 2
    assert (kept.read()["customer_id"].to_list(), kept.since) == (["BEN"], since)
    assert forget_in_readings(home, "default", lambda one: one == "ANNA") == 0


def test_on_a_full_disk_what_was_kept_stays(home):
    kept = find_kept_rows(home, "default", **WHAT)
    kept.write(pl.DataFrame({"customer_id": ["ANNA"]}), READ_AT)
    with full_disk(), pytest.raises(HomeError, match="free the disk"):
        kept.write(pl.DataFrame({"customer_id": ["BEN"]}), READ_AT + timedelta(days=9))
    assert kept.read()["customer_id"].to_list() == ["ANNA"]
    assert [path.name for path in kept.file.parent.iterdir()] == [kept.file.name]


def test_a_damaged_file_names_the_remedy(home):
    kept = find_kept_rows(home, "default", **WHAT)
    kept.write(pl.DataFrame({"customer_id": ["ANNA"]}), READ_AT)
    kept.file.write_bytes(b"PAR1" + kept.file.read_bytes()[:40])
    with pytest.raises(HomeError, match="delete it, and the next reading reads everything"):
        _ = kept.since
