"""The order of the ledger: by time, customer, order, product, quantity and price."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from training.dataset.coded_ids import find_places


def sort_ledger(rows: pl.DataFrame) -> NDArray[np.int64]:
    """Positions (n,) of rows of schema `training.ingest.schema.LEDGER`, without coded ids, in the order of the ledger.

    Quantity and price settle the order of lines that nothing else tells apart. Numbers are sorted in place of texts,
    which take ten times as long, and an order id looked at only where a customer has several at one moment.
    """
    moment, customer = rows["ordered_at"].to_physical().to_numpy(), find_places(rows["customer_id"]).to_numpy()
    price = rows["unit_price"].fill_null(-np.inf).to_numpy()
    product, order = find_places(rows["product_id"]).to_numpy(), _orders_at_once(rows["order_id"], moment, customer)
    return np.lexsort((price, rows["quantity"].to_numpy(), product, order, customer, moment))


def _orders_at_once(ids: pl.Series, moment: NDArray[np.int64], customer: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Places of the order ids of customers who have several at one moment; 0 for all other rows."""
    sorted_ = np.lexsort((customer, moment))
    hashes = ids.hash().to_numpy()[sorted_]
    new, several = np.ones(len(ids), dtype=bool), np.zeros(len(ids), dtype=bool)
    new[1:] = (np.diff(moment[sorted_]) != 0) | (np.diff(customer[sorted_]) != 0)
    group = np.cumsum(new) - 1
    several[group[1:][~new[1:] & (hashes[1:] != hashes[:-1])]] = True
    rows = sorted_[several[group]]
    orders = np.zeros(len(ids), dtype=np.uint32)
    orders[rows] = find_places(ids.gather(rows)).to_numpy()
    return orders
