import numpy as np
import pytest

from training.dataset.batches import customer_batches, for_each_batch


def test_blocks_shrink_as_the_shop_grows():
    assert [len(block) for block in customer_batches(np.arange(1200), 10)] == [512, 512, 176]
    assert {len(block) for block in customer_batches(np.arange(100), 800_000)} == {10}
    assert customer_batches(np.arange(0), 0) == []


def test_results_keep_the_order_of_the_blocks():
    blocks, done = customer_batches(np.arange(1200), 10), []
    results = list(for_each_batch(lambda number, block: (number, int(block[0])), blocks, done.append))
    assert results == [(0, 0), (1, 512), (2, 1024)]
    assert done == [512, 512, 176]


def test_an_error_in_one_block_is_raised():
    def fail(number, block):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(for_each_batch(fail, customer_batches(np.arange(3), 1)))
