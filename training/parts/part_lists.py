"""Lists of a part as a frame, a row for each customer, and back as the tables of a version."""

from collections.abc import Iterable, Sequence
from contextlib import ExitStack, nullcontext
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recommender.data_dir import home_errors, make_folder
from recommender.publication.lists import RECORDS, Basis, ListName, ListTable
from recommender.publication.mapped_records import map_records

PERSONAL_LISTS: tuple[ListName, ...] = ("buy_again", "discover")
LISTS = pl.Schema({"customer_id": pl.String} | dict.fromkeys(PERSONAL_LISTS, pl.Binary))
"""customer_id, and the records of each list (`recommender.publication.lists.RECORDS`), one after the other."""


def pack_lists(tables: Sequence[ListTable]) -> pl.DataFrame:
    """The frame of tables of PERSONAL_LISTS, in their order, which have the same owners; their bases are lost."""
    packed = [_cut(table) for table in tables]
    return pl.DataFrame([list(tables[0].owner_ids), *packed], schema=LISTS)


def join_lists(parts: Iterable[pl.DataFrame], folder: Path | None = None) -> dict[ListName, ListTable]:
    """The tables of the frames of all parts, in order; every list comes from the model.

    Args:
        parts: may be made one after the other.
        folder: in which the records are kept in files without a name while they are needed; None: in memory.

    Raises:
        HomeError: a file cannot be written.
    """
    owners: list[str] = []
    lengths: dict[ListName, list[NDArray[np.int64]]] = {name: [np.zeros(1, np.int64)] for name in PERSONAL_LISTS}
    with home_errors(f"write lists to {folder}") if folder else nullcontext(), ExitStack() as stack:
        files = {name: stack.enter_context(_open(folder)) for name in PERSONAL_LISTS}
        for part in parts:
            owners.extend(part["customer_id"])
            for name, file in files.items():
                lengths[name].append(part[name].bin.size().to_numpy() // RECORDS[name].itemsize)
                file.writelines(part[name])
        records = {name: _map(file, RECORDS[name]) for name, file in files.items()}
    basis = np.full(len(owners), Basis.MODEL, np.uint8)
    starts = {name: np.cumsum(np.concatenate(each), dtype=np.int64) for name, each in lengths.items()}
    return {name: ListTable(tuple(owners), starts[name], records[name], basis) for name in PERSONAL_LISTS}


def _open(folder: Path | None) -> IO[bytes]:
    return BytesIO() if folder is None else TemporaryFile(dir=make_folder(folder))


def _map(file: IO[bytes], dtype: np.dtype[np.void]) -> NDArray[np.void]:
    if isinstance(file, BytesIO):
        return np.frombuffer(file.getvalue(), dtype)
    file.flush()
    return map_records(file, dtype, 0, file.tell() // dtype.itemsize)


def _cut(table: ListTable) -> list[bytes]:
    size, records = table.records.dtype.itemsize, table.records.tobytes()
    return [records[first:last] for first, last in pairwise((table.starts * size).tolist())]
