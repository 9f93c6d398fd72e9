"""What one published version holds, and its wire form.

A version is a manifest, a row per product, its customers' profiles (`recommender.publication.profile_blocks`) and six
tables of lists. A list is stored under its owner's id as one byte that says where it comes from (`Basis`), followed by
fixed-size little-endian records:

    RANKED  product_index int32, score float16                                             6 bytes
    OWN     the same, then last_day uint16 (days since 1970-01-01), purchases uint16,
            log_gap, log_gap_sd, return_share float16                                      16 bytes

The numpy dtypes write, the struct formats read: the service decodes a list without numpy's overhead per call.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from recommender.publication.factors import ProductFactors
from recommender.publication.insights import Insights
from recommender.publication.lists import ListName, ListTable
from recommender.publication.product import Product

if TYPE_CHECKING:
    from recommender.publication.profile_blocks import ProfileTable


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
        insights: about the shop; None in a version of an earlier release.
    """

    manifest: Manifest
    products: Sequence[Product]
    tables: Mapping[ListName, ListTable]
    factors: ProductFactors | None = None
    profiles: "ProfileTable | None" = None
    insights: Insights | None = None


def name_version(as_of: datetime, fingerprint: str) -> str:
    """`20261120T020000Z-3f2a`: sorts by as_of; `fingerprint` (4 hex digits) tells trainings of one moment apart."""
    return f"{as_of.astimezone(UTC):%Y%m%dT%H%M%SZ}-{fingerprint}"


def version_as_of(version: str) -> datetime:
    """The moment up to which a version's history was known, UTC, from its name."""
    return datetime.strptime(version.split("-", maxsplit=1)[0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
