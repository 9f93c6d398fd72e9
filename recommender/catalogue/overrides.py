"""Product overrides that the shop sets while the service runs: stock, price, a block, a product that is new.

An override wins over every version until it is set anew or removed.
"""

import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from sys import intern
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from pydantic_core import from_json

from recommender.catalogue.catalogue import Catalogue
from recommender.catalogue.new_products import NewProduct, NewProducts
from recommender.publication.product import ADDRESSES, Objection, Product
from recommender.web_address import shop_address

OVERRIDE_FIELDS = (
    "in_stock", "price", "currency", "title", "category", "url", "image_url", "blocked", "valid_from", "valid_until"
)  # fmt: skip
"""Fields of a product that may be overridden."""
MOST_OVERRIDDEN = 1_000_000
"""Products of one shop that may be overridden: every worker keeps the overrides of all shops."""
_SHORT = 48
"""Records up to so many bytes are not worth packing."""
_WINDOW = 4_096
_PACKED = b"\0"
"""Begins a packed record; no JSON begins so."""


@dataclass(frozen=True, slots=True)
class OverriddenProduct(Product):
    """A product with overrides; `in_stock` only where it may be shown whatever the moment.

    Else `objection` decides: `blocked` ones are never shown, others while they are `stocked`, from `valid_from` on and
    before `valid_until`, in seconds since 1970. `new` ones no training has seen.
    """

    stocked: bool = True
    blocked: bool = False
    valid_from: float | None = None
    valid_until: float | None = None
    new: bool = False

    @property
    def dates(self) -> list[float]:
        """See `Product.dates`."""
        return [date for date in (self.valid_from, self.valid_until) if date is not None]

    def objection(self, now: float) -> Objection | None:
        """See `Product.objection`."""
        if self.blocked:
            return "blocked"
        begun = self.valid_from is None or self.valid_from <= now
        if not begun or (self.valid_until is not None and self.valid_until <= now):
            return "not_valid"
        return None if self.stocked else "out_of_stock"


class ProductChange(NamedTuple):
    """One thing to say of a product: all there is, some fields (None takes one back), or nothing any more.

    `fields` are of LIVE_FIELDS, as JSON has them; moments are ISO-8601 with their zone.
    """

    product_id: str
    how: Literal["put", "patch", "delete"]
    fields: Mapping[str, Any] = MappingProxyType({})

    def to_json(self) -> bytes:
        """The fields as compact JSON; None only in a patch."""
        said = {name: value for name, value in self.fields.items() if value is not None or self.how == "patch"}
        return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")


class Record(NamedTuple):
    """The overrides of a product: JSON, None for none any more. `number` grows with every change in the shop."""

    product_id: str
    number: int
    text: bytes | None
    trained: bool


@dataclass(frozen=True, eq=False)
class ProductOverrides:
    """All product overrides at one moment. Never changed: `change` makes another one.

    Attributes:
        records: JSON by product id, packed; read it with `said`.
        new_products: the products among them that the version does not know.
        like: a record that the others resemble, so that they are packed into little.
    """

    records: Mapping[str, bytes] = field(default_factory=dict)
    new_products: NewProducts = field(default_factory=NewProducts)
    like: bytes = b""

    def change(self, changes: Iterable[Record]) -> "ProductOverrides":
        """This with `changes`, in their order; the very same where there are none."""
        records, gone, come, like = dict(self.records), set[str](), dict[str, NewProduct](), self.like
        for one in changes:
            gone.add(one.product_id)
            come.pop(one.product_id, None)
            if one.text is None:
                records.pop(one.product_id, None)
                continue
            like = like or one.text[:_WINDOW] if len(one.text) > _SHORT else like
            packed = _pack(one.text, like)
            if records.get(one.product_id) != packed:  # else the same object stays: there are many
                records[one.product_id] = packed
            if not one.trained:
                come[one.product_id] = _to_newcomer(one)
        return ProductOverrides(records, self.new_products.change(gone, come), like) if gone else self

    def said(self, product_id: str) -> bytes | None:
        """The overrides of a product, as JSON; None for none."""
        packed = self.records.get(product_id)
        return None if packed is None else _unpack(packed, self.like)

    def apply_to(self, product: Product) -> Product:
        """A product of a version with its overrides."""
        said = self.said(product.product_id)
        return product if said is None else _amend(product, said)

    def new_product(self, product_id: str) -> Product | None:
        """A product that no training has seen; None for others."""
        said = self.said(product_id) if product_id in self.new_products.known else None
        return None if said is None else _to_new_product(product_id, said)

    def newcomer_index(self, product_id: str) -> int | None:
        """The index, below 0, of a product that no training has seen; None for others."""
        return self.new_products.index(product_id)

    def newcomer_at(self, product_index: int) -> Product:
        """The new product of an index below 0. Raises LookupError."""
        product_id = self.new_products.at(product_index)
        return _to_new_product(product_id, self.said(product_id) or b"")


NO_OVERRIDES = ProductOverrides()


class OverriddenCatalogue(Catalogue):
    """The products of a version with their overrides, and new ones under negative indices."""

    __slots__ = ("_live", "_trained")

    def __init__(self, trained: Catalogue, live: ProductOverrides) -> None:
        super().__init__(trained.texts)
        self._trained = trained
        self._live = live

    def newcomer_index(self, product_id: str) -> int | None:
        """See `Catalogue.newcomer_index`."""
        return self._live.newcomer_index(product_id)

    def __getitem__(self, product_index: int) -> Product:
        if product_index < 0:
            return self._live.newcomer_at(product_index)
        return self._live.apply_to(self._trained[product_index])


@lru_cache(maxsize=256)
def read_record(text: bytes) -> dict[str, Any]:
    """What JSON says of a product; nothing where somebody else wrote nonsense. Not to be changed."""
    try:
        fields = from_json(text)
    except ValueError:
        return {}
    known = fields if isinstance(fields, dict) else {}
    said = {name: known[name] for name in OVERRIDE_FIELDS if known.get(name) is not None}
    wrong = [name for name in ADDRESSES if name in said and shop_address(str(said[name])) is None]  # as 0.1.0 took them
    return {name: value for name, value in said.items() if name not in wrong}


def _pack(text: bytes, like: bytes) -> bytes:
    """Into a fifth or so of the memory; `like` is what it resembles."""
    if len(text) <= _SHORT:
        return _share(text)
    packer = zlib.compressobj(level=1, wbits=-zlib.MAX_WBITS, memLevel=1, zdict=like)
    return _PACKED + packer.compress(text) + packer.flush()


def _unpack(packed: bytes, like: bytes) -> bytes:
    """The inverse of `_pack`."""
    if not packed.startswith(_PACKED):
        return packed
    return zlib.decompressobj(wbits=-zlib.MAX_WBITS, zdict=like).decompress(packed[len(_PACKED) :])


@lru_cache(maxsize=1_024)
def _share(text: bytes) -> bytes:
    """The same object for the same text: of most products only the stock is overridden."""
    return text.lstrip(_PACKED)


@lru_cache(maxsize=4_096)
def _amend(product: Product, said: bytes) -> OverriddenProduct:
    return _to_live_product({name: getattr(product, name) for name in Product.__slots__}, said)


@lru_cache(maxsize=1_024)
def _to_new_product(product_id: str, said: bytes) -> OverriddenProduct:
    return _to_live_product({"product_id": product_id, "new": True}, said)


def _to_live_product(known: Mapping[str, Any], said: bytes) -> OverriddenProduct:
    fields = dict(known) | read_record(said)
    dates = {name: _seconds(fields.get(name)) for name in ("valid_from", "valid_until")}
    stocked, blocked = bool(fields.get("in_stock", True)), bool(fields.get("blocked"))
    always = stocked and not blocked and set(dates.values()) == {None}
    return OverriddenProduct(**fields | dates | {"stocked": stocked, "blocked": blocked, "in_stock": always})


def _seconds(moment: object) -> float | None:
    try:
        return datetime.fromisoformat(str(moment)).timestamp()
    except (ValueError, OverflowError):
        return None


def _to_newcomer(record: Record) -> NewProduct:
    fields = read_record.__wrapped__(record.text or b"")  # past its memory: most are looked at this once
    told = bool(fields.get("title") or fields.get("category"))
    listed = told and bool(fields.get("in_stock", True)) and not fields.get("blocked")
    category = fields.get("category")
    return NewProduct(record.number, None if category is None else intern(category), listed)
