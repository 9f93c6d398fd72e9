"""Due board: which customers will want which of their products on which of the coming days."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommender.publication.insights import (
    DUE_DAYS,
    MOST_CATEGORIES,
    MOST_DUE_CUSTOMERS,
    MOST_DUE_LINES,
    DueLine,
)
from recommender.publication.lists import ListTable
from recommender.publication.product import Product

SOON_DAYS = (7, 14, 30)
_LONGEST_LOG_GAP = float(np.log(36_525))
_MOST_LOOKED_AT = 100 * MOST_DUE_CUSTOMERS
"""Likeliest pairs, by which the board is full even where each of its customers has a hundred of them."""
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class DueBoard:
    """The due board of a version.

    Attributes:
        document: `days`, `pairs` (of a customer and a product that is due in them), `customers` with such a pair,
            `categories` by falling number and `counts`: for each of them the pairs of each day. Products without a
            category, and those of further categories, are under "".
        lines: customer_id → DueLines; the customers whose likeliest line is likeliest.
        by_product: (3, n_products) customers to whom a product is due within SOON_DAYS.
    """

    document: dict[str, Any]
    lines: Mapping[str, Sequence[DueLine]]
    by_product: Ints


def build_due_board(buy_again: ListTable, products: Sequence[Product], today: int) -> DueBoard:
    """The due board of the day `today`, days since 1970-01-01.

    Args:
        buy_again: customers' own products with their rhythms.
        products: by product_index.
        today: the first of the DUE_DAYS days.
    """
    records = buy_again.records
    gap = np.round(np.exp(np.minimum(records["log_gap"].astype(np.float64), _LONGEST_LOG_GAP)))
    ahead = records["last_day"].astype(np.int64) + np.nan_to_num(gap).astype(np.int64) - today
    owners = np.repeat(np.arange(len(buy_again)), np.diff(buy_again.starts))
    due = np.flatnonzero((ahead >= 0) & (ahead < DUE_DAYS))
    index, days = records["product_index"][due].astype(np.int64), ahead[due]
    by_product = np.stack([np.bincount(index[days < most], minlength=len(products)) for most in SOON_DAYS])
    names, counts = _count_categories(index, days, products)
    document = {
        "days": DUE_DAYS,
        "pairs": len(due),
        "customers": int(np.count_nonzero(np.bincount(owners[due]))),
        "categories": names,
        "counts": counts,
    }
    chance = np.nan_to_num(records["score"][due].astype(np.float64))
    order = np.lexsort((index, owners[due], -chance))[:_MOST_LOOKED_AT]
    found = (
        (buy_again.owner_ids[owners[due[i]]], DueLine(products[index[i]].product_id, int(days[i]), _chance(chance[i])))
        for i in order
    )
    return DueBoard(document, _likeliest(found), by_product)


def _count_categories(index: Ints, days: Ints, products: Sequence[Product]) -> tuple[list[str], list[list[int]]]:
    category = np.array([one.category or "" for one in products], dtype=object)[index] if len(index) else np.array([])
    known, sizes = np.unique(category.astype(str), return_counts=True)
    order = np.lexsort((known, -sizes))
    most = [str(known[i]) for i in order if known[i]][:MOST_CATEGORIES]
    grouped = np.where(np.isin(category.astype(str), most), category.astype(str), "")
    names = most + [""] * bool((grouped == "").any())
    return names, [np.bincount(days[grouped == name], minlength=DUE_DAYS).tolist() for name in names]


def _likeliest(found: Iterable[tuple[str, DueLine]]) -> dict[str, list[DueLine]]:
    """Of lines with their customers, likeliest first, those that the board holds, in that order."""
    lines: dict[str, list[DueLine]] = {}
    for customer_id, line in found:
        known = lines.get(customer_id)
        if known is None and len(lines) < MOST_DUE_CUSTOMERS:
            lines[customer_id] = [line]
        elif known is not None and len(known) < MOST_DUE_LINES:
            known.append(line)
    return lines


def _chance(probability: float) -> float:
    return round(float(probability), 4)
