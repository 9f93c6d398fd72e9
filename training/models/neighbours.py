"""Nearest products: bought by the same customers, or in the same orders."""

from itertools import pairwise, starmap

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, vstack

from training.dataset.snapshot import Snapshot

_BLOCK_CELLS = 4_000_000
"""Products times products of one block: at most 32 MB of similarities with their columns."""
_SHRINKAGE = 10.0


def nearest_products(matrix: csr_matrix, k: int, sources: csr_matrix | None = None) -> csr_matrix:
    """The `k` nearest columns of each column, by shrunken cosine.

        similarity(a, b) = a · b / (|a| |b| + 10)

    The shrinkage keeps two products that met once from being the same (Bell, Koren 2007, KDD Cup and Workshop).

    Args:
        matrix: (n, n_products) float32, at least 0: customers or orders by products; b is a column of it.
        k: longest list.
        sources: of the same shape; a is a column of it. None: of `matrix`.

    Returns:
        (n_products, n_products) csr_matrix of float32: row a holds the similarities of its neighbours, itself left
        out. Rows are shorter, or empty, where fewer products ever met it.
    """
    sources = matrix if sources is None else sources
    lengths, columns = _lengths(matrix), sources.T.tocsr()
    source_lengths = _lengths(sources)
    size = max(1, _BLOCK_CELLS // max(1, matrix.shape[1]))
    blocks = []
    for first in range(0, matrix.shape[1], size):
        similarity = columns[first : first + size] @ matrix
        row = first + rows_of(similarity)
        similarity.data /= source_lengths[row] * lengths[similarity.indices] + np.float32(_SHRINKAGE)
        similarity.data[similarity.indices == row] = 0
        blocks.append(highest_of_rows(similarity, k))
    return vstack(blocks, format="csr") if blocks else csr_matrix(np.zeros((0, 0), dtype=np.float32))


def highest_of_rows(matrix: csr_matrix, k: int) -> csr_matrix:
    """The `k` highest entries above 0 of each row, by rising column; among equals, those stored first."""
    kept = matrix.data > 0
    for entries in starmap(slice, pairwise(matrix.indptr.tolist())):
        if entries.stop - entries.start > k:
            kept[entries] &= are_highest(matrix.data[entries], k)
    starts = np.concatenate([[0], np.cumsum(kept)])[matrix.indptr]
    highest = csr_matrix((matrix.data[kept], matrix.indices[kept], starts), shape=matrix.shape)
    highest.sort_indices()
    return highest


def are_highest(values: NDArray[np.float32], k: int) -> NDArray[np.bool_]:
    """Which of more than `k` values (n,) are the `k` highest; among equals the first."""
    least = np.partition(values, len(values) - k)[len(values) - k]
    chosen: NDArray[np.bool_] = values > least
    chosen[np.flatnonzero(values == least)[: k - np.count_nonzero(chosen)]] = True
    return chosen


def rows_of(matrix: csr_matrix) -> NDArray[np.int64]:
    """(nnz,) the row of each entry."""
    return np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))


def _lengths(matrix: csr_matrix) -> NDArray[np.float32]:
    lengths: NDArray[np.float32] = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=0)).ravel()).astype(np.float32)
    return lengths


def order_matrix(snapshot: Snapshot) -> csr_matrix:
    """(n_orders, n_products) float32: what each order held, 1 / log2(2 + n products): a large order says less."""
    lines = np.bincount(snapshot.order_index, minlength=snapshot.n_orders)
    weights = (1 / np.log2(2 + lines)).astype(np.float32)[snapshot.order_index]
    shape = (snapshot.n_orders, len(snapshot.products))
    return csr_matrix((weights, (snapshot.order_index, snapshot.product_index)), shape=shape)
