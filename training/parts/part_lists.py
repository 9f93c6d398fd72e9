"""Lists of a part as a frame, a row for each customer, and back as the tables of a version."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
import polars as pl

from recommender.publication.lists import RECORDS, Basis, ListName, ListTable

PERSONAL_LISTS: tuple[ListName, ...] = ("buy_again", "discover")
LISTS = pl.Schema({"customer_id": pl.String} | dict.fromkeys(PERSONAL_LISTS, pl.Binary))
"""customer_id, and the records of each list (`recommender.publication.lists.RECORDS`), one after the other."""


def pack_lists(tables: Sequence[ListTable]) -> pl.DataFrame:
    """The frame of tables of PERSONAL_LISTS, in their order, which have the same owners; their bases are lost."""
    packed = [_cut(table) for table in tables]
    return pl.DataFrame([list(tables[0].owner_ids), *packed], schema=LISTS)


def unpack_lists(parts: Iterable[pl.DataFrame]) -> dict[ListName, ListTable]:
    """The tables of the frames of all parts, in order; every list comes from the model."""
    lists = pl.concat([LISTS.to_frame(), *parts])
    owners = tuple(lists["customer_id"])
    return {name: _join(name, lists[name], owners) for name in PERSONAL_LISTS}


def _cut(table: ListTable) -> list[bytes]:
    size, records = table.records.dtype.itemsize, table.records.tobytes()
    return [records[first:last] for first, last in pairwise((table.starts * size).tolist())]


def _join(name: ListName, lists: pl.Series, owners: Sequence[str]) -> ListTable:
    starts = np.zeros(len(lists) + 1, np.int64)
    np.cumsum(lists.bin.size().to_numpy() // RECORDS[name].itemsize, out=starts[1:])
    records = np.frombuffer(b"".join(lists), RECORDS[name])
    return ListTable(owners, starts, records, np.full(len(owners), Basis.MODEL, np.uint8))
