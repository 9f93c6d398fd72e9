"""Products as answers show them, and the rhythm in which they are bought again."""

import json
from dataclasses import dataclass
from typing import Literal, NamedTuple

from pydantic_core import from_json

from recommender.web_address import shop_address


class Rhythm(NamedTuple):
    """How one product is bought again, over all its buyers; the fields as in `Own`."""

    log_gap: float
    log_gap_sd: float
    return_share: float


Objection = Literal["blocked", "not_valid", "out_of_stock"]
"""Why a product may not be shown; where there are several reasons, the first in this order."""
ADDRESSES = ("url", "image_url")
_TEXTS = ("product_id", "title", "category", "price", "currency", *ADDRESSES)
_NO_TEXTS = ("",) * len(_TEXTS)


@dataclass(frozen=True, slots=True)
class Product:
    """One product as an answer shows it. What the shop did not tell is None.

    `price` is a number as text, and `currency` its ISO 4217 code.
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
    currency: str | None = None

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
        """The inverse of `to_json`; fields of a later release are ignored, and so are addresses that may not be shown.

        Raises ValueError, TypeError or AttributeError where `text` is no product.
        """
        fields = from_json(text)
        if not fields.keys() <= _FIELDS:
            fields = {name: value for name, value in fields.items() if name in _FIELDS}
        try:
            "".join(map(fields.get, _TEXTS, _NO_TEXTS))  # in a fifth of the time of a look at each type
        except TypeError:
            raise TypeError("a product's id, title, category, price, currency and addresses are text") from None
        for name in ADDRESSES:
            if fields.get(name):  # 0.1.0 published what catalogues called addresses unchecked
                fields[name] = shop_address(fields[name])
        if rhythm := fields.get("rhythm"):
            fields["rhythm"] = Rhythm(*map(float, rhythm))
        return cls(**fields)


_FIELDS = frozenset(Product.__slots__)
