"""Looking up pairs: one number for a customer and a product, and a binary search among sorted numbers."""

import numpy as np

from training.dataset.pair_history import Ints


def find_keys(keys: Ints, wanted: Ints) -> Ints:
    """(n_wanted,) position of each wanted key in `keys`, which rise; -1 where it is not there."""
    if not len(keys):
        return np.full(len(wanted), -1, dtype=np.int64)
    position = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[position] == wanted, position, -1)
