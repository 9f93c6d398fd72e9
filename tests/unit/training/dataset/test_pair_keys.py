import numpy as np

from training.dataset.pair_keys import find_keys, unique_keys


def test_positions_of_known_keys_and_minus_one_for_the_others():
    assert find_keys(np.array([2, 5, 9]), np.array([9, 2, 3, 10, -1])).tolist() == [2, 0, -1, -1, -1]


def test_nothing_is_known():
    assert find_keys(np.zeros(0, np.int64), np.array([1, 2])).tolist() == [-1, -1]


def test_each_key_is_left_once_and_they_rise():
    assert unique_keys(np.array([7, 3, 7, 5, 3])).tolist() == [3, 5, 7]
    assert unique_keys(np.zeros(0, np.int64)).tolist() == []
