from datetime import UTC, datetime

import polars as pl

from training.ingest.schema import CATALOGUE, LEDGER
from training.reports.odd_lines import odd_products


def tables(orders, titles):
    """Order → products, as a ledger; and the titles of products."""
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    rows = [(f"c{n}", product, moment, f"o{n}", 1.0, 1.0) for n, bought in enumerate(orders) for product in bought]
    catalogue = pl.DataFrame({"product_id": list(titles), "title": list(titles.values())}, schema_overrides=CATALOGUE)
    return pl.DataFrame(rows, schema=LEDGER, orient="row"), catalogue


def test_what_is_on_nearly_every_order_or_called_like_it_is_pointed_out():
    orders = [[f"p{n % 7}", *(["BAG"] if n % 3 else []), *(["S1"] if n == 5 else [])] for n in range(30)]
    found = odd_products(
        *tables(orders, {"BAG": "Carrier", "S1": "Versandkosten", **{f"p{n}": "Tea" for n in range(7)}})
    )
    assert [(odd.product_id, round(odd.orders_share, 2), odd.why) for odd in found] == [
        ("BAG", 0.67, "is on nearly every order"),
        ("S1", 0.03, "is called like a line that is no product"),
    ]


def test_a_product_without_sku_is_odd_where_others_have_one():
    titles = {f"p{n}": f"Tea {n}" for n in range(9)} | {"Wrapping": "Wrapping"}
    found = odd_products(*tables([[product] for product in titles], titles))
    assert [(odd.product_id, odd.why) for odd in found] == [("Wrapping", "has no SKU where others have one")]
    alone = {name: name for name in ("Tea", "Mug", "Cup")}
    assert odd_products(*tables([[name] for name in alone], alone)) == []


def test_nothing_sold_has_nothing_odd():
    assert odd_products(*tables([], {})) == []
