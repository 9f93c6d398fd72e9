import numpy as np
import pytest

from training.dataset.batches import customer_blocks, for_each_block


def test_blocks_shrink_as_the_shop_grows():
    assert [len(block) for block in customer_blocks(np.arange(1200), 10)] == [512, 512, 176]
    assert {len(block) for block in customer_blocks(np.arange(100), 200_000)} == {10}
    assert customer_blocks(np.arange(0), 0) == []


def test_results_keep_the_order_of_the_blocks():
    blocks, done = customer_blocks(np.arange(1200), 10), []
    results = list(for_each_block(lambda number, block: (number, int(block[0])), blocks, done.append))
    assert results == [(0, 0), (1, 512), (2, 1024)]
    assert done == [512, 512, 176]


def test_an_error_in_one_block_is_raised():
    def fail(number, block):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(for_each_block(fail, customer_blocks(np.arange(3), 1)))
