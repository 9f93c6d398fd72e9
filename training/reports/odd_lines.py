"""Odd lines of purchases: products that may be none."""

from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

import polars as pl

from training.ingest.headers.folding import fold

EVERY_ORDER = 0.5
"""Share of orders from which a product is on nearly every order."""
FEWEST_ORDERS = 20
_NO_PRODUCT = (
    "shipping", "postage", "delivery", "handling", "tip", "gift card", "giftcard", "gift voucher", "voucher",
    "shipping protection", "route", "insurance", "donation", "deposit", "fee", "service fee", "surcharge", "discount",
    "rounding", "gift wrap", "test", "test order", "test product", "manual", "adjustment", "bank charges", "carriage",
    "Versand", "Versandkosten", "Porto", "Trinkgeld", "Gutschein", "Geschenkgutschein", "Pfand", "Rabatt", "Spende",
    "frais de port", "livraison", "pourboire", "carte cadeau", "bon cadeau", "remise", "envío", "gastos de envío",
    "propina", "tarjeta regalo", "descuento", "spedizione", "mancia", "buono regalo", "sconto", "frete", "gorjeta",
    "vale presente", "desconto", "verzending", "verzendkosten", "fooi", "cadeaubon", "korting", "przesyłka", "dostawa",
    "napiwek", "karta podarunkowa", "rabat", "kargo", "bahşiş", "hediye kart\u0131", "indirim", "доставка", "чаевые",
    "подарочная карта", "скидка", "هزینه ارسال", "ارسال", "کارت هدیه", "تخفیف", "انعام", "شحن", "رسوم الشحن", "توصيل",
    "بطاقة هدية", "خصم", "送料", "ギフトカード", "运费", "礼品卡",
)  # fmt: skip


@dataclass(frozen=True)
class OddProduct:
    """A product that may be none, such as a tip.

    Attributes:
        product_id: its id.
        title: its title, where there is one.
        orders_share: share of the orders that have it.
        why: in words.
    """

    product_id: str
    title: str | None
    orders_share: float
    why: str

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON."""
        return asdict(self)


def odd_products(ledger: pl.DataFrame, catalogue: pl.DataFrame) -> list[OddProduct]:
    """The products that may be none, most orders first; none of an empty ledger.

    Args:
        ledger: schema `training.ingest.schema.LEDGER`.
        catalogue: schema `training.ingest.schema.CATALOGUE`.
    """
    orders = ledger.select(pl.struct("customer_id", "order_id").n_unique()).item() or 1
    counts = ledger.group_by("product_id").agg(pl.struct("customer_id", "order_id").n_unique().alias("orders"))
    rows = counts.join(catalogue.select("product_id", "title"), on="product_id", how="left")
    named = rows["title"].is_not_null() & (rows["title"] != rows["product_id"])
    most_have_sku = len(rows) > 0 and float(named.mean() or 0) > 0.8  # type: ignore[arg-type]
    found = [
        OddProduct(product, title, n / orders, why)
        for product, n, title in rows.sort("orders", "product_id", descending=[True, False]).iter_rows()
        if (why := _why(product, title, n, orders, only_named=most_have_sku and title == product))
    ]
    return found[:20]


def _why(product: str, title: str | None, n: int, orders: int, *, only_named: bool) -> str | None:
    if {fold(product), fold(title or "")} & _folded():
        return "is called like a line that is no product"
    if orders >= FEWEST_ORDERS and n / orders >= EVERY_ORDER:
        return "is on nearly every order"
    return "has no SKU where others have one" if only_named else None


@cache
def _folded() -> set[str]:
    return {fold(word) for word in _NO_PRODUCT}
