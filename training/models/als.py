"""Alternating least squares on implicit feedback: where `implicit` fits it, and finds the nearest.

`implicit` says user and item. What else it does is kept in here: it refuses anything but a csr_matrix, goes on from
old factors in a second fit, pads short lists with product 0 or a score of -3.4e38, and slows down many times when
BLAS has threads of its own. It only fits; the lists are made below, from the factors.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from implicit.cpu.als import AlternatingLeastSquares
from implicit.cpu.topk import topk
from implicit.recommender_base import ModelFitError
from numpy.typing import NDArray
from scipy.sparse import csr_array, csr_matrix
from threadpoolctl import threadpool_limits

from recommender.errors import SettingsError, UsageError
from recommender.settings import AlsSettings
from training.dataset.batches import batch_size
from training.dataset.ranked_lists import RankedLists, concatenate_lists, split_lists, starts_of

_BLOCK_CELLS = 4_000_000
"""Scores held at once: 16 MB of float32 stay near the processor."""
_TOPK_ROWS = 100
"""Queries that `topk` multiplies at once."""
_LARGE = 1_000_000
"""Entries from which all cores are used, and customers drawn by lot. Below, threads that wait for each other on a busy
machine take longer than one, and the draw would save a fifth of two or three seconds."""
_MOST_ENTRIES, _ENTRIES_PER_PRODUCT = 250_000, 25
"""Entries that are drawn, at least 25 a product: more hardly move the products' factors. Of 1.7 million entries of
10,000 products, that takes two fifths of the time."""
_FAINT = 0.1
"""Share of the largest strength. Customers whose purchases have all faded below it hardly move the products' factors:
leaving them out of all rounds but the last changes the lists as much as another seed does."""
_ROUNDS_OF_ALL = 2
"""Last rounds, with everybody."""
_MANY, _STEPS_OF_MANY = 100_000, 2
"""Entries from which each round goes two steps of the conjugate gradient towards its solution: a third, which small
shops can afford, changes the lists less than another seed does."""
_LARGEST_REGULARIZATION = 0.25
"""Share of the confidences' largest singular value. Regularization wipes out every taste whose singular value is
below it, so what suits a shop of thousands would leave nothing of a shop of fifty."""


@dataclass(frozen=True)
class Factors:
    """Factors of customers and products; the inner product of two rows is the predicted preference, about 0 to 1.

    Attributes:
        customers: (n_customers, f) float32.
        products: (n_products, f) float32.
        regularization: with which they were fitted.
        drawn: entries of the customers drawn by lot, who taught all rounds but the last, and of all; None: no draw.

    Rows of customers without purchases and of products without buyers are 0.
    """

    customers: NDArray[np.float32]
    products: NDArray[np.float32]
    regularization: float = 0.0
    drawn: tuple[int, int] | None = None


def fit_factors(
    matrix: csr_matrix | csr_array,
    als: AlsSettings,
    seed: int,
    advance: Callable[[int], None] = lambda _: None,
) -> Factors:
    """ALS factors: the same matrix, settings and seed give the same bytes, on any number of cores.

    Only the last two rounds see all customers. Those before see the ones with a purchase that has not faded to a tenth
    of the strongest, and of a million entries or more only those who are drawn by lot: 250,000, or 25 a product.

    Args:
        matrix: (n_customers, n_products) strengths as `training.dataset.interactions` builds them.
            Rows and columns without an entry above 0 take no part, so that they change nothing for the others.
        als: `factors`, `iterations`, `alpha` and `regularization` are read; the last is lowered for a small shop to
            a quarter of the largest singular value of alpha · matrix.
        seed: of the random start.
        advance: is called with 1 after each iteration.

    Raises:
        UsageError: the matrix holds NaN, an infinity or a negative strength.
        SettingsError: the fit diverged.
    """
    strengths = csr_matrix(matrix).astype(np.float32)
    strengths.eliminate_zeros()
    if not (np.isfinite(strengths.data) & (strengths.data >= 0)).all():
        raise UsageError("the matrix holds NaN, infinite or negative strengths; build it with build_interactions")
    known_customers = np.flatnonzero(strengths.getnnz(axis=1))
    known_products = np.flatnonzero(strengths.getnnz(axis=0))
    customers = np.zeros((strengths.shape[0], als.factors), np.float32)
    products = np.zeros((strengths.shape[1], als.factors), np.float32)
    if not len(known_customers):
        return Factors(customers, products)
    model, drawn = _fit(strengths[known_customers][:, known_products], als, seed, advance)
    customers[known_customers] = model.user_factors
    products[known_products] = model.item_factors
    return Factors(customers, products, model.regularization, drawn)


def _fit(
    user_items: csr_matrix, als: AlsSettings, seed: int, advance: Callable[[int], None]
) -> tuple[AlternatingLeastSquares, tuple[int, int] | None]:
    # the constructor warns about BLAS threads, the fit is slow with them: both belong under the limit
    with threadpool_limits(1, "blas"):
        model = AlternatingLeastSquares(
            factors=als.factors,
            iterations=als.iterations,
            regularization=min(als.regularization, _LARGEST_REGULARIZATION * als.alpha * _spectral_norm(user_items)),
            alpha=als.alpha,
            num_threads=0 if user_items.nnz >= _LARGE else 1,
            random_state=seed,
        )
        if user_items.nnz >= _MANY:
            model.cg_steps = _STEPS_OF_MANY
        try:
            strongest = np.maximum.reduceat(user_items.data, user_items.indptr[:-1])
            lively = user_items[strongest >= _FAINT * strongest.max()]
            drawn = _draw_customers(lively, seed) if user_items.nnz >= _LARGE else lively
            if drawn.nnz < user_items.nnz:
                model.iterations -= min(_ROUNDS_OF_ALL, als.iterations)
                model.fit(drawn, show_progress=False, callback=lambda *_: advance(1))
                # a second fit goes on from the products' factors; those of all customers follow from them at once
                model.user_factors = np.zeros((user_items.shape[0], als.factors), np.float32)
                model.iterations = als.iterations - model.iterations
            model.fit(user_items, show_progress=False, callback=lambda *_: advance(1))
        except ModelFitError:
            raise SettingsError(
                f"ALS diverged with als.alpha {als.alpha} and als.regularization {als.regularization}: "
                f"lower the first or raise the second"
            ) from None
    return model, (drawn.nnz, user_items.nnz) if drawn.nnz < lively.nnz else None


def _draw_customers(user_items: csr_matrix, seed: int) -> csr_matrix:
    """Rows drawn by lot, with about as many entries as are enough; all of them where there are no more."""
    enough = max(_MOST_ENTRIES, _ENTRIES_PER_PRODUCT * user_items.shape[1])
    order = np.random.default_rng(seed).permutation(user_items.shape[0])
    n = np.searchsorted(np.cumsum(np.diff(user_items.indptr)[order]), enough)
    return user_items[np.sort(order[:n])]


def _spectral_norm(matrix: csr_matrix) -> float:
    """Largest singular value by power iteration: with no negative entry, a start of ones is close after a few steps."""
    direction = np.ones(matrix.shape[1])  # float64: squares of faded strengths are still above 0
    for _ in range(5):
        direction = matrix.T @ (matrix @ direction)
        direction /= np.linalg.norm(direction)
    return float(np.linalg.norm(matrix @ direction))


def top_products(factors: Factors, rows: NDArray[np.integer], k: int, mask: csr_matrix | None = None) -> RankedLists:
    """The products with the highest predicted preference for each customer.

    Args:
        factors: as `fit_factors` returns them.
        rows: (n,) customer indices, in any order.
        k: longest list.
        mask: (n_customers, n_products); products with a stored entry are left out. None: nothing is hidden, what
            was bought before neither.

    Returns:
        n lists, ties by product_index. A list is shorter than `k` where fewer products have a predicted preference
        above 0, and empty for a customer without history: never padded.

    Raises:
        UsageError: k is below 1, a row is not a customer, or the mask has another shape.
    """
    _check_k(k)
    unknown = rows[(rows < 0) | (rows >= len(factors.customers))]
    if len(unknown):
        raise UsageError(f"customer index {unknown[0]} is outside 0 to {len(factors.customers) - 1}")
    if mask is not None and mask.shape != (len(factors.customers), len(factors.products)):
        raise UsageError(
            f"mask has shape {mask.shape}; there are {len(factors.customers)} customers and "
            f"{len(factors.products)} products"
        )
    size = batch_size(len(factors.products))
    return concatenate_lists(
        _top_of_block(
            (_fill_up(factors.customers[block], size) @ factors.products.T)[: len(block)],
            k,
            None if mask is None else mask[block],
        )
        for block in (rows[first : first + size] for first in range(0, len(rows), size))
    )


def _fill_up(queries: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """`queries` (n, f) with rows of 0 after them: BLAS rounds by the number of rows, and so always alike."""
    rows = size if size <= _TOPK_ROWS else -(-size // _TOPK_ROWS) * _TOPK_ROWS
    filled = np.zeros((rows, queries.shape[1]), np.float32)
    filled[: len(queries)] = queries
    return filled


def nearest_others(
    queries: NDArray[np.float32], items: NDArray[np.float32], hidden: csr_matrix, k: int, size: int
) -> RankedLists:
    """The `k` items with the highest inner products above 0 for each of some queries.

    Quicker than `top_products`, but ties come in any order. The list of a query is the same bytes whatever the others
    are, as long as there are no more than `size`.

    Args:
        queries: (n, f) float32, such as rows of `Factors.customers`.
        items: (n_items, f) float32.
        hidden: (n, n_items) with an entry for what is left out.
        k: longest list, at least 1.
        size: most queries of a call.

    Returns:
        n lists of indices of items.
    """
    if not len(queries) or not len(items):
        return RankedLists(np.zeros(len(queries) + 1, np.int64), np.zeros(0, np.int32), np.zeros(0, np.float32))
    index, score = topk(items, _fill_up(queries, size), k, filter_query_items=_Rows(hidden), num_threads=1)
    index, score = index[: len(queries)], score[: len(queries)]
    wanted = score > 0
    return RankedLists(starts_of(wanted.sum(axis=1)), index[wanted], score[wanted])


class _Rows:
    """The rows of a matrix as `topk` asks for them; scipy takes longer for a row than `topk` for its list."""

    def __init__(self, matrix: csr_matrix) -> None:
        self._indices = split_lists(matrix.indices, matrix.indptr.astype(np.int64))

    def __getitem__(self, row: int) -> "_Row":
        return _Row(self._indices[row] if row < len(self._indices) else _NONE)


_NONE = np.zeros(0, np.int32)


class _Row(NamedTuple):
    indices: NDArray[np.int32]


def rank_products(score: Callable[[NDArray[np.integer]], NDArray[np.float32]], n_products: int, k: int) -> RankedLists:
    """The products with the highest score for each product, the product itself left out.

    Args:
        score: products (n,) → (n, n_products) float32, which is written into.
        n_products: as many lists.
        k: longest list.

    Returns:
        A list for each product, only scores above 0, ties by product_index.

    Raises:
        UsageError: k is below 1.
    """
    _check_k(k)
    itself = csr_matrix(
        (np.ones(n_products, bool), np.arange(n_products), np.arange(n_products + 1)), shape=(n_products, n_products)
    )
    blocks = _blocks(np.arange(n_products), n_products)
    return concatenate_lists(_top_of_block(score(block), k, itself[block]) for block in blocks)


def _blocks(rows: NDArray[np.integer], n_products: int) -> Iterator[NDArray[np.integer]]:
    size = max(1, _BLOCK_CELLS // max(1, n_products))
    return (rows[first : first + size] for first in range(0, len(rows), size))


def _top_of_block(scores: NDArray[np.float32], k: int, hidden: csr_matrix | None) -> RankedLists:
    """Top k above 0 of each row of `scores` (n, n_products), which is overwritten where `hidden` has an entry."""
    if hidden is not None:
        scores[np.repeat(np.arange(len(scores)), np.diff(hidden.indptr)), hidden.indices] = -np.inf
    columns = _top_columns(scores, k)
    values = np.take_along_axis(scores, columns, axis=1)
    wanted = values > 0
    return RankedLists(starts_of(wanted.sum(axis=1)), columns[wanted].astype(np.int32), values[wanted])


def _top_columns(scores: NDArray[np.float32], k: int) -> NDArray[np.int64]:
    """(n, min(k, n_products)) columns by falling score, ties by column."""
    n_products = scores.shape[1]
    if k >= n_products:
        return np.argsort(-scores, axis=1, kind="stable")
    # one more than k, to see whether a tie crosses the end of the list
    partition = np.argpartition(scores, n_products - k - 1, axis=1)
    top = np.sort(partition[:, -k:], axis=1)
    values = np.take_along_axis(scores, top, axis=1)
    columns = np.take_along_axis(top, np.argsort(-values, axis=1, kind="stable"), axis=1)
    next_best = np.take_along_axis(scores, partition[:, [n_products - k - 1]], axis=1)
    tied = np.flatnonzero(values.min(axis=1, keepdims=True) == next_best)
    columns[tied] = np.argsort(-scores[tied], axis=1, kind="stable")[:, :k]
    return columns


def _check_k(k: int) -> None:
    if k < 1:
        raise UsageError(f"k is {k}; a list has at least 1 product")
