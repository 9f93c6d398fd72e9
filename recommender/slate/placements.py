"""Placements: the named spots of a shop or a mail, each with its cap.

Too many recommendations drive people away, so a caller may ask for fewer products than the cap, never for more.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal, NamedTuple

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from recommender.errors import UnknownPlacementError
from recommender.events.values import ShopsId
from recommender.publication.product import Product

ABSOLUTE_CAP = 50
MOST_PLACEMENTS = 200
"""Placements that one shop may set while the service runs: every worker keeps those of all shops."""
MOST_PLACEMENT_BYTES = 1 << 20
"""JSON of all these placements of a shop."""
MOST_RULES = 1_000
"""Pins, boosts and blocks of one placement, of each."""
Mix = Literal["auto", "buy_again", "discover"]
Fallback = Literal["trending", "popular"]


def _written(moment: object) -> object:
    """As text, in TOML as itself: a number would be taken for seconds."""
    if isinstance(moment, str | datetime):
        return moment
    raise ValueError("should be a moment with its zone, such as 2026-11-20T09:00:00Z")


def _whole(number: object) -> object:
    """10.0 is what JSON Schema calls an integer."""
    return int(number) if isinstance(number, float) and number.is_integer() else number


Moment = Annotated[AwareDatetime, BeforeValidator(_written)]


class Dated(BaseModel):
    """A rule that holds from one moment on, and before another; None: no end. One that ends first never holds."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, serialize_by_alias=True, validate_by_name=False
    )

    from_: Moment | None = Field(default=None, alias="from")
    until: Moment | None = None

    @property
    def may_hold(self) -> bool:
        """Whether it does at any moment."""
        return self.from_ is None or self.until is None or self.from_ < self.until

    def holds(self, as_of: datetime) -> bool:
        """Whether it does at an aware moment."""
        return (self.from_ is None or self.from_ <= as_of) and (self.until is None or as_of < self.until)


class OfProduct(Dated):
    """A rule for one product."""

    product_id: ShopsId

    def covers(self, product: Product) -> bool:
        """Whether it is for this product."""
        return product.product_id == self.product_id


class OfCategory(Dated):
    """A rule for the products of one category."""

    category: ShopsId

    def covers(self, product: Product) -> bool:
        """Whether it is for this product."""
        return product.category == self.category


class Pin(OfProduct):
    """A product that is shown at a position, from 1, if it may be shown at all."""

    position: Annotated[int, Field(ge=1, le=ABSOLUTE_CAP, strict=True), BeforeValidator(_whole)]


class ProductBoost(OfProduct):
    """A product that counts as `factor` times as likely where an order is found."""

    factor: float = Field(gt=0, le=100, strict=True)


class CategoryBoost(OfCategory):
    """The same for a category."""

    factor: float = Field(gt=0, le=100, strict=True)


Boost = ProductBoost | CategoryBoost
Block = OfProduct | OfCategory


class Placement(BaseModel):
    """What one answer may show."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cap: int = Field(ge=1, le=ABSOLUTE_CAP)
    """Most products in one answer."""
    default_limit: int = Field(ge=1, le=ABSOLUTE_CAP)
    """Products in one answer when the caller names no limit."""
    max_per_category: int | None = Field(default=None, ge=1)
    """Most products of one category; products without a category are not counted. None: no limit."""
    min_probability: float = Field(default=0.0, ge=0.0, le=1.0)
    """Personal products less likely than this to be bought within the horizon are left out."""
    mix: Mix = "auto"
    """Which personal products: both by probability, only bought before, or only never bought."""
    fallbacks: tuple[Fallback, ...] = ("trending", "popular")
    """Lists that fill an answer, in this order, where the personal ones are too short."""
    rotate: bool = False
    """Whether what a customer may discover comes in another order each day (see `recommender.slate.customer_view`)."""
    tire: bool = True
    """Whether what is new stands behind other products once it was shown on three days of a week without a click."""
    pins: tuple[Pin, ...] = Field(default=(), max_length=MOST_RULES)
    """Products that the shop wants at a position; they count in the cap (see `recommender.slate.merchandising`)."""
    boosts: tuple[Boost, ...] = Field(default=(), max_length=MOST_RULES)
    """Products that move up or down; stated probabilities stay as they are."""
    blocks: tuple[Block, ...] = Field(default=(), max_length=MOST_RULES)
    """Products that are never shown here."""

    @model_validator(mode="after")
    def _default_is_under_the_cap(self) -> "Placement":
        if self.default_limit > self.cap:
            raise ValueError(f"default_limit {self.default_limit} is over the cap {self.cap}")
        return self


DEFAULT_PLACEMENTS: dict[str, Placement] = {
    "product-page": Placement(cap=12, default_limit=6),
    "home": Placement(cap=20, default_limit=12, max_per_category=5, rotate=True),
    "cart": Placement(cap=8, default_limit=4, max_per_category=2),
    # four products under 1 % each sell one mail in 25 at best: that one is better not sent
    "email": Placement(cap=8, default_limit=4, max_per_category=2, min_probability=0.01),
}


class Limit(NamedTuple):
    """How many products were asked for and how many may be shown, as stated in each answer."""

    requested: int | None
    applied: int
    cap: int


def clamp_limit(placement: Placement, requested: int | None) -> Limit:
    """The smaller of what was asked for and the cap; the placement's default where nothing was asked for."""
    wanted = placement.default_limit if requested is None else requested
    return Limit(requested=requested, applied=min(wanted, placement.cap), cap=placement.cap)


def find_placement(placements: Mapping[str, Placement], name: str) -> Placement:
    """The placement called `name`.

    Raises:
        UnknownPlacementError: there is none; the message lists those there are.
    """
    if name not in placements:
        raise UnknownPlacementError(f"no placement {name!r}; there are: {', '.join(sorted(placements))}")
    return placements[name]
