"""Each purchase once, whether it is in a file, in the archive or in both."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from recommender.cli.progress import Progress
from recommender.errors import TooLittleDataError, UnreadableFileError
from recommender.person import digest_of_person
from recommender.settings import Settings
from tests.support.event_files import NOW, archive, event
from training.ingest.ingest import Ingested, PurchaseSource, ingest

HEADER = "customer_id,product_id,ordered_at,order_id,quantity,status\n"
AT = datetime(2026, 11, 1, 10, 0, 0, 250_000, tzinfo=UTC)


@pytest.fixture
def read(tmp_path):
    """Ingest lines of a purchase file (None: no file) and archived events, and return what came out."""

    def read(lines, *events, shop="default", ledger=tmp_path / "ledger", **arguments) -> Ingested:
        archive(tmp_path / "ledger", *events)
        paths = []
        if lines is not None:
            paths = [tmp_path / "purchases.csv"]
            paths[0].write_text(HEADER + "".join(line + "\n" for line in lines))
        settings = Settings(home=tmp_path / "home", shop=shop)
        source = PurchaseSource(paths, ledger=ledger)
        return ingest(source, settings, NOW, Progress(show=False), **arguments)

    return read


def bought(ingested: Ingested) -> list[tuple[str, str, float]]:
    rows = ingested.ledger.select("customer_id", "product_id", "quantity").sort(pl.all())
    return list(rows.iter_rows())


def test_without_a_file_the_archive_is_the_ledger(read):
    events = [event("1", quantity=2.0, unit_price=1.5, order_id="o1"), event("2", "BEN", occurred_at=AT)]
    found = read(None, *events)
    assert bought(found) == [("ANNA", "MILK", 2.0), ("BEN", "MILK", 1.0)]
    assert found.ledger.row(0) == ("BEN", "MILK", AT, "BEN@2026-11-01", 1.0, None)
    assert found.ledger.row(1) == ("ANNA", "MILK", NOW - timedelta(hours=1), "o1", 2.0, 1.5)
    assert found.report.sources[0].endswith("ledger")


def test_only_purchases_and_refunds_count(read):
    others = ("view", "add_to_cart", "impression", "click", "not_interested")
    found = read(None, event("p"), *(event(kind, "BEN", event_type=kind) for kind in others))
    assert bought(found) == [("ANNA", "MILK", 1.0)]


def test_what_is_in_neither_other_is_added(read):
    found = read(["ANNA,MILK,2026-10-01T10:00:00Z,o1,1,"], event("1", order_id="o2"), event("2", "BEN"))
    assert bought(found) == [("ANNA", "MILK", 1.0), ("ANNA", "MILK", 1.0), ("BEN", "MILK", 1.0)]


def test_the_same_order_and_product_counts_once_as_the_file_has_it(read):
    found = read(["ANNA,MILK,2026-11-01,o1,3,"], event("1", order_id="o1", occurred_at=AT, quantity=2.0))
    assert bought(found) == [("ANNA", "MILK", 3.0)]
    assert found.report.left_out == {"in a purchase file, too": 1}


def test_the_same_moment_to_the_second_counts_once_whatever_the_order_is_called(read):
    found = read(["ANNA,MILK,2026-11-01T10:00:00Z,,1,"], event("1", order_id="o1", occurred_at=AT))
    assert bought(found) == [("ANNA", "MILK", 1.0)]


@pytest.mark.parametrize(
    "line",
    [
        "BEN,MILK,2026-11-01T10:00:00Z,o1,1,",
        "ANNA,BREAD,2026-11-01T10:00:00Z,o1,1,",
        "ANNA,MILK,2026-11-01T10:00:01Z,o2,1,",
    ],
)
def test_another_customer_product_or_order_and_moment_is_another_purchase(read, line):
    assert len(bought(read([line], event("1", order_id="o1", occurred_at=AT)))) == 2


def test_one_basket_of_events_is_one_order(read):
    found = read(None, event("1", occurred_at=AT), event("2", product_id="BREAD", occurred_at=AT + timedelta(hours=1)))
    assert found.report.orders == 1


def test_a_refund_takes_the_purchase_back(read):
    refund = event("2", event_type="refund", order_id="o1", occurred_at=NOW)
    assert bought(read(None, event("1", order_id="o1"), refund, event("3", "BEN"))) == [("BEN", "MILK", 1.0)]


def test_a_refund_without_its_order_takes_from_the_latest_purchase(read):
    purchases = [event("1", occurred_at=AT, quantity=5.0), event("2", occurred_at=AT + timedelta(days=1), quantity=3.0)]
    found = read(None, *purchases, event("3", event_type="refund", quantity=2.0, occurred_at=NOW))
    assert bought(found) == [("ANNA", "MILK", 1.0), ("ANNA", "MILK", 5.0)]


def test_a_refund_takes_back_what_a_file_tells_of(read):
    lines = ["ANNA,MILK,2026-11-01,o1,1,", "BEN,MILK,2026-11-01,o2,1,"]
    found = read(lines, event("1", event_type="refund", order_id="o1", occurred_at=NOW))
    assert bought(found) == [("BEN", "MILK", 1.0)]


def test_a_refund_that_a_file_tells_of_too_counts_once(read):
    lines = ["ANNA,MILK,2026-11-01,o1,3,", "ANNA,MILK,2026-11-02,o1,-1,"]
    purchase = event("1", order_id="o1", occurred_at=AT, quantity=3.0)
    refund = event("2", event_type="refund", order_id="o1", occurred_at=AT + timedelta(days=1))
    assert bought(read(lines, purchase, refund)) == [("ANNA", "MILK", 2.0)]


def test_an_order_whose_line_says_refunded_takes_back_its_archived_purchase(read):
    lines = ["ANNA,MILK,2026-11-01,o1,1,refunded", "BEN,MILK,2026-11-01,o2,1,"]
    purchase = event("1", order_id="o1", occurred_at=AT)
    refund = event("2", event_type="refund", order_id="o1", occurred_at=NOW)
    assert bought(read(lines, purchase)) == bought(read(lines, purchase, refund)) == [("BEN", "MILK", 1.0)]


def test_what_a_clock_ahead_dates_after_now_is_for_the_next_training(read):
    found = read(None, event("1"), event("2", "BEN", occurred_at=NOW + timedelta(minutes=4)))
    assert bought(found) == [("ANNA", "MILK", 1.0)]


def test_the_erased_are_left_out_of_files_and_archive(read):
    erased = {digest_of_person("ANNA", None)}
    lines = ["ANNA,MILK,2026-10-01,o1,1,", "BEN,MILK,2026-10-01,o2,1,"]
    assert bought(read(lines, event("1"), event("2", "CARL"), erased=erased)) == [
        ("BEN", "MILK", 1.0),
        ("CARL", "MILK", 1.0),
    ]


def test_another_shops_events_do_not_count(read):
    found = read(["BEN,MILK,2026-10-01,o2,1,"], event("1"), shop="tea")
    assert bought(found) == [("BEN", "MILK", 1.0)]


def test_a_ledger_that_is_not_there_is_told(read, tmp_path):
    with pytest.raises(UnreadableFileError, match=r"nowhere does not exist.*reprise worker"):
        read(None, ledger=tmp_path / "nowhere")


def test_an_archive_without_purchases_and_no_file_is_too_little(read):
    with pytest.raises(TooLittleDataError):
        read(None, event("1", event_type="view"))


def test_how_the_archive_is_cut_into_files_changes_nothing(read, tmp_path):
    events = [event(str(number), f"C{number % 3}", occurred_at=AT + timedelta(days=number % 5)) for number in range(20)]
    whole = read(None, *events).ledger
    for one in reversed(events):
        archive(tmp_path / "ledger", one)
    assert read(None).ledger.equals(whole)
