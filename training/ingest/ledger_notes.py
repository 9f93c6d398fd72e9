"""Notes that only all purchases together show: ids that look alike, orders and products that are none."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import polars as pl

from training.cells.findings import Note
from training.cells.statuses import TAKEN_BACK
from training.cells.words import fold_words
from training.ingest.products.listed import several_in_one
from training.writing.scripts import describe_look_alikes, look_alikes

SHOWN = 5
"""So many ids or words stand in a note."""
STATUSES_SHOWN = 20
LARGE_ORDER = 0.05
"""Share of all lines over which one order id is named, from FEWEST_LINES on."""
FEWEST_LINES = 20
NEARLY_EVERY = 0.8
"""Share of the orders over which a product is named that stands on them, from FEWEST_LINES orders on."""
MOST_WORDS = 3
"""A longer title is one of a product, whatever its words are."""
_CHARGES = """
    shipping delivery postage handling freight tip gratuity giftcard voucher coupon discount donation insurance
    surcharge versand versandkosten trinkgeld gutschein rabatt pfand spende
    livraison pourboire remise
    envío propina descuento cupón
    spedizione mancia sconto
    verzendkosten verzending korting fooi
    wysyłka dostawa rabatowy
    frete gorjeta desconto
    доставка чаевые скидка
    الشحن شحن توصيل خصم ارسال تخفیف انعام
    kargo indirim bahşiş
"""
_NO_PRODUCT = tuple(_CHARGES.split())
_SUMS = (
    *("total", "subtotal", "summe", "zwischensumme", "gesamtsumme", "totale", "totaal", "suma"),
    *("итого", "المجموع", "toplam"),
)
_TOTALS = {fold_words(word) for word in _SUMS}
_NO_PRODUCT_WORDS = frozenset(fold_words(_CHARGES))


def status_notes(statuses: Sequence[Mapping[str, Any]]) -> list[Note]:
    """Which values of `status` took rows back, and which are not known and were kept, each with its rows.

    Args:
        statuses: as in `IngestReport.statuses`.
    """
    notes = []
    for meaning, code, text in (
        (TAKEN_BACK, "status_taken_back", "status: taken back are {}"),
        ("unknown", "status_unknown", "status: not known and kept are {}; --returned names those that went back"),
    ):
        found = [status for status in statuses if status["meaning"] == meaning]
        if found:
            words = _listed([f"{status['value'][:40]!r} ({status['rows']:,})" for status in found], STATUSES_SHOWN)
            notes.append(Note(code, text.format(words), sum(status["rows"] for status in found)))
    return notes


def ledger_notes(purchases: pl.DataFrame, currencies: Collection[str]) -> list[Note]:
    """What is odd about the purchases of all files together.

    Args:
        purchases: customer_id, product_id, order_id, and title where the source has it.
        currencies: of the prices in files and archived events.
    """
    titles = [pl.col("title").drop_nulls().min()] if "title" in purchases.columns else []
    by_product = purchases.lazy().group_by("product_id").agg(pl.len(), *titles)
    products = by_product.collect(engine="streaming").sort("len", "product_id", descending=[True, False])
    # 64-bit hashes instead of strings, as in `ledger_facts`
    by_order = purchases.lazy().select(pl.col("order_id").hash()).group_by("order_id").len()
    orders = by_order.collect(engine="streaming")
    return [
        *_alike("customer_id", purchases["customer_id"].unique(), names_customers=True),
        *_alike("product_id", products["product_id"], names_customers=False),
        *_large_orders(purchases, orders),
        *several_in_one(products),
        *_no_products(products),
        *_on_every_order(purchases, products, len(orders)),
        *_written_in_two_ways("customer_id", purchases["customer_id"].unique(), names_customers=True),
        *_written_in_two_ways("product_id", products["product_id"], names_customers=False),
        *_currencies(currencies),
    ]


def _alike(ours: str, ids: pl.Series, *, names_customers: bool) -> list[Note]:
    """Ids that differ in case or leading zeros only."""
    folded = ids.str.to_lowercase().str.strip_chars_start("0")
    if folded.n_unique() == len(ids):
        return []
    both = pl.DataFrame({"id": ids, "folded": folded})
    groups = both.group_by("folded").agg(pl.col("id").sort()).filter(pl.col("id").list.len() > 1).sort("folded")
    shown = _listed([" and ".join(map(repr, group[:2])) for group in groups["id"].to_list()])
    text = f"{ours}: ids that differ only in case or leading zeros count as different: {shown}"
    return [Note("alike_ids", text, names_customers=names_customers)]


def _written_in_two_ways(ours: str, ids: pl.Series, *, names_customers: bool) -> list[Note]:
    """Ids that differ only in letters that are written in two ways."""
    groups = look_alikes(ids)
    if not groups:
        return []
    text = f"{ours}: {len(groups):,} ids are written in several ways, and count as several: "
    return [Note("ids_look_alike", text + describe_look_alikes(groups), names_customers=names_customers)]


def _currencies(currencies: Collection[str]) -> list[Note]:
    if len(currencies) < 2:
        return []
    return [Note("currencies", f"prices are in {', '.join(sorted(currencies))}, and are not converted")]


def _large_orders(purchases: pl.DataFrame, orders: pl.DataFrame) -> list[Note]:
    large = orders.filter(pl.col("len") >= max(FEWEST_LINES, LARGE_ORDER * len(purchases)))
    if large.is_empty():
        return []
    lines = purchases.filter(pl.col("order_id").hash().is_in(large["order_id"].implode()))
    found = lines.group_by("order_id").agg(pl.len(), pl.col("customer_id").n_unique().alias("customers"))
    return [
        Note(
            "large_order",
            f"order_id {order!r} stands on {rows:,} lines of {customers:,} customers, {rows / len(purchases):.0%} of "
            "all: where it says that there is no order, empty it",
            rows,
            names_customers=True,
        )
        for order, rows, customers in found.sort("len", "order_id", descending=True).head(SHOWN).iter_rows()
    ]


def _no_products(products: pl.DataFrame) -> list[Note]:
    """Products whose id or title names a charge, such as shipping."""
    texts = pl.col("^(product_id|title)$").str.to_lowercase()
    likely = products.filter(pl.any_horizontal(texts.str.contains_any([*_NO_PRODUCT, *_SUMS, "gift"])))
    odd = [
        (row["product_id"], row["len"])
        for row in likely.iter_rows(named=True)
        if any(_says_no_product(text) for text in (row["product_id"], row.get("title")) if text)
    ]
    if not odd:
        return []
    shown = _listed([f"{product!r} ({rows:,})" for product, rows in odd])
    return [Note("no_product", f"these may be no products: {shown}; --not-products leaves them out", _rows(odd))]


def _says_no_product(text: str) -> bool:
    words = fold_words(text)
    return words in _TOTALS or (
        bool(words)
        and len(words) <= MOST_WORDS
        and (not _NO_PRODUCT_WORDS.isdisjoint(words) or words[:2] == ("gift", "card"))
    )


def _on_every_order(purchases: pl.DataFrame, products: pl.DataFrame, n_orders: int) -> list[Note]:
    often = products.filter(pl.col("len") >= NEARLY_EVERY * n_orders)["product_id"]
    if n_orders < FEWEST_LINES or len(products) < 3 or often.is_empty():
        return []
    lines = purchases.filter(pl.col("product_id").is_in(often.implode()))
    orders = lines.group_by("product_id").agg(pl.col("order_id").n_unique().alias("orders"))
    found = orders.filter(pl.col("orders") >= NEARLY_EVERY * n_orders).sort("orders", "product_id", descending=True)
    shown = _listed([f"{product!r} ({orders / n_orders:.0%})" for product, orders in found.iter_rows()])
    text = f"on nearly every order stands {shown}; where it is no product, --not-products leaves it out"
    return [Note("on_every_order", text, int(found["orders"].sum()))] if len(found) else []


def _rows(found: Sequence[tuple[str, int]]) -> int:
    return sum(rows for _, rows in found)


def _listed(words: Sequence[str], most: int = SHOWN) -> str:
    return ", ".join(words[:most]) + (f" and {len(words) - most:,} more" if len(words) > most else "")
