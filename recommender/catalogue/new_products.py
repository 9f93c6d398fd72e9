"""Products that the shop has set and no training has seen.

They stand behind the best sellers of their category and of the shop; their own neighbours are what sells there.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from heapq import nlargest
from typing import NamedTuple

import numpy as np

from recommender.publication.lists import RANKED, WHOLE_SHOP, Basis, ListKey, PublishedList

MOST_NEW = 50
"""New products behind the best sellers of a category, and of the whole shop."""
_NEIGHBOURS = frozenset({"similar", "together"})
_Lists = Mapping[ListKey, PublishedList | None]


class NewProduct(NamedTuple):
    """One new product. `number` grows with every change in the shop; `listed` if there is something to show and buy."""

    number: int
    category: str | None
    listed: bool


@dataclass(frozen=True, eq=False)
class NewProducts:
    """All of them at one moment, by product id. On lists they have negative indices."""

    known: Mapping[str, NewProduct] = field(default_factory=dict)

    def change(self, gone: Iterable[str], come: Mapping[str, NewProduct]) -> "NewProducts":
        """These without `gone` and with `come`; the very same where that is nothing."""
        left = self.known.keys() & gone
        if not left and not come:
            return self
        return NewProducts({one: known for one, known in self.known.items() if one not in left} | dict(come))

    def at(self, product_index: int) -> str:
        """The product id of an index below 0. Raises LookupError."""
        return self._ids[~product_index]

    def index(self, product_id: str) -> int | None:
        """The index, below 0; None where it is none of these."""
        return self._indices.get(product_id)

    def keys_behind(self, keys: Iterable[ListKey]) -> list[ListKey]:
        """The lists that stand in for those of `keys` that no training has made."""
        if not self.known:
            return []
        new = [self.known[key.owner_id] for key in keys if self._is_new(key)]
        owners = dict.fromkeys(owner for one in new for owner in (one.category, WHOLE_SHOP) if owner is not None)
        return [ListKey("popular", owner) for owner in owners]

    def complete(self, lists: _Lists) -> _Lists:
        """Lists with the new products on them, and those of the new products, from lists of `keys_behind`."""
        return {key: self._complete(key, found, lists) for key, found in lists.items()} if self.known else lists

    def _complete(self, key: ListKey, found: PublishedList | None, lists: _Lists) -> PublishedList | None:
        if key.name == "popular":
            return self._with_newest(key.owner_id, found)
        return self._neighbours(key, lists) if found is None and self._is_new(key) else found

    def _is_new(self, key: ListKey) -> bool:
        return key.name in _NEIGHBOURS and key.owner_id in self.known

    def _with_newest(self, owner: str, published: PublishedList | None) -> PublishedList | None:
        behind = self._behind.get(owner)
        if behind is None:
            return published
        return PublishedList("popular", (bytes((Basis.MODEL,)) if published is None else published.wire) + behind)

    def _neighbours(self, key: ListKey, lists: _Lists) -> PublishedList:
        """The best sellers of its category, or where there are none of the shop, without the product itself."""
        category, own = self.known[key.owner_id].category, self._indices.get(key.owner_id)
        for basis, owner in ((Basis.CATEGORY, category), (Basis.POPULAR, WHOLE_SHOP)):
            found = None if owner is None else self._with_newest(owner, lists.get(ListKey("popular", owner)))
            others = [] if found is None else [place for place, one in enumerate(found) if one.product_index != own]
            if found is not None and others:
                return PublishedList(key.name, bytes((basis,)) + found.reorder(others).wire[1:])
        return PublishedList(key.name, bytes((Basis.POPULAR,)))

    @cached_property
    def _newest(self) -> dict[str, list[str]]:
        """Those to show by category and in the whole shop, what was set last first."""
        found: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
        for product_id, one in self.known.items():
            if one.listed:
                for owner in {WHOLE_SHOP, one.category or WHOLE_SHOP}:
                    found[owner].append((one.number, product_id))
        return {owner: [product_id for _, product_id in nlargest(MOST_NEW, those)] for owner, those in found.items()}

    @cached_property
    def _ids(self) -> list[str]:
        return list(self.known)

    @cached_property
    def _indices(self) -> dict[str, int]:
        return {product_id: ~place for place, product_id in enumerate(self._ids)}

    @cached_property
    def _behind(self) -> dict[str, bytes]:
        """The records that go behind a `popular` list, by its owner."""
        return {
            owner: np.array([(self._indices[product_id], math.nan) for product_id in ids], dtype=RANKED).tobytes()
            for owner, ids in self._newest.items()
        }
