"""Baskets in order, folds of their customers, and what of them may be known."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

Baskets = Mapping[str, Sequence[Sequence[int]]]
"""Customer → baskets in order of time, each a list of product numbers without repeats."""
Lists = Sequence[Sequence[int]]
"""Products for each customer asked, best first."""

KS = (10, 20)
"""Lengths of the lists that are judged."""


@dataclass(frozen=True)
class Fold:
    """One split of the customers, by id."""

    train: Sequence[str]
    val: Sequence[str]
    test: Sequence[str]


@dataclass(frozen=True)
class Problem:
    """All that may be known, and who is to get a list of max(KS) products.

    Attributes:
        known: the baskets of every customer; the last one is in it for those of `train` only.
        train: customers whose last basket may be learned from.
        asked: customers whose last basket is to be foretold.
        n_products: product numbers are below it.
    """

    known: Baskets
    train: Sequence[str]
    asked: Sequence[str]
    n_products: int


def read_baskets(folder: Path) -> Baskets:
    """`baskets.json`."""
    baskets: Baskets = json.loads((folder / "baskets.json").read_text())
    return baskets


def read_folds(folder: Path) -> list[Fold]:
    """Every `fold_*.json`, by name."""
    files = (json.loads(file.read_text()) for file in sorted(folder.glob("fold_*.json")))
    return [Fold(each["train"], each["val"], each["test"]) for each in files]


def pose(baskets: Baskets, fold: Fold, asked: Sequence[str]) -> Problem:
    """Hide the last basket of everybody outside `fold.train`, and ask for those of `asked`."""
    train = set(fold.train)
    known = {each: of_one if each in train else of_one[:-1] for each, of_one in baskets.items()}
    n_products = 1 + max(item for of_one in baskets.values() for basket in of_one for item in basket)
    return Problem(known, fold.train, asked, n_products)
