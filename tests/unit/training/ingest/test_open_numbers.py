"""Numbers that could have decimals or thousands: asked for, unless another column of the same file tells."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from recommender.cli.progress import Progress
from recommender.errors import UnclearInputError
from recommender.reading import ReadingOptions
from recommender.settings import Settings
from training.ingest.ingest import PurchaseSource, ingest

AS_OF = datetime(2026, 11, 30, tzinfo=UTC)


def read(folder, rows, header="quantity;unit_price", **options):
    """Quantities and prices of a file with these cells, and codes of its notes."""
    file = Path(folder, "purchases.csv")
    lines = [f"C{number};TEA;2026-09-{number + 10};{row}" for number, row in enumerate(rows)]
    file.write_text("\n".join([f"customer_id;product_id;ordered_at;{header}", *lines]) + "\n", "utf-8")
    settings = Settings(home=Path(folder, "home"))
    found = ingest(PurchaseSource([file], ReadingOptions(**options)), settings, AS_OF, Progress(show=False))
    return list(found.ledger.select("quantity", "unit_price").iter_rows()), {
        note["code"] for note in found.report.notes
    }


def test_thousands_or_decimals_in_every_price_are_asked_for(tmp_path):
    rows = ["1;1.200", "2;12.350", "1;127.000"]
    with pytest.raises(UnclearInputError, match=r"'unit_price': '1.200' could be 1.2 \(--decimal .\), or 1200 \(--dec"):
        read(tmp_path, rows)
    assert [price for _, price in read(tmp_path, rows, decimal=".")[0]] == [1.2, 12.35, 127]
    assert [price for _, price in read(tmp_path, rows, decimal=",")[0]] == [1200, 12350, 127000]


def test_the_other_column_of_numbers_tells_which_it_is(tmp_path):
    assert read(tmp_path, ["1.200;4.50", "2.000;9.00"])[0] == [(1.2, 4.5), (2, 9)]
    assert read(tmp_path, ["1.200;4,50", "2.000;9,00"])[0] == [(1200, 4.5), (2000, 9)]
    assert read(tmp_path, ["0,500;1.200", "2,000;1.750"])[0] == [(0.5, 1200), (2, 1750)]


def test_an_amount_that_is_not_read_tells_it_too(tmp_path):
    rows = ["2;1.200;2.400,00", "1;1.750;1.750,00"]
    assert read(tmp_path, rows, "quantity;unit_price;total")[0] == [(2, 1200), (1, 1750)]


def test_columns_that_contradict_each_other_tell_nothing(tmp_path):
    with pytest.raises(UnclearInputError, match="refunded_quantity"):
        read(tmp_path, ["1.5;4,50;1.200", "2.5;9,00;1.000"], "quantity;unit_price;refunded_quantity")


def test_both_signs_in_one_column_are_asked_for_whatever_another_says(tmp_path):
    with pytest.raises(UnclearInputError, match=r"while '9\.00' is none"):
        read(tmp_path, ["1.5;4,50", "2.5;9.00"])
