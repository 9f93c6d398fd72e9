"""The frozen map between a shop's own ids and dense indices."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray


class IdMap:
    """Ids in a fixed order; the position of an id is its index. Unique, checked once, never changed."""

    def __init__(self, ids: Iterable[str]) -> None:
        """Raises ValueError on a repeated id."""
        self._ids = tuple(ids)
        self._index = {id_: index for index, id_ in enumerate(self._ids)}
        if len(self._index) != len(self._ids):
            raise ValueError(f"{len(self._ids) - len(self._index)} ids are repeated")

    def __len__(self) -> int:
        return len(self._ids)

    def __iter__(self) -> Iterator[str]:
        return iter(self._ids)

    def __contains__(self, id_: object) -> bool:
        return id_ in self._index

    def __getitem__(self, index: int) -> str:
        return self._ids[index]

    @property
    def ids(self) -> tuple[str, ...]:
        """All ids by index."""
        return self._ids

    def rows(self, ids: Iterable[str]) -> NDArray[np.int64]:
        """Indices of those of `ids` that are known, each once, rising."""
        return np.array(sorted({self._index[id_] for id_ in ids if id_ in self._index}), dtype=np.int64)

    def indices(self, ids: Sequence[str], *, unknown: Literal["raise", "drop", "mark"]) -> NDArray[np.int32]:
        """Indices of `ids`, int32.

        Args:
            ids: what to look up, in any order, repeats allowed.
            unknown: `raise` KeyError, `drop` (the result is shorter), or `mark` with -1.
        """
        if unknown == "raise":
            found = [self._index[id_] for id_ in ids]
        elif unknown == "drop":
            found = [self._index[id_] for id_ in ids if id_ in self._index]
        else:
            found = [self._index.get(id_, -1) for id_ in ids]
        return np.array(found, dtype=np.int32)
