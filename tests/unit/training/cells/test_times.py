from datetime import UTC, datetime

import polars as pl
import pytest

from recommender.reading import ReadingOptions
from training.cells.source_column import SourceColumn
from training.cells.times import read_times


def read(cells, dtype=pl.String, patterns=()):
    frame = pl.LazyFrame({"t": pl.Series(cells, dtype=dtype)})
    times = read_times(SourceColumn(frame, "t"), ReadingOptions(), patterns)
    return times.found, frame.select(times.value).collect().to_series().to_list()


NOON = datetime(2024, 1, 5, 12, tzinfo=UTC)
SECONDS = 1_704_456_000


@pytest.mark.parametrize(
    "cell",
    [
        "2024-01-05T12:00:00Z",
        "2024-01-05T12:00:00+00:00",
        "2024-01-05 14:00:00+0200",
        "2024-01-05 07:00:00 -0500",
        "2024-01-05T12:00:00.000Z",
        "2024-01-05 12:00:00 UTC",
        "2024-01-05T12:00Z",
    ],
)
def test_iso_with_a_zone(cell):
    assert read([cell]) == ("ISO-8601 with a zone", [NOON])


@pytest.mark.parametrize(
    "cell", ["2024-01-05T12:00:00", "2024-01-05 12:00:00", " 2024-01-05 12:00", "2024-01-05 12:00:00.0"]
)
def test_iso_without_a_zone_is_utc_and_said_so(cell):
    assert read([cell]) == ("ISO-8601 without a zone, taken as UTC", [NOON])


@pytest.mark.parametrize(
    ("unit", "factor"), [("seconds", 1), ("milliseconds", 10**3), ("microseconds", 10**6), ("nanoseconds", 10**9)]
)
def test_epochs_are_told_apart_by_their_size(unit, factor):
    assert read([str(SECONDS * factor), "nonsense"][:1]) == (f"{unit} since 1970", [NOON])
    assert read([SECONDS * factor], pl.Int64) == (f"{unit} since 1970", [NOON])


def test_dates():
    midnight = NOON.replace(hour=0)
    assert read(["2024-01-05"]) == ("ISO-8601 dates, taken as midnight UTC", [midnight])
    assert read(["20240105"]) == ("dates such as 20240131, taken as midnight UTC", [midnight])
    assert read([midnight.date()], pl.Date) == ("dates, taken as midnight UTC", [midnight])


def test_typed_times_keep_their_moment():
    assert read([NOON.replace(tzinfo=None)], pl.Datetime("ns"))[1] == [NOON]
    assert read([NOON], pl.Datetime("ms", "Europe/Paris"))[1] == [NOON]


def test_forms_may_be_mixed_and_what_cannot_be_read_is_null():
    found, moments = read(["2024-01-05T12:00:00Z", "2024-01-05T12:00:00Z", "2024-01-05 12:00", "yesterday", None])
    assert found == "ISO-8601 with a zone; ISO-8601 without a zone, taken as UTC"
    assert moments == [NOON, NOON, NOON, None, None]


def test_numbers_that_are_no_time_are_null():
    assert read([str(SECONDS), str(SECONDS), "1e300", "nan", "x"])[1] == [NOON, NOON, None, None, None]


def test_a_formats_own_pattern():
    found, moments = read(["1/5/2024 12:00"], patterns=("%m/%d/%Y %H:%M",))
    assert moments == [NOON]
    assert "without a zone" in found


def test_an_empty_column_expects_iso():
    assert read([]) == ("no ISO-8601 time seen", [])
