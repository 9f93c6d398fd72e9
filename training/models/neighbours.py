"""Nearest products: bought by the same customers, or in the same orders."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags, vstack

from training.dataset.snapshot import Snapshot

_BLOCK_CELLS = 4_000_000
"""Similarities held at once: 16 MB of float32."""
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
        scale = source_lengths[first : first + size, None] * lengths + np.float32(_SHRINKAGE)
        blocks.append(_nearest_of_block((columns[first : first + size] @ matrix).toarray() / scale, first, k))
    return vstack(blocks, format="csr") if blocks else csr_matrix(np.zeros((0, 0), dtype=np.float32))


def _nearest_of_block(similarity: NDArray[np.float32], first: int, k: int) -> csr_matrix:
    n = len(similarity)
    similarity[np.arange(n), first + np.arange(n)] = 0
    top = top_columns(similarity, k)
    values = np.take_along_axis(similarity, top, axis=1)
    nearest = csr_matrix((values.ravel(), top.ravel(), np.arange(n + 1) * top.shape[1]), shape=similarity.shape)
    nearest.eliminate_zeros()
    return nearest


def _lengths(matrix: csr_matrix) -> NDArray[np.float32]:
    lengths: NDArray[np.float32] = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=0)).ravel()).astype(np.float32)
    return lengths


def top_columns(scores: NDArray[np.float32], k: int) -> NDArray[np.int64]:
    """(n, min(k, columns)) columns of the highest scores of each row, by rising column: a set, not a ranking."""
    n_columns = scores.shape[1]
    if k >= n_columns:
        return np.broadcast_to(np.arange(n_columns), scores.shape)
    return np.sort(np.argpartition(scores, n_columns - k, axis=1)[:, n_columns - k :], axis=1)


def order_matrix(snapshot: Snapshot) -> csr_matrix:
    """(n_orders, n_products) float32: what each order held, 1 / log2(2 + n products): a large order says less."""
    lines = np.bincount(snapshot.order_index, minlength=snapshot.n_orders)
    weights = (1 / np.log2(2 + lines)).astype(np.float32)
    ones = np.ones(len(snapshot.order_index), dtype=np.float32)
    held = csr_matrix(
        (ones, (snapshot.order_index, snapshot.product_index)), shape=(snapshot.n_orders, len(snapshot.products))
    )
    return (diags(weights) @ held).tocsr() if snapshot.n_orders else held
