"""What one published version holds, and its wire form.

A version is a manifest, a row per product, its customers' profiles (`recommender.profile_blocks`) and six tables of
lists. A list is stored under its owner's id as one byte that says where it comes from (`Basis`), followed by
fixed-size little-endian records:

    RANKED  product_index int32, score float16                                             6 bytes
    OWN     the same, then last_day uint16 (days since 1970-01-01), purchases uint16,
            log_gap, log_gap_sd, return_share float16                                      16 bytes

The numpy dtypes write, the struct formats read: the service decodes a list without numpy's overhead per call.
"""

import json
import math
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from enum import IntEnum
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic_core import from_json

from recommender.fold_in import ProductFactors

if TYPE_CHECKING:
    from recommender.profile_blocks import ProfileTable

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
_RANKED_STRUCT = struct.Struct("<ie")
_OWN_STRUCT = struct.Struct("<ieHHeee")
RECORD_BYTES: dict[ListName, int] = {name: records.itemsize for name, records in RECORDS.items()}
_INDICES = {name: struct.Struct(f"<i{n - 4}x") for name, n in RECORD_BYTES.items()}
"""What reads the product_index of each record. A request reads lists with `struct`: for so few records, numpy is slower
where its code is not in the processor's cache."""


class Basis(IntEnum):
    """Where a list comes from."""

    MODEL = 0
    CATEGORY = 1
    """Too few buyers to learn from: best sellers of the same category."""
    POPULAR = 2
    """Nor a category with enough products: best sellers of the shop."""


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
_to_ranked, _to_own = partial(tuple.__new__, Ranked), partial(tuple.__new__, Own)


class Rhythm(NamedTuple):
    """How one product is bought again, over all its buyers; the fields as in `Own`."""

    log_gap: float
    log_gap_sd: float
    return_share: float


Objection = Literal["blocked", "not_valid", "out_of_stock"]
"""Why a product may not be shown; where there are several reasons, the first in this order."""
_TEXTS = ("product_id", "title", "category", "price", "url", "image_url")


@dataclass(frozen=True, slots=True)
class Product:
    """One product as an answer shows it. What the shop did not tell is None.

    `rhythm` is what the training learned: it dates the product for a customer who first buys it after that.
    """

    product_id: str
    title: str | None = None
    category: str | None = None
    price: str | None = None
    url: str | None = None
    image_url: str | None = None
    in_stock: bool = True
    rhythm: Rhythm | None = None

    @property
    def dates(self) -> list[float]:
        """When it begins and ends to be valid, in seconds since 1970, as far as it does."""
        return []

    def objection(self, now: float) -> Objection | None:  # noqa: ARG002 - the shop may say more, see `LiveProduct`
        """Why it may not be shown at a moment in seconds since 1970; None where it may."""
        return None if self.in_stock else "out_of_stock"

    def to_json(self) -> bytes:
        """Compact JSON without the fields that are None."""
        fields = {name: value for name in self.__slots__ if (value := getattr(self, name)) is not None}
        return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()

    @classmethod
    def from_json(cls, text: bytes) -> "Product":
        """The inverse of `to_json`; fields of a later release are ignored.

        Raises ValueError, TypeError or AttributeError where `text` is no product.
        """
        fields = {name: value for name, value in from_json(text).items() if name in cls.__slots__}
        if not all(isinstance(fields.get(name, ""), str) for name in _TEXTS):
            raise TypeError("a product's id, title, category, price and addresses are text")
        if rhythm := fields.get("rhythm"):
            fields["rhythm"] = Rhythm(*map(float, rhythm))
        return cls(**fields)


@dataclass(frozen=True)
class ListTable:
    """All lists of one name, in compressed rows.

    Attributes:
        owner_ids: n owners, unique.
        starts: (n + 1,) int64; owner i has records[starts[i]:starts[i + 1]], best first. Empty lists are allowed.
        records: (starts[-1],) of dtype RANKED or OWN.
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
        for i in range(first, min(last, len(self))):
            records = self.records[self.starts[i] : self.starts[i + 1]]
            yield self.owner_ids[i], bytes((self.basis[i],)) + records.tobytes()


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
        return cls("buy_again", bytes((Basis.MODEL,)) + b"".join(_OWN_STRUCT.pack(*record) for record in records))

    def reorder(self, places: Iterable[int]) -> "PublishedList":
        """The same list with the records of these places, from 0, in this order."""
        n, wire = RECORD_BYTES[self.name], self.wire
        return PublishedList(self.name, wire[:1] + b"".join([wire[1 + n * i : 1 + n + n * i] for i in places]))

    @property
    def basis(self) -> Basis:
        """Where the list comes from."""
        return Basis(self.wire[0])

    @property
    def records(self) -> list[Ranked | Own]:
        """Every record, best first."""
        return list(self)

    def __iter__(self) -> Iterator[Ranked | Own]:
        return self.own() if self.name == "buy_again" else self.ranked()

    def own(self) -> Iterator[Own]:
        """The records of a `buy_again` list."""
        return map(_to_own, _OWN_STRUCT.iter_unpack(memoryview(self.wire)[1:]))

    def ranked(self) -> Iterator[Ranked]:
        """The records of any other list."""
        return map(_to_ranked, _RANKED_STRUCT.iter_unpack(memoryview(self.wire)[1:]))

    def __len__(self) -> int:
        return len(self.wire) // RECORD_BYTES[self.name]

    def indices(self) -> frozenset[int]:
        """Every product_index on it, without the rest of the records."""
        return frozenset(index for (index,) in _INDICES[self.name].iter_unpack(memoryview(self.wire)[1:]))


@dataclass(frozen=True)
class Manifest:
    """What a version is, without its lists. Plain JSON types only."""

    version: str
    as_of: str
    """ISO-8601 UTC: the moment up to which history was known."""
    created_at: str
    counts: Mapping[str, int]
    """customers, products, orders, purchases the model learned from, and customers with a profile."""
    lists: Mapping[str, int] = field(default_factory=dict)
    """Number of lists by name: what is counted back after a publish."""
    metrics: Mapping[str, Any] = field(default_factory=dict)
    gate: Mapping[str, Any] = field(default_factory=dict)
    """verdict (`passed`, `refused`, `forced`, `skipped`) and reasons."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    """Wall time by step of the job."""
    packages: Mapping[str, str] = field(default_factory=dict)
    sources: Sequence[str] = ()

    def to_dict(self) -> dict[str, Any]:
        """The fields as plain JSON types."""
        return asdict(self)

    def to_json(self) -> str:
        """Indented JSON with sorted keys: the same manifest gives the same bytes."""
        return json.dumps(asdict(self), ensure_ascii=False, indent=2, sort_keys=True)

    @classmethod
    def from_json(cls, text: str | bytes) -> "Manifest":
        """The inverse of `to_json`; fields of a later release are ignored."""
        known = cls.__dataclass_fields__
        return cls(**{key: value for key, value in json.loads(text).items() if key in known})


@dataclass(frozen=True)
class Publication:
    """One version, ready to be written.

    Attributes:
        manifest: what it is.
        products: every product by product_index.
        tables: a table for each of LIST_NAMES. `similar` and `together` have every product as an owner, so that a
            missing owner means an unknown product; `popular` and `trending` have WHOLE_SHOP and each category.
        factors: with which workers fold in new customers; None leaves them without.
        profiles: of every customer; None in a version of an earlier release.
    """

    manifest: Manifest
    products: Sequence[Product]
    tables: Mapping[ListName, ListTable]
    factors: ProductFactors | None = None
    profiles: "ProfileTable | None" = None


def name_version(as_of: datetime, fingerprint: str) -> str:
    """`20261120T020000Z-3f2a`: sorts by as_of; `fingerprint` (4 hex digits) tells trainings of one moment apart."""
    return f"{as_of.astimezone(UTC):%Y%m%dT%H%M%SZ}-{fingerprint}"


def version_as_of(version: str) -> datetime:
    """The moment up to which a version's history was known, UTC, from its name."""
    return datetime.strptime(version.split("-", maxsplit=1)[0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


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
    indices = _INDICES["discover"].iter_unpack(memoryview(wire)[1:])
    records = b"".join(_RANKED_STRUCT.pack(index, math.nan) for (index,) in indices)
    return PublishedList("discover", bytes((Basis.MODEL,)) + records)
