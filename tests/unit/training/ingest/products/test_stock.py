import polars as pl
import pytest

from training.ingest.products.stock import _words, in_stock, stock_notes, stock_of


@pytest.mark.parametrize(
    ("cell", "meaning"),
    [
        ("in_stock", "in_stock"),
        ("In Stock", "in_stock"),
        ("https://schema.org/InStock", "in_stock"),
        ("12", "in_stock"),
        ("0,5", "in_stock"),
        ("TRUE", "in_stock"),
        ("auf Lager", "in_stock"),
        ("verfuegbar", "in_stock"),
        ("\u0412 наличии", "in_stock"),
        ("موجود", "in_stock"),
        ("out_of_stock", "out_of_stock"),
        ("Out-of-Stock", "out_of_stock"),
        ("http://schema.org/OutOfStock", "out_of_stock"),
        ("0", "out_of_stock"),
        ("-3", "out_of_stock"),
        ("\u22122", "out_of_stock"),
        ("ausverkauft", "out_of_stock"),
        ("épuisé", "out_of_stock"),
        ("нет в наличии", "out_of_stock"),
        ("ناموجود", "out_of_stock"),
        ("no", "out_of_stock"),
        ("preorder", "on_order"),
        ("Available on backorder", "on_order"),
        ("https://schema.org/PreOrder", "on_order"),
        ("ask us", "unknown"),
        ("nan", "unknown"),
    ],
)
def test_words_and_numbers_say_what_is_in_stock(cell, meaning):
    assert stock_of(cell) == meaning


def test_every_word_means_one_thing():
    assert set(_words().values()) == {"in_stock", "out_of_stock", "on_order"}
    for meaning in ("in_stock", "out_of_stock", "on_order"):
        assert sum(each == meaning for each in _words().values()) > 20


def test_unknown_words_are_null_and_said():
    cells = pl.Series("s", ["yes", "bald", "bald", None, "sold out", "preorder"])
    assert cells.to_frame().select(in_stock(pl.col("s"))).to_series().to_list() == [True, None, None, None, False, True]
    unknown, on_order = stock_notes("Bestand", cells)
    assert (unknown.code, unknown.rows) == ("stock_unknown", 2)
    assert unknown.text == (
        "products, column 'Bestand': 'bald' (2) are not known as words for stock, and are taken as in stock"
    )
    assert (on_order.code, on_order.rows) == ("stock_on_order", 1)
    assert stock_notes("s", pl.Series(["yes", None])) == []
