from datetime import UTC, date, datetime

import polars as pl
import pytest

from recommender.reading import ReadingOptions
from training.cells.source_column import SAMPLE_ROWS, SourceColumn
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


SEPTEMBER = datetime(2026, 9, 13, tzinfo=UTC)
AFTERNOON = datetime(2026, 9, 13, 15, 4, tzinfo=UTC)
SECOND = AFTERNOON.replace(second=5)


def column_of(cells, **options):
    """The values, the codes of notes and the questions of a column of text."""
    frame = pl.LazyFrame({"t": pl.Series(cells, dtype=pl.String)})
    times = read_times(SourceColumn(frame, "t"), ReadingOptions(**options))
    moments = frame.select(times.value.alias("t")).collect()["t"].to_list()
    return moments, [note.code for note in times.notes], list(times.questions)


@pytest.mark.parametrize(
    ("cell", "moment"),
    [
        ("13.09.2026 15:04", AFTERNOON),
        ("13.09.2026 15.04", AFTERNOON),
        ("13.9.2026, 15:04 Uhr", AFTERNOON),
        ("13/09/2026 15:04:05", SECOND),
        ("13-09-2026 15:04:05 +02:00", SECOND.replace(hour=13)),
        ("15:04:05 13/09/2026", SECOND),
        ("13 09 2026", SEPTEMBER),
        ("09/13/2026 03:04 PM", AFTERNOON),
        ("9/13/2026 3:04 p.m.", AFTERNOON),
        ("2026-09-13 03:04:05 PM", SECOND),
        ("2026/09/13 15:04:05", SECOND),
        ("2026.09.13", SEPTEMBER),
        ("20260913T150405Z", SECOND),
        ("20260913T1504", AFTERNOON),
        ("20260913150405", SECOND),
        ("202609131504", AFTERNOON),
        ("20260913", SEPTEMBER),
        ("2026-W37-7", SEPTEMBER),
        ("2026-256", SEPTEMBER),
        ("Sun, 13 Sep 2026 15:04:05 +0000", SECOND),
        ("Sun, 13 Sep 2026 17:04:05 +0200 (CEST)", SECOND),
        ("Sun Sep 13 15:04:05 2026", SECOND),
        ("Sun Sep 13 17:04:05 CEST 2026", SECOND),
        ("Sun Sep 13 2026 17:04:05 GMT+0200 (Central European Summer Time)", SECOND),
        ("2026-09-13T17:04:05+02:00[Europe/Berlin]", SECOND),
        ("2026-09-13 17:04:05 Europe/Berlin", SECOND),
        ("2026-09-13 16:04:05 CET", SECOND),
        ("2026-09-13 17:04:05 GMT+2", SECOND),
        ("2026-09-13 15:04:05,000", SECOND),
        ("2026-09-12T24:00", SEPTEMBER),
        ("13SEP2026:15:04:05", SECOND),
        ("13/Sep/2026:15:04:05 +0000", SECOND),
        ("September 13th, 2026 at 3:04 PM", AFTERNOON),
        ("13. September 2026", SEPTEMBER),
        ("13 septembre 2026 à 15h04", AFTERNOON),
        ("13 de septiembre de 2026", SEPTEMBER),
        ("dom, 13 set 2026", SEPTEMBER),
        ("13 сентября 2026 г., 15:04", AFTERNOON),
        ("13 Eyl 2026 Paz", SEPTEMBER),
        ("13 września 2026", SEPTEMBER),
        ("١٣ سبتمبر ٢٠٢٦", SEPTEMBER),
        ("22 شهریور 1405", SEPTEMBER),
        ("۲۲ شهریور ۱۴۰۵ ساعت ۱۵:۰۴", AFTERNOON),
        ("۲۰۲۶-۰۹-۱۳", SEPTEMBER),
        ("2026年9月13日 15:04", AFTERNOON),
        ("46278", SEPTEMBER),
        ("46278.627835", SECOND),
        ("46278,627835", SECOND),
        ("1789311845", SECOND),
        ("1789311845.0", SECOND),
        ("۱۷۸۹۳۱۱۸۴۵", SECOND),
    ],
)
def test_one_plain_cell_decides_for_its_column(cell, moment):
    assert column_of([cell]) == ([moment], column_of([cell])[1], [])


@pytest.mark.parametrize(
    "cell",
    ["29.02.2026", "13.13.2026", "2026-02-29", "13.09.2026 25:00", "13.09.2026 15:04 AM", "0000-00-00", "N/A", "soon"],
)
def test_a_date_that_does_not_exist_is_one_null(cell):
    moments, _, questions = column_of(["13.09.2026 15:04", cell, "14.09.2026 15:04"])
    assert moments == [AFTERNOON, None, AFTERNOON.replace(day=14)]
    assert questions == []


@pytest.mark.parametrize("odd", ["0", "-", "1"])
def test_one_odd_cell_does_not_turn_a_column(odd):
    for cells in (["20260913"] * 9, ["2026-09-13"] * 9, ["46278"] * 9):
        moments, _, questions = column_of([*cells, odd])
        assert moments[:9] == [SEPTEMBER] * 9
        assert moments[9] is None or moments[9].year < 1990
        assert questions == []


def test_a_cell_far_behind_the_head_tells_the_order_of_the_column():
    cells = ["03/09/2026"] * (SAMPLE_ROWS + 1)
    assert column_of([*cells, "13/09/2026"])[0][0] == SEPTEMBER.replace(day=3)
    assert column_of([*cells, "09/13/2026"])[0][0] == datetime(2026, 3, 9, tzinfo=UTC)


def asked(cells, **options):
    """The only question of a column: its code and its choices."""
    moments, _, [question] = column_of(cells, **options)
    assert set(moments) == {None}
    return question.code, dict(question.choices)


def test_a_column_that_does_not_tell_its_order_asks():
    choices = {"--day-first": "4 May 2026", "--month-first": "5 April 2026"}
    assert asked(["04/05/2026", "05/05/2026"]) == ("day_or_month_first", choices)
    assert column_of(["04/05/2026"], day_first=True)[0] == [datetime(2026, 5, 4, tzinfo=UTC)]
    assert column_of(["04/05/2026"], day_first=False)[0] == [datetime(2026, 4, 5, tzinfo=UTC)]


def test_cells_of_both_orders_ask_and_a_few_are_null():
    assert asked(["13/09/2026", "09/13/2026"])[0] == "day_and_month_first"
    moments, _, questions = column_of(["13/09/2026"] * 500 + ["09/13/2026"])
    assert (moments[0], moments[-1], questions) == (SEPTEMBER, None, [])


def test_a_year_of_two_digits():
    assert column_of(["13.09.26", "14.10.26"])[0][0] == SEPTEMBER
    assert column_of(["99-10-25", "98-10-25"])[0][0] == datetime(1999, 10, 25, tzinfo=UTC)
    assert asked(["26-09-13", "26-10-14", "26-11-20"])[0] == "short_year"
    assert column_of(["26-09-13"], time_format="%y-%m-%d")[0] == [SEPTEMBER]


def test_day_numbers_need_their_first_day():
    choices = {"--day-one 2026-09-01": "2026-09-13, if day 1 is 2026-09-01"}
    assert asked(["13", "43"]) == ("day_number", choices)
    assert column_of(["13"], day_one=date(2026, 9, 1))[0] == [SEPTEMBER]
    assert asked(["20709"])[1]["--day-one 1970-01-02"] == "2026-09-13, as days since 1970"
    assert column_of(["44816"], day_one=date(1904, 1, 2))[0] == [SEPTEMBER]


def test_rounded_numbers_and_digits_in_another_order_are_refused():
    assert asked(["1.79E+12", "1.79E+12"])[0] == "rounded_times"
    assert asked(["13092026"])[0] == "time_form"
    assert column_of(["13092026"], time_format="%d%m%Y")[0] == [SEPTEMBER]


def test_digits_of_a_date_are_asked_for_with_the_orders_in_which_they_are_dates():
    assert asked(["13092026", "1102026", "14112026"]) == ("time_form", {"--time-format %d%m%Y": "2026-09-13"})
    assert asked(["260913", "991231"]) == ("time_form", {"--time-format %y%m%d": "2026-09-13"})
    assert asked(["91326", "111426"])[1] == {"--time-format %m%d%y": "2026-09-13"}
    assert column_of(["260913"], time_format="%y%m%d")[0] == [SEPTEMBER]
    assert asked(["99999999"])[0] == "time_form"


def test_digits_of_a_date_that_a_program_took_for_a_number():
    assert column_of(["20260913.0", "20260913.0"])[0] == [SEPTEMBER] * 2
    assert column_of(["260913.0"], time_format="%y%m%d")[0] == [SEPTEMBER]


def test_persian_dates_are_proposed_and_read_with_the_option():
    proposal = "13 September 2026, as a date of the Persian calendar"
    for cell in ("1405/06/22", "۱۴۰۵/۰۶/۲۲", "14050622", "1405-06-22", "22/06/1405"):
        assert asked([cell]) == ("calendar", {"--calendar persian": proposal})
        assert column_of([cell], calendar="persian")[0] == [SEPTEMBER]
    assert column_of(["1405/06/31", "1405/07/31"], calendar="persian")[0][1] is None
    assert column_of(["05/06/22"], calendar="persian")[0] == [SEPTEMBER]


@pytest.mark.parametrize(("cell", "calendar"), [("1448/04/01", "Islamic"), ("2569-09-13", "Buddhist")])
def test_other_calendars_are_named_and_refused(cell, calendar):
    [question] = column_of([cell])[2]
    assert calendar in question.remedy


@pytest.mark.parametrize("cell", ["2026-09", "Sep 2026", "Q3 2026"])
def test_no_pattern_is_proposed_for_a_month_without_a_day(cell):
    assert asked([cell, cell]) == ("time_form", {})


def test_a_zone_of_several_meanings_asks_for_a_time_zone():
    assert set(asked(["2026-09-13 10:15 CST"])[1]) == {"--time-zone America/Chicago", "--time-zone Asia/Shanghai"}
    assert column_of(["2026-09-13 10:04 CST"], time_zone="America/Chicago")[0] == [AFTERNOON]
    assert column_of(["2026-09-13 20:34 IST"], time_zone="Asia/Kolkata")[0] == [AFTERNOON]


@pytest.mark.parametrize("written", ["%Y-%m-%d %H:%M", "%d.%m.%Y %H:%M", "%d %b %Y %H:%M"])
def test_clock_changes(written):
    twice, skipped = datetime(2026, 10, 25, 2, 30), datetime(2026, 3, 29, 2, 30)  # noqa: DTZ001
    cells = [twice.strftime(written), skipped.strftime(written)]
    moments, codes, _ = column_of(cells, time_zone="Europe/Berlin")
    assert moments == [datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 3, 29, 1, 30, tzinfo=UTC)]
    assert "time_zone" in codes


def test_a_date_alone_stays_the_same_day_in_every_zone():
    for cell in ("2026-09-13", "13.09.2026", "46278", "20260913"):
        assert column_of([cell], time_zone="Europe/Berlin")[0] == [SEPTEMBER]


def test_a_pattern_that_is_given():
    assert column_of(["130926"], time_format="%d%m%y")[0] == [SEPTEMBER]
    assert column_of(["13.09.2026 17:04"], time_format="%d.%m.%Y %H:%M", time_zone="Europe/Berlin")[0] == [AFTERNOON]
    assert asked(["13.09.2026"], time_format="%Y")[0] == "time_form"


def test_a_column_that_is_no_time_asks_for_its_form():
    assert asked(["tea", "mug"])[0] == "time_form"


def test_what_is_read_otherwise_than_programs_write_it_is_noted():
    assert column_of(["13.09.2026"])[1] == ["time_form"]
    assert column_of(["46278"])[1] == ["spreadsheet_serials"]
    assert column_of(["2026-09-13"])[1] == []
