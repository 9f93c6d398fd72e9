"""Fingerprints of past windows: of all purchases and products that the examples of a window depend on."""

import hashlib
from datetime import datetime
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

_ROWS = 1_000_000
"""Lines whose ids are texts at a time."""

_Hashes = NDArray[np.uint64]


class Fingerprints:
    """The fingerprints of a ledger's windows.

    Neither the order of the lines counts, nor how ids are coded, nor what was bought or came into the catalogue after
    the window.
    """

    def __init__(self, ledger: pl.DataFrame, catalogue: pl.DataFrame) -> None:
        """Of a ledger with coded ids and its catalogue, of which ids, titles and categories count."""
        self._ledger, self._catalogue = ledger, catalogue

    def of(self, cut: datetime, end: datetime) -> str:
        """16 hex digits: of the purchases before `end`, and of the products sold before `cut`; both are midnights."""
        (when, lines), (first_sold, products) = self._lines, self._products
        parts = (cut.isoformat(), *_sums(lines[when < _micros(end)]), *_sums(products[first_sold < _micros(cut)]))
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]

    @cached_property
    def _lines(self) -> tuple[NDArray[np.int64], _Hashes]:
        """Moment and hash of each line."""
        day = pl.col("ordered_at").dt.date()
        # ids of orders say which lines belong together, and which order of a day is the later one
        order = pl.col("order_id").rank("dense").over("customer_id", day)
        texts = pl.col("customer_id", "product_id").cast(pl.String)
        runs = self._ledger.with_columns(order).iter_slices(_ROWS)
        hashes = [run.with_columns(texts).hash_rows().to_numpy() for run in runs]
        return self._ledger["ordered_at"].dt.epoch("us").to_numpy(), np.concatenate([np.zeros(0, np.uint64), *hashes])

    @cached_property
    def _products(self) -> tuple[NDArray[np.int64], _Hashes]:
        """Moment of the first purchase and hash of each product that was ever sold."""
        first = self._ledger.group_by(pl.col("product_id").cast(pl.String)).agg(pl.col("ordered_at").min())
        sold = self._catalogue.select("product_id", "title", "category").join(first, on="product_id")
        return sold["ordered_at"].dt.epoch("us").to_numpy(), sold.drop("ordered_at").hash_rows().to_numpy()


def _sums(hashes: _Hashes) -> tuple[Any, ...]:
    """Number, sum and sum of squares modulo 2^64: the same in any order."""
    return len(hashes), int(hashes.sum()), int((hashes * hashes).sum())


def _micros(moment: datetime) -> int:
    return round(moment.timestamp() * 1_000_000)
