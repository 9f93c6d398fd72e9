"""Title words: products with like titles are similar before any customer has bought both."""

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
from scipy.sparse import csr_matrix

from training.writing.scripts import fold_letters

_WORD = re.compile(r"[^\W\d_]{3,}")
_MOST_COMMON = 0.2
"""A word in a larger share of the titles tells nothing."""


def title_matrix(titles: Sequence[str | None]) -> csr_matrix:
    """The words of each title by their rarity.

    A word of three letters or more weighs ln(n / titles that have it); words of a single title or of more than a
    fifth of them are left out. Letters that are written in two ways, such as Arabic and Persian ی, are one. Rows have
    length 1, or 0 without such a word (tf-idf as in Manning, Raghavan, Schütze 2008, Introduction to Information
    Retrieval, ch. 6, with a word counted once).

    Returns:
        (n_products, n_words) csr_matrix of float32, words in alphabetical order.
    """
    words = [sorted(set(_WORD.findall(fold_letters(title)))) if title else [] for title in titles]
    counts = Counter(word for each in words for word in each)
    most = min(max(2, _MOST_COMMON * len(titles)), len(titles) - 1)  # a word of all titles tells nothing apart
    vocabulary = {word: i for i, word in enumerate(sorted(word for word, n in counts.items() if 2 <= n <= most))}
    kept = [[vocabulary[word] for word in each if word in vocabulary] for each in words]
    row = np.repeat(np.arange(len(kept)), [len(each) for each in kept])
    column = np.array([index for each in kept for index in each], dtype=np.int64)
    rarity = np.log(max(1, len(titles)) / np.array([counts[word] for word in vocabulary], dtype=np.float64))
    squares = np.bincount(row, weights=rarity[column] ** 2, minlength=len(kept))
    values = (rarity[column] / np.sqrt(squares[row])).astype(np.float32)
    return csr_matrix((values, (row, column)), shape=(len(kept), len(vocabulary)))
