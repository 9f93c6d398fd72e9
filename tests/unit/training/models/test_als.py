import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.sparse import csr_array, csr_matrix, hstack, random_array, vstack
from threadpoolctl import threadpool_info

from recommender.errors import SettingsError, UsageError
from recommender.settings import AlsSettings
from training.dataset.ranked_lists import split_lists
from training.models import als as als_module
from training.models.als import Factors, fit_factors, rank_products, top_products

ALS = AlsSettings(factors=4, iterations=10, regularization=0.1, alpha=5.0)


def checkerboard(n: int = 6) -> csr_matrix:
    """Customers and products of even and odd number; each customer bought its own parity but for its own number."""
    parity = np.arange(n) % 2
    return csr_matrix(((parity[:, None] == parity[None]) & ~np.eye(n, dtype=bool)).astype(np.float32))


def lists_of(ranked) -> list[list[int]]:
    return [each.tolist() for each in split_lists(ranked.product_index, ranked.starts)]


def factors_of(customers, products) -> Factors:
    return Factors(np.array(customers, np.float32), np.array(products, np.float32))


def same(one: Factors, other: Factors) -> bool:
    return one.customers.tobytes() == other.customers.tobytes() and one.products.tobytes() == other.products.tobytes()


# what implicit does that the wrapper does not


def test_a_csr_array_gives_the_same_as_a_csr_matrix():
    assert same(fit_factors(csr_array(checkerboard()), ALS, 0), fit_factors(checkerboard(), ALS, 0))


def test_a_second_fit_starts_anew():
    first = fit_factors(checkerboard(), ALS, 0)
    fit_factors(checkerboard(8), ALS, 0)
    assert same(first, fit_factors(checkerboard(), ALS, 0))


def test_threads_give_the_same_bytes(monkeypatch):
    matrix = csr_matrix(random_array((300, 200), density=0.05, rng=np.random.default_rng(0), dtype=np.float32))
    alone = fit_factors(matrix, ALS, 0)
    monkeypatch.setattr(als_module, "_LARGE", 0)
    assert same(alone, fit_factors(matrix, ALS, 0))


def test_bought_products_are_not_hidden_unless_asked():
    matrix = checkerboard()
    factors, everyone = fit_factors(matrix, ALS, 0), np.arange(6)
    shown = lists_of(top_products(factors, everyone, 3))
    assert all(
        sorted(products) == [customer % 2, customer % 2 + 2, customer % 2 + 4]
        for customer, products in enumerate(shown)
    )
    hidden = lists_of(top_products(factors, everyone, 1, mask=matrix))
    assert hidden == [[customer] for customer in range(6)]


def test_more_products_than_there_are_is_not_padded():
    factors = factors_of([[1, 0]], [[3, 0], [1, 0], [2, 0]])
    ranked = top_products(factors, np.array([0]), 10)
    assert lists_of(ranked) == [[0, 2, 1]]
    assert ranked.score.tolist() == [3, 2, 1]


def test_hidden_products_do_not_come_back_at_the_end():
    factors = factors_of([[1, 0]], [[3, 0], [1, 0], [2, 0]])
    ranked = top_products(factors, np.array([0]), 3, mask=csr_matrix([[1, 0, 1]]))
    assert (lists_of(ranked), ranked.score.tolist()) == ([[1]], [1])


def test_everything_hidden_is_an_empty_list():
    factors = factors_of([[1, 0]], [[3, 0], [1, 0]])
    assert lists_of(top_products(factors, np.array([0]), 2, mask=csr_matrix([[1, 1]]))) == [[]]


def test_a_mask_entry_of_zero_hides_too():
    """A purchase so old that its strength has faded to 0 was a purchase."""
    mask = csr_matrix((np.zeros(1, np.float32), [0], [0, 1]), shape=(1, 2))
    assert lists_of(top_products(factors_of([[1]], [[3], [1]]), np.array([0]), 2, mask=mask)) == [[1]]


def test_a_customer_without_history_gets_an_empty_list():
    matrix = csr_matrix(np.vstack([checkerboard().toarray(), np.zeros(6)]))
    factors = fit_factors(matrix, ALS, 0)
    assert not factors.customers[6].any()
    assert lists_of(top_products(factors, np.array([6]), 3)) == [[]]


@pytest.mark.parametrize("row", [-1, 6, 1_000_000])
def test_a_row_that_is_no_customer_is_our_own_error(row):
    factors = fit_factors(checkerboard(), ALS, 0)
    with pytest.raises(UsageError, match=rf"customer index {row} is outside 0 to 5"):
        top_products(factors, np.array([0, row]), 3)


@pytest.mark.parametrize("k", [0, -1])
def test_k_below_one_is_our_own_error(k):
    factors = fit_factors(checkerboard(), ALS, 0)
    with pytest.raises(UsageError, match=f"k is {k}"):
        top_products(factors, np.array([0]), k)
    with pytest.raises(UsageError, match=f"k is {k}"):
        rank_products(lambda products: np.zeros((len(products), 6), np.float32), 6, k)


def test_a_mask_of_another_shape_is_our_own_error():
    with pytest.raises(UsageError, match=r"mask has shape \(1, 3\)"):
        top_products(factors_of([[1]], [[1], [2]]), np.array([0]), 1, mask=csr_matrix((1, 3)))


def test_blas_has_one_thread_while_fitting_and_its_own_number_after():
    seen = []

    def blas_threads() -> set[int]:
        return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}

    before = blas_threads()
    fit_factors(checkerboard(), ALS, 0, advance=lambda _: seen.append(blas_threads()))
    assert seen == [{1}] * ALS.iterations
    assert blas_threads() == before


def test_no_warning_where_blas_is_left_with_its_threads():
    script = (
        "import numpy as np; from training.models.als import fit_factors; from recommender.settings import AlsSettings;"
        "fit_factors(np.eye(3), AlsSettings(factors=2), 0)"
    )
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "2"}
    command = [sys.executable, "-W", "error::RuntimeWarning", "-c", script]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


# fitting


def test_each_customer_is_led_to_the_product_of_its_taste_that_is_missing():
    matrix = checkerboard(12)
    ranked = top_products(fit_factors(matrix, ALS, 0), np.arange(12), 1, mask=matrix)
    assert lists_of(ranked) == [[customer] for customer in range(12)]


def test_of_many_customers_some_teach_the_first_rounds_and_all_get_their_factors(monkeypatch):
    """Product 6 is bought by the last customer alone, beside product 0, whoever is drawn."""
    last = csr_matrix(np.array([[1, 0, 0, 0, 0, 0, 1]], np.float32))
    many = vstack([checkerboard()] * 40, format="csr")
    matrix = vstack([hstack([many, csr_matrix((240, 1), dtype=np.float32)]), last], format="csr")
    monkeypatch.setattr(als_module, "_LARGE", 100)
    monkeypatch.setattr(als_module, "_MOST_ENTRIES", 60)
    monkeypatch.setattr(als_module, "_ENTRIES_PER_PRODUCT", 2)
    als, done = ALS.model_copy(update={"factors": 2}), []
    factors = fit_factors(matrix, als, 0, done.append)
    assert lists_of(top_products(factors, np.arange(240), 1, mask=matrix)) == [[i % 6] for i in range(240)]
    assert np.linalg.norm(factors.products[6]) > 0
    assert sum(done) == als.iterations
    drawn, entries = factors.drawn
    assert (50 < drawn <= 60, entries) == (True, matrix.nnz)
    assert same(factors, fit_factors(matrix, als, 0))


def test_no_lot_is_drawn_in_a_small_shop(monkeypatch):
    monkeypatch.setattr(als_module, "_MOST_ENTRIES", 1)
    monkeypatch.setattr(als_module, "_ENTRIES_PER_PRODUCT", 1)
    assert fit_factors(checkerboard(), ALS, 0).drawn is None
    everybody = fit_factors(checkerboard(), ALS, 0)
    monkeypatch.undo()
    assert same(everybody, fit_factors(checkerboard(), ALS, 0))


def test_a_customer_who_faded_hardly_moves_the_others_and_gets_its_factors():
    """Product 6 is bought by the last customer alone, beside product 0, long ago."""
    faded = csr_matrix(np.array([[0.05, 0, 0, 0, 0, 0, 0.05]], np.float32))
    others = hstack([vstack([checkerboard()] * 40), csr_matrix((240, 1), dtype=np.float32)])
    matrix = vstack([others, faded], format="csr")
    factors = fit_factors(matrix, ALS, 0)
    assert lists_of(top_products(factors, np.arange(240), 1, mask=matrix)) == [[i % 6] for i in range(240)]
    assert np.linalg.norm(factors.customers[240]) > 0
    assert factors.customers[240] @ factors.products[6] > 0


@pytest.mark.parametrize("iterations", [1, 2, 3])
def test_few_rounds_of_many_customers(monkeypatch, iterations):
    monkeypatch.setattr(als_module, "_LARGE", 1)
    monkeypatch.setattr(als_module, "_MOST_ENTRIES", 1)
    monkeypatch.setattr(als_module, "_ENTRIES_PER_PRODUCT", 1)
    done = []
    factors = fit_factors(checkerboard(), ALS.model_copy(update={"iterations": iterations}), 0, done.append)
    assert sum(done) == iterations
    assert np.isfinite(factors.products).all()


def test_regularization_made_for_a_large_shop_leaves_a_small_one_its_tastes():
    matrix = checkerboard(12)
    factors = fit_factors(matrix, ALS.model_copy(update={"regularization": 1_000.0}), 0)
    assert lists_of(top_products(factors, np.arange(12), 1, mask=matrix)) == [[customer] for customer in range(12)]


def test_the_seed_decides_the_start():
    assert not same(fit_factors(checkerboard(), ALS, 0), fit_factors(checkerboard(), ALS, 1))


def test_a_product_nobody_bought_changes_nothing_for_the_others():
    wide = csr_matrix(np.insert(checkerboard().toarray(), 2, 0, axis=1))
    factors = fit_factors(wide, ALS, 0)
    assert not factors.products[2].any()
    assert same(Factors(factors.customers, np.delete(factors.products, 2, axis=0)), fit_factors(checkerboard(), ALS, 0))


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0), (3, 3)])
def test_an_empty_matrix_gives_zeros_and_empty_lists(shape):
    factors = fit_factors(csr_matrix(shape, dtype=np.float32), ALS, 0)
    assert (factors.customers.shape, factors.products.shape) == ((shape[0], 4), (shape[1], 4))
    assert not factors.customers.any()
    assert lists_of(top_products(factors, np.arange(shape[0]), 3)) == [[]] * shape[0]


def test_one_customer_alone():
    factors = fit_factors(csr_matrix(np.array([[1, 1, 0]], np.float32)), ALS, 0)
    assert np.isfinite(factors.customers).all()
    assert sorted(lists_of(top_products(factors, np.array([0]), 3))[0]) == [0, 1]


@pytest.mark.parametrize("value", [np.nan, np.inf, -1.0])
def test_a_strength_that_cannot_be_is_refused(value):
    matrix = checkerboard()
    matrix.data[3] = value
    with pytest.raises(UsageError, match="NaN, infinite or negative"):
        fit_factors(matrix, ALS, 0)


def test_a_fit_that_diverges_names_the_settings():
    with pytest.raises(SettingsError, match=r"als\.alpha 1e\+38"):
        fit_factors(checkerboard(), ALS.model_copy(update={"alpha": 1e38}), 0)


def test_progress_is_told_each_iteration():
    told = []
    fit_factors(checkerboard(), ALS, 0, advance=told.append)
    assert told == [1] * ALS.iterations


# lists


@pytest.mark.parametrize("k", [1, 2, 3, 5, 6])
def test_ties_go_to_the_smaller_product_index(k):
    factors = factors_of([[1]], [[1], [2], [1], [2], [1], [1]])
    assert lists_of(top_products(factors, np.array([0]), k)) == [[1, 3, 0, 2, 4, 5][:k]]


def test_rows_may_come_in_any_order_and_twice():
    factors = factors_of([[1, 0], [0, 1]], [[1, 0], [0, 1]])
    assert lists_of(top_products(factors, np.array([1, 0, 1]), 1)) == [[1], [0], [1]]


@pytest.mark.parametrize("block_cells", [1, 10, 1_000])
def test_products_are_ranked_by_a_score_above_zero_without_the_product_itself(block_cells, monkeypatch):
    monkeypatch.setattr(als_module, "_BLOCK_CELLS", block_cells)
    scores = np.array([[9, 1, 2, 2], [1, 9, 0, -1], [0, 0, 9, 0], [3, 2, 1, 9]], np.float32)
    ranked = rank_products(lambda products: scores[products], 4, 2)
    assert lists_of(ranked) == [[2, 3], [0], [], [0, 1]]
    assert ranked.score.tolist() == [2, 2, 1, 3, 2]


small = st.integers(-3, 3).map(float)


@given(
    customers=arrays(np.float32, (5, 2), elements=small),
    products=arrays(np.float32, st.tuples(st.integers(1, 30), st.just(2)), elements=small),
    k=st.integers(1, 40),
    block_cells=st.integers(1, 100),
    data=st.data(),
)
def test_top_products_is_what_sorting_everything_gives(customers, products, k, block_cells, data):
    """Small whole numbers make ties the rule."""
    mask = data.draw(arrays(np.bool_, (5, len(products))))
    expected = []
    for row, hidden in zip(customers @ products.T, mask, strict=True):
        best = sorted((-score, index) for index, score in enumerate(row.tolist()) if score > 0 and not hidden[index])
        expected.append([index for _, index in best[:k]])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(als_module, "_BLOCK_CELLS", block_cells)
        ranked = top_products(Factors(customers, products), np.arange(5), k, mask=csr_matrix(mask))
    assert lists_of(ranked) == expected
