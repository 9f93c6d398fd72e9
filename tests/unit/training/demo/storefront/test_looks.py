"""What the shop looks like: its pictures, its words, its prices and its dates."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, cast
from xml.etree import ElementTree

import pytest

from recommender.words.language import LANGUAGES
from training.demo.assortment import MOST_PRODUCTS, NEEDS, make_products
from training.demo.persian import persian_title
from training.demo.storefront.backend import Backend
from training.demo.storefront.catalogue import Catalogue, Product
from training.demo.storefront.web.pictures import draw_picture
from training.demo.storefront.web.site import Site, read_words

MADE_UP = make_products(list(NEEDS), MOST_PRODUCTS)
CATALOGUE = Catalogue(
    Product(one.product_id, one.title, one.category, f"{one.price:.2f}", "EUR", in_stock=True) for one in MADE_UP
)


def leaves(words: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    """Every word with its name."""
    for name, value in words.items():
        if isinstance(value, str):
            yield f"{path}{name}", value
        else:
            yield from leaves(value, f"{path}{name}.")


def placeholders(text: str) -> set[str]:
    return {part.partition("}")[0] for part in text.split("{")[1:]}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_the_same_words_and_places_for_values(language: str) -> None:
    english, words = dict(leaves(read_words("en"))), dict(leaves(read_words(language)))
    assert words.keys() == english.keys()
    assert {name for name, text in words.items() if placeholders(text) != placeholders(english[name])} == set()
    assert all(words.values())


def test_every_category_of_the_made_up_shop_has_a_name() -> None:
    assert {need.category for need in NEEDS} == set(read_words("en")["categories"])


def test_every_product_has_a_picture_and_a_persian_title() -> None:
    for product in CATALOGUE.products:
        ElementTree.fromstring(draw_picture(product))
        assert not set(persian_title(product.title)) & set("abcdefghijklmnopqrstuvwxyz0123456789"), product.title
    assert len({draw_picture(product) for product in CATALOGUE.products}) > 700


def test_a_title_is_escaped_in_its_picture() -> None:
    picture = draw_picture(Product("x", 'Orsini <script>&" 1L', "Nowhere", "1", "EUR", in_stock=True))
    assert "<script>" not in picture
    ElementTree.fromstring(picture)


@pytest.mark.parametrize(
    ("language", "price", "day"),
    [
        ("en", "€12.90", "Friday, 20 November 2026"),
        ("de", "12,90 €", "Freitag, 20. November 2026"),
        ("fa", "ریال ۱۵٬۴۸۰٬۰۰۰", "جمعه ۲۹ آبان ۱۴۰۵"),
    ],
)
def test_prices_and_dates_are_written_as_the_language_does(language: str, price: str, day: str) -> None:
    catalogue = CATALOGUE.in_persian() if language == "fa" else CATALOGUE
    site = Site(language, catalogue, cast(Backend, None))
    coffee = catalogue.find("COFFEE-1KG")
    assert coffee is not None
    assert site.price(coffee).replace("\u200e", "").replace("\xa0", " ") == price
    assert site.today(date(2026, 11, 20)) == day
