"""Treatments: what an experiment changes in the answers and mails of one variant."""

from collections.abc import Iterable
from functools import cached_property, lru_cache
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from recommender.slate.placements import ABSOLUTE_CAP, Fallback, Mix, Placement

_OF_A_PLACEMENT = frozenset(
    {"cap", "default_limit", "max_per_category", "min_probability", "mix", "rotate", "fallbacks"}
)


class Treatment(BaseModel):
    """Changes to the answers and mails of one variant; a field that is None stays as it is for everybody."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    show: bool = True
    """False: an empty slate, and no mail."""
    placement: str | None = Field(default=None, min_length=1, max_length=64)
    """The rules of another placement, in place of those of the one that was asked for."""
    version: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,64}$")] | None = None
    """A published version; the current one where this one is no longer kept."""
    cap: int | None = Field(default=None, ge=1, le=ABSOLUTE_CAP)
    default_limit: int | None = Field(default=None, ge=1, le=ABSOLUTE_CAP)
    max_per_category: int | None = Field(default=None, ge=1)
    min_probability: float | None = Field(default=None, ge=0.0, le=1.0)
    mix: Mix | None = None
    rotate: bool | None = None
    fallbacks: tuple[Fallback, ...] | None = None
    """These are fields of `recommender.slate.placements.Placement`."""

    @model_validator(mode="after")
    def _makes_sense(self) -> "Treatment":
        if not self.show and len(self.fields) > 1:
            raise ValueError("where `show` is false nothing else can count; leave it out")
        if self.cap is not None and self.default_limit is not None and self.default_limit > self.cap:
            raise ValueError(f"default_limit {self.default_limit} is over the cap {self.cap}")
        return self

    @cached_property
    def fields(self) -> frozenset[str]:
        """Names of the fields that it changes."""
        changed = {name for name, value in self if value is not None and name != "show"}
        return frozenset(changed if self.show else changed | {"show"})

    def treat(self, placement: Placement) -> Placement:
        """`placement` with the changes; a `default_limit` over the cap is clamped, as a `limit` is."""
        changes = self._changes
        if not changes:
            return placement
        cap, limit = changes.get("cap", placement.cap), changes.get("default_limit", placement.default_limit)
        return placement.model_copy(update={**changes, "default_limit": min(limit, cap)})

    @cached_property
    def _changes(self) -> dict[str, Any]:
        """Fields of the placement and their values."""
        return {name: getattr(self, name) for name in self.fields & _OF_A_PLACEMENT}


UNTREATED = Treatment()
"""The treatment that changes nothing."""
NOTHING_SHOWN = Treatment(show=False)
"""The treatment of a hold-out: an empty slate, and no mail."""


def combine(treatments: Iterable[Treatment]) -> Treatment:
    """One treatment of several: each field from the first that changes it; NOTHING_SHOWN where one shows nothing."""
    changing = tuple(treatment for treatment in treatments if treatment is not UNTREATED)
    if not changing:
        return UNTREATED
    return changing[0] if len(changing) == 1 else _combine(changing)


@lru_cache(maxsize=1_024)
def _combine(treatments: tuple[Treatment, ...]) -> Treatment:
    fields: dict[str, Any] = {}
    for treatment in reversed(treatments):
        if not treatment.show:
            return NOTHING_SHOWN
        fields |= {name: getattr(treatment, name) for name in treatment.fields}
    fields["cap"] = fields.get("cap")
    if fields["cap"] is not None and fields.get("default_limit") is not None:
        fields["default_limit"] = min(fields["default_limit"], fields["cap"])
    return Treatment(**fields)
