import errno
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from recommender.errors import HomeError
from recommender.events.event import Event
from recommender.retention import EVENT_ID_KEPT_S
from tests.support.event_files import NOW, archive, batch, event
from training.events import archive as module
from training.events.archive import EVENTS, Archive


@pytest.fixture
def empty(tmp_path) -> Archive:
    return Archive(tmp_path / "ledger", "default")


def event_ids(archived: Archive) -> list[str]:
    return archived.read()["event_id"].to_list()


def test_every_field_of_an_event_has_a_column():
    assert set(EVENTS) == {*Event.model_fields, "accepted_at"}


def test_what_was_written_is_read_back_whole(empty):
    whole = event("1", quantity=2.5, unit_price=1.25, currency="EUR", order_id="o", session_id="s", placement="home")
    bare = Event(event_id="2", event_type="unsubscribe", customer_id="käse 🧀", occurred_at=NOW)
    empty.write(batch([whole, bare]))
    found = empty.read()
    assert found.schema == EVENTS
    rows = [{name: value for name, value in row.items() if name != "accepted_at"} for row in found.to_dicts()]
    assert [Event(**row) for row in rows] == [whole, bare]
    assert found["accepted_at"].to_list() == [NOW + timedelta(milliseconds=1), NOW + timedelta(milliseconds=2)]


def test_nothing_archived_is_no_rows(empty):
    assert empty.read().schema == EVENTS
    assert len(empty.read()) == 0
    assert empty.values("customer_id") == frozenset()


def test_an_empty_batch_writes_nothing(empty):
    empty.write([])
    assert empty.files() == []


def test_each_day_has_its_folder(empty):
    empty.write(batch([event("1"), event("2", occurred_at=datetime(2026, 11, 19, 23, 59, tzinfo=UTC)), event("3")]))
    assert [file.parent.name for file in empty.files()] == ["day=2026-11-19", "day=2026-11-20"]
    assert {file.parent.parent.name for file in empty.files()} == {"shop=default"}
    assert event_ids(empty) == ["1", "2", "3"]


WEEK_MS = EVENT_ID_KEPT_S * 1_000


@pytest.mark.parametrize(
    ("apart_ms", "read"),
    [
        ([0, 5], [0]),
        ([0, WEEK_MS - 1], [0]),
        ([0, WEEK_MS], [0, 1]),
        ([0, WEEK_MS - 1, WEEK_MS, WEEK_MS + 1, 2 * WEEK_MS], [0, 2, 4]),
    ],
)
def test_the_same_id_is_the_same_event_for_as_long_as_it_is_known_when_it_is_accepted(empty, apart_ms, read):
    for number, first in enumerate(apart_ms):
        empty.write(batch([event("again", quantity=float(number + 1)), event(f"other {number}")], first=first))
    assert empty.read().filter(event_id="again")["quantity"].to_list() == [number + 1 for number in read]
    assert len(empty.read()) == len(read) + len(apart_ms)
    assert empty.read()["accepted_at"].is_sorted()
    before = empty.read()
    assert empty.join_small_files(most=1) == len(apart_ms)
    assert len(empty.files()) == 1
    assert empty.read().equals(before)


def test_the_same_batch_again_takes_the_place_of_its_first_copy(empty):
    events = batch([event("1"), event("2")])
    empty.write(events)
    before = [(file.name, file.read_bytes()) for file in empty.files()]
    empty.write(events)
    assert [(file.name, file.read_bytes()) for file in empty.files()] == before


def test_a_batch_that_was_cut_otherwise_counts_once(empty):
    events = batch([event("1"), event("2"), event("3")])
    empty.write(events)
    empty.write(events[1:])
    assert len(empty.files()) == 2
    assert event_ids(empty) == ["1", "2", "3"]


def test_batches_that_begin_and_end_alike_do_not_overwrite_each_other(empty):
    events = batch([event("1"), event("2"), event("3")])
    empty.write(events)
    empty.write([events[0], events[2]])
    assert event_ids(empty) == ["1", "2", "3"]


def test_of_two_events_with_one_id_the_first_counts(empty):
    first, second = batch([event("1", quantity=1.0), event("1", quantity=2.0)])
    empty.write([second])
    empty.write([first])
    assert empty.read()["quantity"].to_list() == [1.0]


def test_only_the_types_asked_for_are_read(empty):
    empty.write(batch([event("1"), event("2", event_type="view"), event("3", event_type="refund")]))
    assert empty.read(["purchase", "refund"])["event_id"].to_list() == ["1", "3"]


def test_shops_are_apart(tmp_path):
    one, other = archive(tmp_path, event("1"), shop="tea"), archive(tmp_path, event("2"), shop="coffee")
    assert (event_ids(one), event_ids(other)) == (["1"], ["2"])


def test_customers_that_are_left_out_are_not_written_also_the_second_time(empty):
    events = batch([event("1"), event("2", "BEN")])
    empty.write(events)
    empty.write(events, {"ANNA"})
    assert event_ids(empty) == ["2"]
    empty.write(events, {"ANNA", "BEN"})
    assert empty.files() == []


def test_a_file_is_synced_and_so_is_its_name(empty, monkeypatch):
    synced = []

    def fsync(handle: int) -> None:
        synced.append(str(Path(f"/proc/self/fd/{handle}").readlink()))

    monkeypatch.setattr(os, "fsync", fsync)
    empty.write(batch([event("1")]))
    day = empty.folder / "day=2026-11-20"
    assert synced[0].startswith(f"{day}/.")
    assert synced[1:] == [str(folder) for folder in (day, *day.parents[:3])]


def test_a_full_disk_is_told_and_leaves_nothing(empty, monkeypatch):
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(HomeError, match="free the disk"):
        empty.write(batch([event("1")]))
    assert list(empty.folder.glob("day=*/*")) == []


def test_a_damaged_file_is_told(empty):
    empty.write(batch([event("1")]))
    empty.files()[0].write_bytes(b"nonsense")
    with pytest.raises(HomeError, match="cannot be read"):
        empty.read()


def test_files_of_other_releases_are_read(empty):
    empty.write(batch([event("1")]))
    (file,) = empty.files()
    pl.read_parquet(file).drop("placement").with_columns(new=pl.lit(1)).write_parquet(file.with_name("other.parquet"))
    assert empty.read().schema == EVENTS
    assert event_ids(empty) == ["1"]


class TestJoining:
    def test_many_small_files_become_one_that_says_the_same(self, empty):
        for number in range(8):
            empty.write(
                batch([event(f"{number}-{day}", occurred_at=NOW - timedelta(days=day)) for day in (0, 1)], number)
            )
        before = empty.read()
        assert empty.join_small_files(most=7) == 16
        assert len(empty.files()) == 2
        assert empty.read().equals(before)

    def test_few_files_and_large_ones_are_left_alone(self, empty, monkeypatch):
        empty.write(batch([event("1")]))
        empty.write(batch([event("2")], 2))
        assert empty.join_small_files(most=2) == 0
        monkeypatch.setattr(module, "SMALL_BYTES", 0)
        assert empty.join_small_files(most=1) == 0
        assert len(empty.files()) == 2

    def test_a_crash_before_the_small_ones_went_costs_nothing(self, empty):
        events = batch([event("1"), event("2")])
        empty.write(events[:1])
        empty.write(events[1:])
        left = {file: file.read_bytes() for file in empty.files()}
        empty.join_small_files(most=1)
        for file, content in left.items():
            file.write_bytes(content)
        assert event_ids(empty) == ["1", "2"]

    def test_a_batch_that_comes_again_after_it_was_joined_counts_once(self, empty):
        events = batch([event("1"), event("2")])
        empty.write(events[:1])
        empty.write(events[1:])
        empty.join_small_files(most=1)
        empty.write(events[:1])
        assert event_ids(empty) == ["1", "2"]

    def test_nothing_is_joined_while_somebody_reads(self, empty):
        empty.write(batch([event("1")]))
        empty.write(batch([event("2")], 2))
        with empty._locked(module.fcntl.LOCK_SH):
            assert empty.join_small_files(most=1) == 0
        assert empty.join_small_files(most=1) == 2


class TestForgetting:
    def test_only_files_that_name_the_customer_are_written_anew(self, empty):
        empty.write(batch([event("1"), event("2", "BEN")]))
        empty.write(batch([event("3", "BEN")], 3))
        kept = empty.files()[1].stat()
        assert empty.forget({"ANNA", "NOBODY"}) == 1
        assert event_ids(empty) == ["2", "3"]
        assert empty.files()[1].stat().st_ino == kept.st_ino
        assert empty.forget({"ANNA"}) == 0

    def test_a_file_that_named_nobody_else_goes(self, empty):
        empty.write(batch([event("1")]))
        assert empty.forget({"ANNA"}) == 1
        assert empty.files() == []

    def test_events_without_a_customer_stay(self, empty):
        empty.write(batch([event("1"), event("2", None, event_type="view", session_id="s")]))
        empty.forget({"ANNA"})
        assert event_ids(empty) == ["2"]

    def test_what_a_killed_worker_left_goes_and_what_one_is_writing_stays(self, empty):
        empty.write(batch([event("1")]))
        day = empty.files()[0].parent
        for name, age_s in ((".old", 3_600), (".new", 0)):
            (day / name).write_bytes(b"ANNA")
            os.utime(day / name, times=(datetime.now(UTC).timestamp() - age_s,) * 2)
        empty.forget({"ANNA"})
        assert [file.name for file in day.iterdir()] == [".new"]
