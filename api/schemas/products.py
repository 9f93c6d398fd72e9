"""Schemas of catalogue overrides: what a shop changes of its products while the service runs."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StrictBool

from api.schemas.requests import Judged
from recommender.currency import CurrencyCode
from recommender.events.values import ShopsId
from recommender.slate.placements import Moment

MAX_PRODUCTS = 1_000
_FIELDS: dict[str, Any] = {
    "in_stock": True,
    "price": "12.90",
    "currency": "EUR",
    "title": "Coffee beans, 1 kg",
    "category": "Coffee",
}
_Address = Annotated[str, Field(min_length=1, max_length=2_048)]


class LiveFields(BaseModel):
    """Overrides of one product, in place of the version's fields; null where the version counts."""

    in_stock: StrictBool | None = Field(default=None, description="False hides it from every answer.")
    price: str | None = Field(default=None, pattern=r"^[0-9]{1,12}(\.[0-9]{1,4})?$", description="As text.")
    currency: CurrencyCode | None = Field(default=None, description="Of the price, ISO 4217.")
    title: str | None = Field(default=None, min_length=1, max_length=1_000)
    category: ShopsId | None = None
    url: _Address | None = None
    image_url: _Address | None = None
    blocked: StrictBool | None = Field(default=None, description="True hides it from every answer, in stock or not.")
    valid_from: Moment | None = Field(default=None, description="Hidden before.")
    valid_until: Moment | None = Field(default=None, description="Hidden from then on.")


class ProductBody(LiveFields):
    """What is said of one product. A product that no training has seen is shown once it has a title or a category."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [_FIELDS]})


class NamedProduct(LiveFields):
    """What is said of one product, and which."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    product_id: ShopsId


class LiveProductAnswer(LiveFields):
    """What is said of one product from now on; null where the version counts."""

    product_id: str


class ProductsBody(BaseModel):
    """What is said of many products; each is looked at alone."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        json_schema_extra={
            "examples": [
                {"products": [{"product_id": "COFFEE-1KG", **_FIELDS}, {"product_id": "MILK", "in_stock": False}]}
            ]
        },
    )

    products: list[Judged] = Field(
        min_length=1,
        max_length=MAX_PRODUCTS,
        description="`product_id`, and whatever is to be said of it: the fields of `ProductBody`.",
    )


class RejectedProduct(BaseModel):
    """One product of which nothing was said."""

    index: int = Field(ge=0, description="Position in the request, from 0.")
    code: str
    message: str


class ProductsAnswer(BaseModel):
    """What became of the products."""

    accepted: int
    rejected: list[RejectedProduct]
