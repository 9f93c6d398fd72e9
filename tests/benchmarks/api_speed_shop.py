"""A made-up version of the size of a real shop, for measuring the service: 10,000 products, 100,000 customers."""

from datetime import UTC, datetime, timedelta

import numpy as np

from recommender.events.event import Event, EventType
from recommender.publication.lists import LIST_NAMES, RECORDS, WHOLE_SHOP, ListName, ListTable
from recommender.publication.manifest import Manifest, Publication, name_version
from recommender.publication.product import Product

N_PRODUCTS = 10_000
N_CUSTOMERS = 100_000
N_CATEGORIES = 100
N_ACTIVE = 1_000
"""Customers, the last ones, with N_EVENTS events since the version was made."""
N_EVENTS = 56
LIST_LENGTH = 50
"""Products on every list: those of a product, of a customer (both kinds), of a category and of the shop."""


def make_publication(
    as_of: datetime, *, fingerprint: str = "0000", n_products: int = N_PRODUCTS, n_customers: int = N_CUSTOMERS
) -> Publication:
    """Every list has LIST_LENGTH products drawn at random (seed 0), with falling scores.

    Args:
        as_of: names the version; customers bought within the 200 days before.
        fingerprint: tells versions of one moment apart.
        n_products: called `p0`, `p1`, …
        n_customers: called `c0`, `c1`, …
    """
    random = np.random.default_rng(0)
    products = [make_product(i) for i in range(n_products)]
    owners: dict[ListName, list[str]] = {
        "similar": [product.product_id for product in products],
        "together": [product.product_id for product in products],
        "buy_again": [f"c{i}" for i in range(n_customers)],
        "discover": [f"c{i}" for i in range(n_customers)],
        "popular": [WHOLE_SHOP, *(f"Category {i}" for i in range(N_CATEGORIES))],
        "trending": [WHOLE_SHOP, *(f"Category {i}" for i in range(N_CATEGORIES))],
    }
    tables = {name: _make_table(name, owners[name], n_products, as_of, random) for name in LIST_NAMES}
    moment = as_of.astimezone(UTC).isoformat()
    lists = {name: len(table) for name, table in tables.items()}
    counts = {"customers": n_customers, "products": n_products}
    return Publication(Manifest(name_version(as_of, fingerprint), moment, moment, counts, lists), products, tables)


def make_product(index: int) -> Product:
    """One with everything that a shop can tell; every fiftieth is out of stock."""
    return Product(
        f"p{index}",
        title=f"Product number {index}, 500 g",
        category=f"Category {index % N_CATEGORIES}",
        price="12.90",
        url=f"https://shop.example/products/product-number-{index}",
        image_url=f"https://images.shop.example/products/{index}/front.webp",
        in_stock=index % 50 != 0,
    )


def events_of_customer(number: int, now: datetime, n: int) -> list[Event]:
    """The last `n` events of one customer, seeded by its number: two views, a product into the cart, a purchase, ..."""
    random = np.random.default_rng(number)
    types: tuple[EventType, ...] = ("view", "view", "add_to_cart", "purchase")
    return [
        Event(
            event_id=f"{number}-{i}",
            event_type=types[i % len(types)],
            customer_id=f"c{number}",
            product_id=f"p{random.integers(N_PRODUCTS)}",
            occurred_at=now - timedelta(minutes=10 * i),
            order_id=f"order-{number}-{i // 8}" if types[i % len(types)] == "purchase" else None,
        )
        for i in range(n)
    ]


def _make_table(
    name: ListName, owner_ids: list[str], n_products: int, as_of: datetime, random: np.random.Generator
) -> ListTable:
    n = len(owner_ids)
    records = np.zeros((n, LIST_LENGTH), RECORDS[name])
    # a random start and a step that no factor of the catalogue shares: no product comes twice on one list
    starts, steps = random.integers(0, n_products, (n, 1)), 1 + 2 * random.integers(0, n_products // 100, (n, 1))
    records["product_index"] = (starts + steps * np.arange(LIST_LENGTH)) % n_products
    records["score"] = -np.sort(-random.random((n, LIST_LENGTH)), axis=1)
    if name == "buy_again":
        records["last_day"] = int(as_of.timestamp()) // 86_400 - random.integers(0, 200, records.shape)
        records["purchases"] = random.integers(1, 12, records.shape)
        records["log_gap"] = np.log(random.integers(7, 120, records.shape))
        records["log_gap_sd"] = 0.4
        records["return_share"] = 0.7
    bounds = np.arange(n + 1, dtype=np.int64) * LIST_LENGTH
    return ListTable(owner_ids, bounds, records.reshape(-1), np.zeros(n, np.uint8))
