"""Ranked lists and their wire form.

A list is stored under its owner's id as one byte that says where it comes from (`Basis`), followed by fixed-size
little-endian records:

    RANKED  product_index int32, score float16                                             6 bytes
    OWN     the same, then last_day uint16 (days since 1970-01-01), purchases uint16,
            log_gap, log_gap_sd, return_share float16                                      16 bytes

The numpy dtypes write, the struct formats read: the service decodes a list without numpy's overhead per call.
"""

import math
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import partial
from itertools import pairwise
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from recommender.publication.mapped_records import release

ListName = Literal["similar", "together", "buy_again", "discover", "popular", "trending"]
LIST_NAMES: tuple[ListName, ...] = ("similar", "together", "buy_again", "discover", "popular", "trending")
PERSONAL: frozenset[ListName] = frozenset({"buy_again", "discover"})
"""Lists whose owner is a customer."""
WHOLE_SHOP = ""
"""Owner of the `popular` and `trending` lists over all categories; the other owners are category names."""
RANKED = np.dtype([("product_index", "<i4"), ("score", "<f2")])
OWN = np.dtype(
    [
        *RANKED.descr,
        ("last_day", "<u2"),
        ("purchases", "<u2"),
        ("log_gap", "<f2"),
        ("log_gap_sd", "<f2"),
        ("return_share", "<f2"),
    ]
)
RECORDS: dict[ListName, np.dtype[np.void]] = {name: OWN if name == "buy_again" else RANKED for name in LIST_NAMES}
_RUN = 20_000
"""Owners whose lists are in memory at a time, where they stand in a file."""
_RANKED_STRUCT = struct.Struct("<ie")
_OWN_STRUCT = struct.Struct("<ieHHeee")
RECORD_BYTES: dict[ListName, int] = {name: records.itemsize for name, records in RECORDS.items()}
"""A request reads lists with `struct`: for so few records, numpy is slower where its code is not in the processor's
cache."""


class Basis(IntEnum):
    """Where a list comes from."""

    MODEL = 0
    CATEGORY = 1
    """Too few buyers to learn from: best sellers of the same category."""
    POPULAR = 2
    """Nor a category with enough products: best sellers of the shop."""


_BASES = tuple(Basis)


class ListKey(NamedTuple):
    """Which list: its name and its owner (a product, a customer, a category or WHOLE_SHOP)."""

    name: ListName
    owner_id: str


class Ranked(NamedTuple):
    """One record of a list of products. `score` is a probability in `discover`; NaN where none was learned."""

    product_index: int
    score: float


class Own(NamedTuple):
    """One product that a customer bought before, with what is known of its rhythm.

    `score` is the probability of buying it again within the horizon, NaN where none was learned. The gap to the
    next purchase is log-normal: `log_gap` and `log_gap_sd` are mean and standard deviation of the natural
    logarithm of days. `return_share` is the share of buyers who buy the product again.
    """

    product_index: int
    score: float
    last_day: int
    purchases: int
    log_gap: float
    log_gap_sd: float
    return_share: float


# as `_make`, which is written in Python and looks at the length again
_to_ranked, own_of = partial(tuple.__new__, Ranked), partial(tuple.__new__, Own)


def to_own(row: bytes) -> Own:
    """One record of a `buy_again` list from its wire form."""
    return own_of(_OWN_STRUCT.unpack(row))


def to_row(own: Own) -> bytes:
    """The inverse of `to_own`."""
    return _OWN_STRUCT.pack(*own)


@dataclass(frozen=True)
class ListTable:
    """All lists of one name, in compressed rows.

    Attributes:
        owner_ids: n owners, unique.
        starts: (n + 1,) int64; owner i has records[starts[i]:starts[i + 1]], best first. Empty lists are allowed.
        records: (starts[-1],) of dtype RANKED or OWN; may be mapped (`recommender.publication.mapped_records`).
        basis: (n,) uint8, a `Basis` each.
    """

    owner_ids: Sequence[str]
    starts: NDArray[np.int64]
    records: NDArray[np.void]
    basis: NDArray[np.uint8]

    def __post_init__(self) -> None:
        n = len(self.owner_ids)
        if self.starts.shape != (n + 1,) or self.basis.shape != (n,) or len(self.records) != self.starts[-1]:
            raise ValueError(
                f"a table of {n} owners has starts {self.starts.shape}, basis {self.basis.shape} "
                f"and {len(self.records)} records"
            )

    def __len__(self) -> int:
        return len(self.owner_ids)

    def encode(self, first: int, last: int) -> Iterator[tuple[str, bytes]]:
        """Owner and wire form of the lists from `first` up to, not including, `last`."""
        for start in range(first, min(last, len(self)), _RUN):
            owners = slice(start, min(start + _RUN, last))
            starts = self.starts[start : owners.stop + 1]
            wire, basis = self.records[starts[0] : starts[-1]].tobytes(), self.basis[owners].tobytes()
            cuts = pairwise(((starts - starts[0]) * self.records.itemsize).tolist())
            for i, (owner_id, (begin, end)) in enumerate(zip(self.owner_ids[owners], cuts, strict=True)):
                yield owner_id, basis[i : i + 1] + wire[begin:end]
            release(self.records)

    def runs(self) -> "Iterator[ListTable]":
        """The same lists, some thousand owners at a time."""
        for first in range(0, len(self), _RUN):
            starts = self.starts[first : first + _RUN + 1]
            records = self.records[starts[0] : starts[-1]]
            owners, basis = self.owner_ids[first : first + _RUN], self.basis[first : first + _RUN]
            yield ListTable(owners, starts - starts[0], records, basis)
            release(self.records)


@dataclass(frozen=True, slots=True)
class PublishedList:
    """One list as it was read back: its wire form, decoded only as far as somebody looks at it.

    A slate is full long before a list ends, and the wire form is a tenth of the size of the records.
    """

    name: ListName
    wire: bytes

    @classmethod
    def of_own(cls, records: Iterable[Own]) -> "PublishedList":
        """A `buy_again` list as if it were published."""
        return cls.of_rows(map(to_row, records))

    @classmethod
    def of_rows(cls, rows: Iterable[bytes]) -> "PublishedList":
        """A `buy_again` list of records in their wire form."""
        return cls("buy_again", bytes((Basis.MODEL,)) + b"".join(rows))

    def rows(self) -> tuple[bytes, ...]:
        """The wire form of each record."""
        return struct.unpack("x" + f"{RECORD_BYTES[self.name]}s" * len(self), self.wire)

    def reorder(self, places: Iterable[int]) -> "PublishedList":
        """The same list with the records of these places, from 0, in this order."""
        rows = self.rows()
        return PublishedList(self.name, self.wire[:1] + b"".join([rows[place] for place in places]))

    @property
    def basis(self) -> Basis:
        """Where the list comes from. Raises IndexError where it does not say."""
        return _BASES[self.wire[0]]

    @property
    def records(self) -> list[Ranked | Own]:
        """Every record, best first."""
        return list(self)

    def __iter__(self) -> Iterator[Ranked | Own]:
        records = memoryview(self.wire)[1:]
        if self.name == "buy_again":
            return map(own_of, _OWN_STRUCT.iter_unpack(records))
        return map(_to_ranked, _RANKED_STRUCT.iter_unpack(records))

    def __len__(self) -> int:
        return len(self.wire) // RECORD_BYTES[self.name]

    def own_at(self, place: int) -> Own:
        """The record at a place, from 0, of a `buy_again` list."""
        return own_of(_OWN_STRUCT.unpack_from(self.wire, 1 + _OWN_STRUCT.size * place))

    def indices(self) -> tuple[int, ...]:
        """The product_index of each record, without the rest of it."""
        return struct.unpack("<x" + f"i{RECORD_BYTES[self.name] - 4}x" * len(self), self.wire)

    def scores(self) -> tuple[float, ...]:
        """The score of each record, without the rest of it."""
        return struct.unpack("<x" + f"4xe{RECORD_BYTES[self.name] - 6}x" * len(self), self.wire)


def fold(version: str, wire: bytes) -> bytes:
    """The `folded` list of a customer: its indices mean something in `version` only."""
    return version.encode() + b"\n" + wire


def unfold(folded: bytes, version: str) -> PublishedList | None:
    """The list that was folded in; None where it is of another version, or is none.

    Its scores are NaN: a predicted preference is no probability.
    """
    folded_for, _, wire = folded.partition(b"\n")
    if folded_for != version.encode() or len(wire) % RANKED.itemsize != 1:
        return None
    records = b"".join(_RANKED_STRUCT.pack(index, math.nan) for index in PublishedList("discover", wire).indices())
    return PublishedList("discover", bytes((Basis.MODEL,)) + records)
