from datetime import UTC, datetime

import polars as pl
import pytest

from recommender.errors import MissingColumnError
from training.ingest.product_file import build_catalogue, read_products
from training.ingest.schema import CATALOGUE, LEDGER


def ledger(*lines):
    """(product_id, unit_price) in the order of time."""
    rows = [
        ("c", product, datetime(2024, 1, day, tzinfo=UTC), str(day), 1.0, price)
        for day, (product, price) in enumerate(lines, start=1)
    ]
    return pl.DataFrame(rows, schema=LEDGER, orient="row")


def products(tmp_path, text):
    file = tmp_path / "products.csv"
    file.write_text(text)
    return read_products(file)


def test_a_product_file_is_read_cell_by_cell(tmp_path):
    named = products(
        tmp_path,
        "product_id,title,category,price,url,image_url,in_stock,replenishable,colour\n"
        " 007 ,Milk,Dairy,1.9,https://x.org/7,/7.png,true,yes,white\n"
        "8,,,NaN,javascript:alert(1),x.png,Out of stock,no,\n"
        "9,Tea,,-1,,,,,\n"
        ",Nothing,,,,,,,\n",
    )
    assert named.products.schema == CATALOGUE
    assert list(named.products.iter_rows()) == [
        ("007", "Milk", "Dairy", "1.90", "https://x.org/7", "/7.png", True, True),
        ("8", None, None, None, None, None, False, False),
        ("9", "Tea", None, None, None, None, True, None),
    ]
    assert named.unusable == 1


def test_the_last_line_of_a_repeated_product_counts(tmp_path):
    named = products(tmp_path, "product_id,title\n1,Old\n2,Two\n1,New\n")
    assert sorted(named.products.select("product_id", "title").iter_rows()) == [("1", "New"), ("2", "Two")]
    assert named.repeated == 1


def test_a_product_file_without_product_id_is_refused(tmp_path):
    with pytest.raises(MissingColumnError, match="its columns are 'sku', 'title'"):
        products(tmp_path, "sku,title\n1,Milk\n")


def test_sold_products_complete_the_file(tmp_path):
    named = products(tmp_path, "product_id,title,price\nb,Bread,\nz,Never sold,3\n")
    sold = ledger(("b", 2.0), ("a", 1.0), ("b", 3.0), ("b", None), ("b", 2.5))
    titles = pl.DataFrame({"product_id": ["a", "a", "a", "b"], "title": ["Ale", "Ale", "damaged", "Brot"]})
    catalogue, facts = build_catalogue(titles, sold, named)
    assert list(catalogue.select("product_id", "title", "price", "in_stock").iter_rows()) == [
        ("a", "Ale", "1.00", True),
        ("b", "Bread", "2.50", True),
        ("z", "Never sold", "3.00", True),
    ]
    assert (facts["sold_but_not_in_file"], facts["never_sold"]) == (1, 1)


def test_nothing_sold_and_no_file_is_an_empty_catalogue():
    catalogue, facts = build_catalogue(ledger(), ledger(), None)
    assert catalogue.is_empty()
    assert catalogue.schema == CATALOGUE
    assert facts["products"] == 0
