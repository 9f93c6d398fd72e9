"""A made-up grocery shop, written as a purchase file and a product file: for the demo, the tests and the examples."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
from numpy.random import Generator

from recommender.errors import UsageError
from training.demo.assortment import FEWEST_PRODUCTS, MOST_PRODUCTS, ShopProduct, make_products, pick_needs
from training.demo.purchases import Lines, Shop, draw_households, simulate
from training.frame_files import write_frame

DAYS_PER_MONTH = 30.4
REFUNDED = 0.012
ON_OFFER = 0.08
OFFER = 0.8
"""Price on offer, as a share of the usual one."""
FIRST_PRICE = 0.96
"""Price on the first day, as a share of that on the last."""


@dataclass(frozen=True)
class ShopFiles:
    """The files of the made-up shop."""

    purchases: Path
    products: Path


def make_shop(
    folder: Path,
    *,
    customers: int = 2000,
    products: int = 600,
    months: int = 18,
    end: date,
    seed: int,
    site: str = "https://shop.example",
) -> ShopFiles:
    """Write `purchases.csv` and `products.csv` into `folder`; the same arguments give the same bytes.

    Args:
        folder: created where it is absent.
        customers: how many; each has at least one order.
        products: how many; about a sixth as many needs, and a few products that nobody buys.
        months: length of the history.
        end: the day after the last purchase, UTC.
        seed: of all randomness.
        site: address of the shop, which those of its products begin with.

    Raises:
        UsageError: a number is out of range.
        HomeError: a file cannot be written.
    """
    _check(customers, products, months)
    rng = np.random.default_rng(seed)
    needs, days = pick_needs(products), round(months * DAYS_PER_MONTH)
    shop = Shop(needs, make_products(needs, products), end - timedelta(days=days), days)
    lines = simulate(shop, draw_households(customers, days, rng), rng)
    files = ShopFiles(folder / "purchases.csv", folder / "products.csv")
    _write(_purchases_frame(lines, shop, rng), files.purchases)
    _write(_products_frame(shop.cache, site, rng), files.products)
    return files


def _check(customers: int, products: int, months: int) -> None:
    if customers < 1 or months < 1:
        raise UsageError(f"a shop of {customers} customers and {months} months has no history; ask for at least 1")
    if not FEWEST_PRODUCTS <= products <= MOST_PRODUCTS:
        raise UsageError(f"{products} products cannot be made up; ask for {FEWEST_PRODUCTS} to {MOST_PRODUCTS}")


def _purchases_frame(lines: Lines, shop: Shop, rng: Generator) -> pl.DataFrame:
    """The lines as a purchase file has them, by time."""
    n = len(lines.product)
    order = np.stack([lines.minute, lines.household])
    starts_order = np.r_[True, (order[:, 1:] != order[:, :-1]).any(axis=0)]
    share_of_price = FIRST_PRICE + (1 - FIRST_PRICE) * lines.minute / (shop.days * 1440)
    on_offer = np.where(rng.random(n) < ON_OFFER, OFFER, 1.0)
    usual_price = np.array([product.price for product in shop.cache])[lines.product]
    ordered_at = np.datetime64(shop.start, "s") + lines.minute.astype("timedelta64[m]")
    return pl.DataFrame(
        {
            "customer_id": [f"C{household + 1:05d}" for household in lines.household.tolist()],
            "product_id": [shop.cache[product].product_id for product in lines.product.tolist()],
            "ordered_at": [f"{moment}Z" for moment in ordered_at],
            "order_id": [str(number) for number in (100_000 + starts_order.cumsum()).tolist()],
            # now and then one more than what ran out
            "quantity": lines.quantity + (rng.random(n) < 0.06),
            "unit_price": (usual_price * share_of_price * on_offer).round(2),
            "currency": ["EUR"] * n,
            "status": np.where(rng.random(n) < REFUNDED, "refunded", "completed").tolist(),
        }
    )


def _products_frame(cache: Sequence[ShopProduct], site: str, rng: Generator) -> pl.DataFrame:
    """The product file, by product_id: 1 in 40 is out of stock, 1 in 10 does not say whether it is bought again."""
    silent = rng.random(len(cache)) < 0.1
    rows = [
        {
            "product_id": product.product_id,
            "title": product.title,
            "category": product.category,
            "price": f"{product.price:.2f}",
            "currency": "EUR",
            "url": f"{site}/p/{product.product_id.lower()}",
            "image_url": f"{site}/i/{product.product_id.lower()}.svg",
            "replenishable": None if quiet else not product.durable,
        }
        for product, quiet in zip(cache, silent, strict=True)
    ]
    in_stock = rng.permutation(len(cache)) >= max(1, len(cache) // 40)
    return pl.DataFrame(rows).with_columns(in_stock=pl.Series(in_stock)).sort("product_id")


def _write(frame: pl.DataFrame, path: Path) -> None:
    with write_frame(path) as file:
        frame.write_csv(file, float_precision=2)
