"""Placements: the named spots of a shop or a mail, each with its cap.

Too many recommendations drive people away, so a caller may ask for fewer products than the cap, never for more.
"""

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from recommender.errors import UnknownPlacementError

ABSOLUTE_CAP = 50
Mix = Literal["auto", "buy_again", "discover"]
Fallback = Literal["trending", "popular"]


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

    @model_validator(mode="after")
    def _default_is_under_the_cap(self) -> "Placement":
        if self.default_limit > self.cap:
            raise ValueError(f"default_limit {self.default_limit} is over the cap {self.cap}")
        return self


DEFAULT_PLACEMENTS: dict[str, Placement] = {
    "product-page": Placement(cap=12, default_limit=6),
    "home": Placement(cap=20, default_limit=12, max_per_category=5),
    "cart": Placement(cap=8, default_limit=4, max_per_category=2),
    "email": Placement(cap=8, default_limit=4, max_per_category=2),
}


class Limit(BaseModel):
    """How many products were asked for and how many may be shown, as stated in each answer."""

    model_config = ConfigDict(frozen=True)

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
