"""The shop's own catalogue, read from the product file of the made-up shop, in English and in Persian."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from training.demo.persian import persian_title, rials


@dataclass(frozen=True)
class Product:
    """One product of the shop; `price` is a number as text, in `currency` (ISO 4217)."""

    product_id: str
    title: str
    category: str
    price: str
    currency: str
    in_stock: bool

    @property
    def slug(self) -> str:
        """The product's name in addresses."""
        return self.product_id.lower()


class Catalogue:
    """All products of one site, by title."""

    def __init__(self, products: Iterable[Product]) -> None:
        self.products: Sequence[Product] = sorted(products, key=lambda product: product.title)
        self._by_slug = {product.slug: product for product in self.products}

    @cached_property
    def categories(self) -> Sequence[str]:
        """Names of the categories, the largest first."""
        sizes: dict[str, int] = {}
        for product in self.products:
            sizes[product.category] = sizes.get(product.category, 0) + 1
        return sorted(sizes, key=lambda name: (-sizes[name], name))

    def find(self, product_id: str) -> Product | None:
        """The product of this id or slug; None where there is none."""
        return self._by_slug.get(product_id.lower())

    def of_category(self, category: str) -> Sequence[Product]:
        """The products of a category."""
        return [product for product in self.products if product.category == category]

    def search(self, text: str) -> Sequence[Product]:
        """The products whose titles or categories hold every word of `text`; none for no word."""
        words = text.casefold().split()
        found = (product for product in self.products if words)
        return [one for one in found if all(word in f"{one.title} {one.category}".casefold() for word in words)]

    def in_persian(self) -> "Catalogue":
        """The same products as the Persian site names and prices them."""
        return Catalogue(
            replace(one, title=persian_title(one.title), price=rials(one.price), currency="IRR")
            for one in self.products
        )


def read_catalogue(path: Path) -> Catalogue:
    """The catalogue of a product file as `reprise demo` writes it."""
    with path.open(encoding="utf-8", newline="") as file:
        return Catalogue(
            Product(
                row["product_id"],
                row["title"],
                row["category"],
                row["price"],
                row["currency"],
                row["in_stock"] == "true",
            )
            for row in csv.DictReader(file)
        )
