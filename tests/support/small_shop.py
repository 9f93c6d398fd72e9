"""A hand-made version of a small shop, and the answers that follow from it.

It is 2026-11-20. ANNA buys MILK (product 0) every 7 days, 20 times, the last time 6 days ago: it is due tomorrow.
She bought BREAD (1) yesterday, so BREAD is not due. COFFEE (2) is what she may discover. BUTTER goes with BREAD.
The KETTLE (4) is cold: few bought it. OLD (5) is out of stock. `a/b c` (6) is an id like any other.
ANNA orders about every 7 days and is loyal; customer `x/y` ordered 3 times, the last time 30 days ago, and is due.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import numpy as np

from recommender.publication.lists import LIST_NAMES, RECORDS, WHOLE_SHOP, Basis, ListName, ListTable
from recommender.publication.manifest import Manifest, Publication
from recommender.publication.product import Product
from tests.support.profiles import make_profile, make_table

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
TODAY = (NOW - datetime(1970, 1, 1, tzinfo=UTC)).days
VERSION = "20261120T020000Z-3f2a"
WEEK = math.log(7)

PRODUCTS = [
    Product("MILK", "Whole milk, 1 l", "Dairy", "1.20", "/p/milk", "/i/milk.jpg"),
    Product("BREAD", "Rye bread", "Bakery", "3.10"),
    Product("COFFEE", "Coffee beans", "Coffee", "12.90"),
    Product("BUTTER", "Butter", "Dairy"),
    Product("KETTLE", "Kettle", "Kitchen", "39.00"),
    Product("OLD", "Discontinued", "Dairy", in_stock=False),
    Product("a/b c", None, None),
    Product("käse 🧀", "Käse", "Dairy"),
]
ALL = [product.product_id for product in PRODUCTS]
PROFILES = make_table(
    make_profile("x/y", first_day=TODAY - 90, last_day=TODAY - 30, orders=3),
    make_profile("ANNA", first_day=TODAY - 139, last_day=TODAY - 1, orders=21, usual_gap_days=7.0),
)
Rows = Mapping[str, tuple[Basis, Sequence[tuple[float, ...]]]]


def table(name: ListName, rows: Rows) -> ListTable:
    """A table from owner → (basis, records as tuples)."""
    lengths = [len(records) for _, records in rows.values()]
    return ListTable(
        owner_ids=list(rows),
        starts=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        records=np.array([record for _, records in rows.values() for record in records], dtype=RECORDS[name]),
        basis=np.array([basis for basis, _ in rows.values()], dtype=np.uint8),
    )


def model(*records: tuple[float, ...]) -> tuple[Basis, Sequence[tuple[float, ...]]]:
    """A learned list."""
    return Basis.MODEL, records


ROWS: dict[ListName, Rows] = {
    "similar": {
        **{product_id: model() for product_id in ALL},
        "MILK": model((3, 0.9), (5, 0.8), (7, 0.7)),
        "KETTLE": (Basis.CATEGORY, ((2, 5.0),)),
        "a/b c": (Basis.POPULAR, ((0, 9.0), (1, 8.0))),
        "käse 🧀": model((0, 0.7)),
    },
    "together": {
        **{product_id: model() for product_id in ALL},
        "BREAD": model((3, 4.0), (0, 2.0)),
        "COFFEE": model((0, 6.0)),
    },
    "buy_again": {
        "ANNA": model((0, 0.8, TODAY - 6, 20, WEEK, 0.2, 0.95), (1, 0.5, TODAY - 1, 9, WEEK, 0.3, 0.9)),
        "x/y": model((2, 0.25, TODAY - 30, 3, math.log(30), 0.2, 0.9)),
    },
    "discover": {"ANNA": model((2, 0.6), (3, 0.1)), "x/y": model()},
    "popular": {
        WHOLE_SHOP: model((0, 9.0), (1, 8.0), (2, 7.0)),
        "Dairy": model((0, 9.0), (3, 1.0)),
    },
    "trending": {WHOLE_SHOP: model((2, 3.0)), "Dairy": model((3, 1.0))},
}


def publication(version: str = VERSION, products: Sequence[Product] = PRODUCTS) -> Publication:
    """The shop as one version."""
    tables = {name: table(name, ROWS[name]) for name in LIST_NAMES}
    manifest = Manifest(
        version=version,
        as_of="2026-11-20T02:00:00Z",
        created_at="2026-11-20T02:05:00Z",
        counts={"customers": 2, "products": len(products), "orders": 30, "purchases": 32, "profiles": 2},
        lists={name: len(tables[name]) for name in LIST_NAMES},
        metrics={"mixed": {"recall_at_10": 0.5}},
        gate={"verdict": "passed", "reasons": []},
        settings={"secret_path": "/somewhere"},
        sources=["/home/someone/purchases.csv"],
    )
    return Publication(manifest, products, tables, profiles=PROFILES)
