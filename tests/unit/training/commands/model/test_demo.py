"""`reprise demo` prints requests that ask for what its shop has, and for what the documents show."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from recommender.publication.manifest import Publication
from tests.support import small_shop
from training.commands.model.demo import CUSTOMER, curl_lines
from training.demo.assortment import NEEDS, make_products

ROOT = Path(__file__).parents[5]
DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("[a-z]*/**/*.md")]


def shop_of(customers: Sequence[str]) -> Publication:
    """The small shop with two customers of these names; the second has the shorter list."""
    shop = small_shop.publication()
    table = replace(shop.tables["buy_again"], owner_ids=list(customers))
    return replace(shop, tables={**shop.tables, "buy_again": table})


def ids(pattern: str, customers: Sequence[str] = ("first", CUSTOMER)) -> set[str]:
    """What `pattern` captures in the printed lines."""
    return set(re.findall(pattern, "\n".join(curl_lines(shop_of(customers), "http://127.0.0.1:8000"))))


@pytest.mark.parametrize(("customers", "asked_for"), [(("first", CUSTOMER), CUSTOMER), (("first", "other"), "first")])
def test_the_customer_of_the_documents_or_one_with_the_longest_list(customers: Sequence[str], asked_for: str) -> None:
    assert ids(r"/v1/customers/([^/]+)/", customers) == {asked_for}


def test_the_products_are_always_in_the_shop() -> None:
    products = ids(r"/v1/products/([^/]+)/") | ids(r'"([A-Z0-9]+-[A-Z0-9]+)"')
    assert len(products) == 3
    assert products <= {product.product_id for product in make_products(list(NEEDS), 600)}


def test_the_documents_ask_for_the_same() -> None:
    text = "\n".join(path.read_text() for path in DOCUMENTS)
    for path in ids(r"(/v1/(?:products|customers)/[^/]+/[a-z-]+)"):
        assert path in text
