"""What one published version holds, its wire form, and the name of every Redis key.

A version is a manifest, a row per product and six tables of lists. A list is stored under its owner's id as one
byte that says where it comes from (`Basis`), followed by fixed-size little-endian records:

    RANKED  product_index int32, score float16                                             6 bytes
    OWN     the same, then last_day uint16 (days since 1970-01-01), purchases uint16,
            log_gap, log_gap_sd, return_share float16                                      16 bytes

The numpy dtypes write, the struct formats read: the service decodes a list without numpy's overhead per call.
"""

import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

ListName = Literal["similar", "together", "buy_again", "discover", "popular", "trending"]
LIST_NAMES: tuple[ListName, ...] = ("similar", "together", "buy_again", "discover", "popular", "trending")
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


@dataclass(frozen=True, slots=True)
class Product:
    """One product as an answer shows it. What the shop did not tell is None."""

    product_id: str
    title: str | None = None
    category: str | None = None
    price: str | None = None
    url: str | None = None
    image_url: str | None = None
    in_stock: bool = True

    def to_json(self) -> bytes:
        """Compact JSON without the fields that are None."""
        fields = {name: value for name in self.__slots__ if (value := getattr(self, name)) is not None}
        return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()

    @classmethod
    def from_json(cls, text: bytes) -> "Product":
        """The inverse of `to_json`; fields of a later release are ignored."""
        return cls(**{name: value for name, value in json.loads(text).items() if name in cls.__slots__})


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


class DecodedList(NamedTuple):
    """One list as read back."""

    basis: Basis
    records: Sequence[Ranked | Own]


def decode(name: ListName, wire: bytes) -> DecodedList:
    """The inverse of `ListTable.encode` for one list."""
    view = memoryview(wire)[1:]
    if name == "buy_again":
        return DecodedList(Basis(wire[0]), [Own(*record) for record in _OWN_STRUCT.iter_unpack(view)])
    return DecodedList(Basis(wire[0]), [Ranked(*record) for record in _RANKED_STRUCT.iter_unpack(view)])


@dataclass(frozen=True)
class Manifest:
    """What a version is, without its lists. Plain JSON types only."""

    version: str
    as_of: str
    """ISO-8601 UTC: the moment up to which history was known."""
    created_at: str
    counts: Mapping[str, int]
    """customers, products, orders, purchases the model learned from."""
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
    """

    manifest: Manifest
    products: Sequence[Product]
    tables: Mapping[ListName, ListTable]


def name_version(as_of: datetime, fingerprint: str) -> str:
    """`20261120T020000Z-3f2a`: sorts by as_of; `fingerprint` (4 hex digits) tells trainings of one moment apart."""
    return f"{as_of.astimezone(UTC):%Y%m%dT%H%M%SZ}-{fingerprint}"


def version_as_of(version: str) -> datetime:
    """The moment up to which a version's history was known, UTC, from its name."""
    return datetime.strptime(version.split("-", maxsplit=1)[0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


API_KEYS = "reprise:api-keys"
"""Hash: key id → API key, of all shops."""


@dataclass(frozen=True)
class Keys:
    """Every Redis key of one shop. The braces put them all in one cluster slot."""

    shop: str

    @property
    def _prefix(self) -> str:
        return f"reprise:{{{self.shop}}}"

    @property
    def current(self) -> str:
        """String: the version that answers."""
        return f"{self._prefix}:current"

    @property
    def versions(self) -> str:
        """Hash: version → `writing` or `ready`."""
        return f"{self._prefix}:versions"

    @property
    def publishing(self) -> str:
        """String with a TTL: held by the one publish at work."""
        return f"{self._prefix}:publishing"

    @property
    def placements(self) -> str:
        """Hash: name → a placement that was set while the service runs."""
        return f"{self._prefix}:placements"

    def version(self, version: str, part: str) -> str:
        """One part of a version: `manifest` (string), `products` (hash by index) or a list name (hash by owner)."""
        return f"{self._prefix}:v:{version}:{part}"
