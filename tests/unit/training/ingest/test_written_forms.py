"""Purchases as shops write them: dates, numbers and scripts in many forms give the same ledger, or name the remedy."""

from datetime import UTC, date, datetime

import polars as pl
import pytest
from babel.dates import format_date
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from persiantools.jdatetime import JalaliDate

from recommender.cli.progress import Progress
from recommender.errors import RepriseError, UnclearInputError
from recommender.reading import ReadingOptions
from recommender.settings import Settings
from training.ingest.ingest import PurchaseSource, ingest

AS_OF = datetime(2026, 11, 30, tzinfo=UTC)
BOUGHT = (
    ("7001", "TEA", datetime(2026, 9, 13, 15, 4, tzinfo=UTC), "A1", 1.0, 4.5),
    ("7001", "TEA", datetime(2026, 10, 14, 3, 4, tzinfo=UTC), "A2", 1.0, 4.5),
    ("7002", "MUG", datetime(2026, 9, 20, 12, 0, tzinfo=UTC), "A3", 2.0, 9.0),
    ("7003", "MUG", datetime(2026, 11, 5, 0, 30, tzinfo=UTC), "A6", 1.0, 1250.75),
)
LONG = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def ledger_of(folder, rows, *, products=None, **reading):
    """The ingest of rows of text."""
    names = ["customer_id", "product_id", "ordered_at", "order_id", "quantity", "unit_price"]
    file = folder / "purchases.csv"
    pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row").write_csv(file, separator=";")
    source = PurchaseSource([file], ReadingOptions(**reading), products=products)
    return ingest(source, Settings(home=folder / "home"), AS_OF, Progress(show=False))


def written(bought, time=str, quantity="{:.0f}".format, price="{:.2f}".format):
    return [(who, what, time(at), order, quantity(n), price(cost)) for who, what, at, order, n, cost in bought]


def rows_of(ingested, *, days=False):
    """The rows of a ledger; their times as dates if `days`."""
    rows = ingested.ledger.sort("order_id").rows()
    return [(a, b, at.date() if days else at, *rest) for a, b, at, *rest in rows]


def expected(bought, *, days=False):
    return [(a, b, at.date() if days else at, *rest) for a, b, at, *rest in sorted(bought, key=lambda row: row[3])]


def serial(at):
    return repr((at - datetime(1899, 12, 30, tzinfo=UTC)).total_seconds() / 86_400)


TIMES = {
    **{
        pattern: (lambda at, pattern=pattern: at.strftime(pattern))
        for pattern in (
            *("%d.%m.%Y %H:%M", "%d/%m/%Y %H:%M:%S", "%d-%m-%Y, %H:%M", "%d.%m.%y %H:%M", "%d %m %Y %H:%M"),
            *("%m/%d/%Y %H:%M", "%m/%d/%Y %I:%M:%S %p", "%m-%d-%Y %H:%M", "%Y/%m/%d %H:%M", "%Y.%m.%d %H:%M:%S"),
            *(
                "%Y-%m-%d %I:%M %p",
                "%Y%m%dT%H%M%SZ",
                "%Y%m%d%H%M%S",
                "%Y%m%d%H%M",
                "%d-%b-%Y %H:%M",
                "%b %d, %Y %I:%M %p",
            ),
            *("%a, %d %b %Y %H:%M:%S +0000", "%a %b %d %H:%M:%S %Y", "%A, %B %d, %Y %H:%M", "%H:%M %d.%m.%Y"),
            *("%Y-%m-%dT%H:%M:%S,000", "%Y-%m-%dT%H:%M:%SZ", "%G-W%V-%uT%H:%M:%S", "%Y-%jT%H:%M:%S"),
        )
    },
    "serial": serial,
    "serial with a comma": lambda at: serial(at).replace(".", ","),
    "seconds": lambda at: f"{at.timestamp():.0f}",
    "milliseconds": lambda at: f"{at.timestamp() * 1e3:.0f}",
    "nanoseconds": lambda at: f"{int(at.timestamp())}000000000",
}


@pytest.mark.parametrize("form", TIMES)
def test_times_in_every_form_give_the_same_ledger(tmp_path, form):
    assert rows_of(ledger_of(tmp_path, written(BOUGHT, time=TIMES[form]))) == expected(BOUGHT)


@pytest.mark.parametrize("language", ["en", "de", "fr", "es", "it", "nl", "pl", "pt", "ru", "tr", "ar"])
@pytest.mark.parametrize("width", ["long", "d MMM y"])
def test_names_of_months_in_shop_languages(tmp_path, language, width):
    rows = written(BOUGHT, time=lambda at: format_date(at, width, locale=language))
    assert rows_of(ledger_of(tmp_path, rows), days=True) == expected(BOUGHT, days=True)


def group(number, mark):
    return f"{number:,.2f}".replace(",", mark)


def with_comma(number, mark):
    return f"{number:,.2f}".translate(str.maketrans(",.", f"{mark},"))


PERSIAN_DIGITS = str.maketrans("0123456789.,", "۰۱۲۳۴۵۶۷۸۹٫٬")
NUMBERS = {
    "comma": lambda number: f"{number:.2f}".replace(".", ","),
    "1.250,75": lambda number: with_comma(number, "."),
    "1 250,75": lambda number: with_comma(number, "\u202f"),
    "1,250.75": lambda number: group(number, ","),
    "1'250.75": lambda number: group(number, "’"),
    "€ before": lambda number: f"€ {with_comma(number, '.')}",
    "€ behind": lambda number: f"{with_comma(number, chr(0xA0))} €",
    "EUR": lambda number: f"{group(number, ',')} EUR",
    "$": lambda number: f"${group(number, ',')}",
    "Persian": lambda number: f"{number:,.2f}".translate(PERSIAN_DIGITS),
    "Arabic": lambda number: f"{number:.2f}".translate(str.maketrans("0123456789.", "٠١٢٣٤٥٦٧٨٩٫")),
}


@pytest.mark.parametrize("form", NUMBERS)
def test_prices_in_every_form_give_the_same_ledger(tmp_path, form):
    assert rows_of(ledger_of(tmp_path, written(BOUGHT, price=NUMBERS[form]))) == expected(BOUGHT)


def test_jalali_dates_are_proposed_and_read(tmp_path):
    rows = written(BOUGHT, time=lambda at: JalaliDate(at.date()).strftime("%Y/%m/%d", locale="fa"))
    with pytest.raises(UnclearInputError, match="--calendar persian"):
        ledger_of(tmp_path, rows)
    assert rows_of(ledger_of(tmp_path, rows, calendar="persian"), days=True) == expected(BOUGHT, days=True)


def test_day_numbers_name_their_remedy(tmp_path):
    rows = written(BOUGHT, time=lambda at: str((at.date() - date(2026, 8, 31)).days))
    with pytest.raises(UnclearInputError, match="--day-one 2026-09-01"):
        ledger_of(tmp_path, rows)
    assert rows_of(ledger_of(tmp_path, rows, day_one="2026-09-01"), days=True) == expected(BOUGHT, days=True)


def test_a_quantity_over_the_bound_is_one_bad_row(tmp_path):
    many = [(f"{n + 1}", "TEA", "2026-09-13", f"B{n}", "1", "4.50") for n in range(400)]
    found = ledger_of(tmp_path, [*many, ("7001", "TEA", "2026-09-13", "A9", "1e12", "4.50")])
    assert found.report.quarantined == {"quantity over 10,000,000": 1}
    assert len(found.ledger) == 400


def test_a_large_order_and_a_return_written_for_people(tmp_path):
    rows = [(f"{n}", "TEA", "2026-09-13", f"B{n}", "1", "4.50") for n in range(1, 10)]
    rows += [("7", "TEA", "2026-09-14", "C1", "1,200", "4"), ("8", "TEA", "2026-09-14", "C2", "(1)", "4")]
    found = ledger_of(tmp_path, rows)
    assert found.ledger["quantity"].sum() == 8 + 1200
    assert found.report.refunds["lines"] == 1


def test_prices_that_are_no_numbers_are_refused(tmp_path):
    with pytest.raises(UnclearInputError, match=r"'unit_price': 'on request'"):
        ledger_of(tmp_path, written(BOUGHT, price=lambda _: "on request"))


def test_two_currencies_and_ids_that_look_alike_are_named(tmp_path):
    rows = written(BOUGHT, price=lambda cost: f"{cost:.2f} {'EUR' if cost < 9 else 'USD'}")
    rows.append(("7003", "كيك", "2026-09-13T00:00:00", "A7", "1", "1.00"))
    rows.append(("7003", "کیک", "2026-09-13T00:00:00", "A8", "1", "1.00"))
    found = ledger_of(tmp_path, rows)
    notes = {note["code"]: note["text"] for note in found.report.notes}
    assert found.currencies == {"EUR", "USD"}
    assert notes["currencies"] == "prices are in EUR, USD, and are not converted"
    assert notes["ids_look_alike"].startswith("product_id: 1 ids are written in several ways")
    assert set(found.ledger["product_id"]) == {"TEA", "MUG", "كيك", "کیک"}


moments = st.datetimes(datetime(2020, 1, 1), datetime(2026, 11, 29), timezones=st.just(UTC)).map(  # noqa: DTZ001
    lambda at: at.replace(second=0, microsecond=0)
)


@LONG
@given(
    bought=st.lists(st.tuples(moments, st.integers(1, 3000), st.integers(1, 10**7)), min_size=1, max_size=8),
    time=st.sampled_from(sorted(TIMES)),
    price=st.sampled_from(sorted(NUMBERS)),
)
def test_any_purchases_in_any_form_are_the_same_or_refused_with_the_remedy(tmp_path, bought, time, price):
    rows = [(f"c{i}", "TEA", at, f"{i + 1:03}", float(n), cents / 100) for i, (at, n, cents) in enumerate(bought)]
    try:
        found = ledger_of(tmp_path, written(rows, time=TIMES[time], price=NUMBERS[price]))
    except UnclearInputError as error:
        assert "--" in str(error)  # noqa: PT017
        return
    assert rows_of(found) == expected(rows)


@LONG
@given(
    cells=st.lists(st.text(st.sampled_from("0123456789/.-: ,TZ€()'+٣年AMPmay"), max_size=12), min_size=1, max_size=6)
)
def test_no_text_breaks_reading(tmp_path, cells):
    rows = [("1", "TEA", cell, "A1", cell, cell) for cell in cells]
    try:
        found = ledger_of(tmp_path, rows)
    except RepriseError:
        return
    assert (found.ledger["ordered_at"] <= AS_OF).all()
