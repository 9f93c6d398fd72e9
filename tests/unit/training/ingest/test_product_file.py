from datetime import UTC, datetime

import polars as pl
import pytest

from recommender.errors import MissingColumnError
from training.ingest.product_file import build_catalogue, read_products
from training.ingest.schema import CATALOGUE, LEDGER, LOST_DIGITS
from training.tables.workspace import Workspace


def ledger(*lines):
    """(product_id, unit_price) in the order of time."""
    rows = [
        ("c", product, datetime(2024, 1, day, tzinfo=UTC), str(day), 1.0, price)
        for day, (product, price) in enumerate(lines, start=1)
    ]
    return pl.DataFrame(rows, schema=LEDGER, orient="row")


def products(tmp_path, text, hosts=()):
    file = tmp_path / "products.csv"
    file.write_text(text)
    return read_products(file, Workspace(tmp_path), hosts)


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
        ("007", "Milk", "Dairy", "1.90", None, "https://x.org/7", "/7.png", True, True),
        ("8", None, None, None, None, None, None, False, False),
        ("9", "Tea", None, None, None, None, None, True, None),
    ]
    assert named.unusable == 1
    wrong = "is neither an http or https address of an allowed host nor a path of the shop"
    assert named.bad.select("line", "reason", "product_id", "price", "url", "image_url").rows() == [
        (3, f"url {wrong}", "8", None, "javascript:alert(1)", "x.png"),
        (3, f"image_url {wrong}", "8", None, "javascript:alert(1)", "x.png"),
        (4, "price is no number, or negative", "9", "-1", None, None),
        (5, "no product_id", None, None, None, None),
    ]


def test_a_currency_is_of_iso_4217_or_not_taken(tmp_path):
    named = products(
        tmp_path, "product_id,price,currency\n1,1.90,EUR\n2,2.50,\n3,3,eur\n4,4,ZZZ\n5,5,EUR EUR\n6,6,€\n7,7,JPY\n"
    )
    assert named.products["currency"].to_list() == ["EUR", None, None, None, None, None, "JPY"]
    assert named.products["price"].to_list() == ["1.90", "2.50", "3.00", "4.00", "5.00", "6.00", "7.00"]
    wrong = "currency is no code of ISO 4217, such as EUR"
    assert named.bad.select("line", "reason", "currency").rows() == [
        (4, wrong, "eur"),
        (5, wrong, "ZZZ"),
        (6, wrong, "EUR EUR"),
        (7, wrong, "€"),
    ]


def test_a_currency_of_the_file_is_of_no_price_that_was_paid(tmp_path):
    named = products(tmp_path, "product_id,price,currency\na,3,USD\nb,,USD\n")
    catalogue, _ = build_catalogue(ledger(), ledger(("a", 1.0), ("b", 2.0)), named)
    assert catalogue.select("product_id", "price", "currency").rows() == [("a", "3.00", "USD"), ("b", "2.00", None)]


@pytest.mark.parametrize(
    ("url", "hosts", "taken"),
    [
        ("/p/milk", (), True),
        ("https://any.example/p", (), True),
        ("https://shop.example/p", ("shop.example",), True),
        ("https://img.SHOP.example:8443/p", ("cdn.example", "shop.example"), True),
        ("/p/milk", ("shop.example",), True),
        ("https://evil.example/p", ("shop.example",), False),
        ("https://evilshop.example/p", ("shop.example",), False),
        ("https://shop.example.evil.example/p", ("shop.example",), False),
        ("https://shop.example@evil.example/p", (), False),
        ("https://evil.example\\@shop.example/p", ("shop.example",), False),
        ("//evil.example/p", (), False),
        ("/\\evil.example/p", (), False),
        ("data:text/html,x", (), False),
        ("JavaScript:alert(1)", (), False),
        ("p/milk", (), False),
    ],
)
def test_an_address_is_of_an_allowed_host_or_a_path_of_the_shop(tmp_path, url, hosts, taken):
    named = products(tmp_path, f"product_id,url\n1,{url if ',' not in url else repr(url)}\n".replace("'", '"'), hosts)
    assert named.products["url"].to_list() == [url if taken else None]
    assert named.bad["url"].to_list() == ([] if taken else [url])


def test_a_line_with_more_cells_than_the_header_is_not_taken(tmp_path):
    named = products(tmp_path, "product_id,title\n1,Milk, 1 l\n2,Tea\n")
    assert named.products["product_id"].to_list() == ["2"]
    assert (named.unusable, named.bad.select("line", "reason").rows()) == (1, [(2, "broken line")])


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


def test_a_product_file_as_a_spreadsheet_saves_it(tmp_path):
    lines = 'Products of Tea & Co\r\n\r\nproduct_id;title;category\r\n007;Thé vert;Tea\r\nMUG;Becher 7";Cups\r\n'
    file = tmp_path / "products.csv"
    file.write_bytes(lines.encode("cp1252"))
    named = read_products(file, Workspace(tmp_path))
    assert named.products.select("product_id", "title").rows() == [("007", "Thé vert"), ("MUG", 'Becher 7"')]
    assert [note.code for note in named.notes] == ["encoding_guessed", "title_lines", "quote_marks"]
    assert "'Thé vert'" in named.notes[0].text


def test_lines_that_are_no_products_are_told(tmp_path):
    file = tmp_path / "products.csv"
    file.write_text("product_id,title,price\nmilk,M,1\nproduct_id,title,price\ntea,T,2\nmug,C,3\nTotal,,6\n")
    with Workspace(tmp_path) as work:
        found = read_products(file, work)
    assert found.products["product_id"].to_list() == ["milk", "tea", "mug"]
    assert [(note.code, note.rows) for note in found.notes if note.code == "no_rows"] == [("no_rows", 2)]


def test_ids_that_a_tool_rewrote_name_the_same_products_as_purchases_do(tmp_path):
    found = products(tmp_path, "product_id,title\n101.0,Tea\n'102,Mug\n4.01E+12,Lost\n")
    assert found.products["product_id"].to_list() == ["101", "102"]
    assert {note.code: note.rows for note in found.notes} == {"decimal_ids": 1, "guarded_ids": 1}
    assert found.unusable == 1
    assert found.bad["reason"].to_list() == [LOST_DIGITS]
