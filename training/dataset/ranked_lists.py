"""Ranked lists of uneven length, as arrays, and the table they are published as."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from recommender.publication.lists import RANKED, Basis, ListTable

_Value = TypeVar("_Value", bound=np.generic)
_LARGEST_FLOAT16 = float(np.finfo(np.float16).max)


class RankedLists(NamedTuple):
    """n lists of products, best first, one after the other.

    Attributes:
        starts: (n + 1,) int64; list i is [starts[i]:starts[i + 1]] of the arrays below. Lists may be empty.
        product_index: (starts[-1],) int32.
        score: (starts[-1],) float32, falling within a list.
    """

    starts: NDArray[np.int64]
    product_index: NDArray[np.int32]
    score: NDArray[np.float32]

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Number of products in each list, (n,)."""
        return np.diff(self.starts)


def starts_of(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Start of each of n lists, and the end of the last, (n + 1,) int64."""
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


def split_lists(values: NDArray[_Value], starts: NDArray[np.int64]) -> list[NDArray[_Value]]:
    """One view of `values` for each list."""
    return [values[first:last] for first, last in pairwise(starts.tolist())]


def owners_of(starts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number of the list of each record, (starts[-1],) int64."""
    return np.repeat(np.arange(len(starts) - 1), np.diff(starts))


def concatenate_lists(parts: Iterable[RankedLists]) -> RankedLists:
    """The lists of all parts in order; no parts give no lists."""
    parts = list(parts)
    return RankedLists(
        starts_of(np.concatenate([np.zeros(0, np.int64), *(part.lengths for part in parts)])),
        np.concatenate([np.zeros(0, np.int32), *(part.product_index for part in parts)]),
        np.concatenate([np.zeros(0, np.float32), *(part.score for part in parts)]),
    )


def spread_lists(lists: RankedLists, rows: NDArray[np.integer], n: int) -> RankedLists:
    """`n` lists: those of `lists` at `rows`, which rise, and empty ones elsewhere."""
    lengths = np.zeros(n, np.int64)
    lengths[rows] = lists.lengths
    return lists._replace(starts=starts_of(lengths))


def build_table(owner_ids: Sequence[str], lists: RankedLists, basis: NDArray[np.uint8] | None = None) -> ListTable:
    """A table of RANKED records.

    Args:
        owner_ids: n owners.
        lists: n lists; scores beyond float16 are cut at its ends.
        basis: (n,) uint8; None: all of them come from the model.
    """
    records = np.zeros(len(lists.product_index), dtype=RANKED)
    records["product_index"] = lists.product_index
    records["score"] = np.clip(lists.score, -_LARGEST_FLOAT16, _LARGEST_FLOAT16)
    if basis is None:
        basis = np.full(len(owner_ids), Basis.MODEL, dtype=np.uint8)
    return ListTable(owner_ids, lists.starts, records, basis)
