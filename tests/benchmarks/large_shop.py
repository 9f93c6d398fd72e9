"""A made-up shop of any size: `python tests/benchmarks/large_shop.py --lines 3000000 FOLDER`.

Products sell by a power law, with trends and seasons; each customer has a few products that come back in a rhythm of
their own, and tries others, mostly of the same category. Customers join over time, and most stop some day. It is
written in parts of whole customers, so that memory does not grow with the shop.
"""

import argparse
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
from numpy.random import Generator
from numpy.typing import NDArray

DAYS = 730
FIRST_DAY = datetime(2024, 1, 1, tzinfo=UTC)
SIZES = {
    300_000: (10_000, 3_000),
    3_000_000: (100_000, 10_000),
    10_000_000: (300_000, 30_000),
    30_000_000: (1_000_000, 100_000),
}
"""Lines → customers and products, about."""
_CUSTOMERS_A_PART = 20_000
_PRODUCTS_A_CATEGORY = 50


class Assortment:
    """The products of the shop: how much each sells on average, and when."""

    def __init__(self, n_products: int, lot: Generator) -> None:
        self.n_categories = max(1, n_products // _PRODUCTS_A_CATEGORY)
        self.category = lot.integers(self.n_categories, size=n_products)
        self.weight = (1 + lot.permutation(n_products)) ** -0.8
        self.gap_days = np.exp(lot.normal(3.4, 0.6, n_products))  # median a month
        self.price = np.round(np.exp(lot.normal(2, 0.8, n_products)), 2)
        self.born = np.where(lot.random(n_products) < 0.2, lot.integers(DAYS, size=n_products), 0)
        self.season = lot.random(n_products)
        self.swing = np.where(lot.random(n_products) < 0.3, 0.8, 0.0)
        by_category = np.argsort(self.category, kind="stable")
        self._members = np.split(by_category, np.cumsum(np.bincount(self.category, minlength=self.n_categories))[:-1])
        self._members_weight = [self.weight[each] / self.weight[each].sum() for each in self._members if len(each)]
        self._members = [each for each in self._members if len(each)]
        self.category_weight = np.array([self.weight[each].sum() for each in self._members])
        self.category_weight /= self.category_weight.sum()

    def draw(self, n: int, lot: Generator) -> NDArray[np.int64]:
        """(n,) products of categories drawn by what they sell."""
        drawn = np.zeros(n, dtype=np.int64)
        category = lot.choice(len(self._members), n, p=self.category_weight)
        for one in np.unique(category):
            rows = np.flatnonzero(category == one)
            drawn[rows] = lot.choice(self._members[one], len(rows), p=self._members_weight[one])
        return drawn

    def is_sold(self, product: NDArray[np.int64], day: NDArray[np.int64], lot: Generator) -> NDArray[np.bool_]:
        """Whether each purchase that was thought of happens: none before its birth, some by season."""
        season = 1 + self.swing[product] * np.cos(2 * np.pi * (day / 365 - self.season[product]))
        return (day >= self.born[product]) & (lot.random(len(day)) * 1.8 < season)


def make_parts(lines: int, n_customers: int, n_products: int, seed: int) -> Iterator[pl.DataFrame]:
    """The purchases, in parts of whole customers: customer_id, product_id, ordered_at, order_id, quantity, unit_price,
    category; about `lines` in all.
    """
    shop = Assortment(n_products, np.random.default_rng(seed))
    for number, first in enumerate(range(0, n_customers, _CUSTOMERS_A_PART)):
        lot = np.random.default_rng([seed, number])
        customers = np.arange(first, min(first + _CUSTOMERS_A_PART, n_customers))
        yield _part(shop, customers, lines / n_customers, lot)


def _part(shop: Assortment, customers: NDArray[np.int64], lines_each: float, lot: Generator) -> pl.DataFrame:
    joined = lot.integers(DAYS - 30, size=len(customers))
    left = np.minimum(DAYS, joined + lot.exponential(400, len(customers)) + 1)
    eager = lot.gamma(1.2, lines_each / 1.2, len(customers)) * 1.7
    own = np.repeat(np.arange(len(customers)), 1 + lot.poisson(3, len(customers)))
    favourite = shop.draw(len(own), lot)
    repeats = np.minimum(60, ((left - joined)[own] / shop.gap_days[favourite]).astype(np.int64) + 1)
    who, product = np.repeat(own, repeats), np.repeat(favourite, repeats)
    step = np.arange(len(who)) - np.repeat(np.cumsum(repeats) - repeats, repeats)
    jitter = np.exp(lot.normal(0, 0.25, len(who)))
    day = (joined[who] + lot.random(len(own)).repeat(repeats) * 20 + step * shop.gap_days[product] * jitter).astype(
        np.int64
    )
    tried = np.repeat(
        np.arange(len(customers)), lot.poisson(np.maximum(eager - np.bincount(own, repeats, len(customers)), 1))
    )
    tries = shop.draw(len(tried), lot)
    tried_on = (joined[tried] + lot.random(len(tried)) * (left - joined)[tried]).astype(np.int64)
    who, product, day = np.concatenate([who, tried]), np.concatenate([product, tries]), np.concatenate([day, tried_on])
    day -= day % (1 + lot.integers(6, size=len(customers)))[who]  # lines meet in orders
    happens = (day < DAYS) & (day >= 0) & shop.is_sold(product, day, lot)
    who, product, day = who[happens], product[happens], day[happens]
    return pl.DataFrame(
        {
            "customer_id": pl.Series(customers[who]).cast(pl.String),
            "product_id": pl.Series(product).cast(pl.String),
            "ordered_at": pl.Series(FIRST_DAY.timestamp() * 1e6 + (day * 86_400 + 36_000) * 1e6)
            .cast(pl.Int64)
            .cast(pl.Datetime("us", "UTC")),
            "order_id": pl.Series(customers[who]).cast(pl.String) + "-" + pl.Series(day).cast(pl.String),
            "quantity": 1 + lot.poisson(0.3, len(who)),
            "unit_price": shop.price[product],
            "category": pl.Series(shop.category[product]).cast(pl.String),
        }
    ).sort("customer_id", "ordered_at")


def main() -> None:
    """Write the shop's purchases as Parquet files of one folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--lines", type=int, choices=SIZES, default=300_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True)
    for number, part in enumerate(make_parts(arguments.lines, *SIZES[arguments.lines], arguments.seed)):
        part.write_parquet(arguments.folder / f"{number:03}.parquet", row_group_size=131_072)


if __name__ == "__main__":
    main()
