"""Looks at experiments: what each analysis found, kept so that pages can show how an effect settles."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

MOST_LOOKS = 500
"""Latest looks kept of one shop."""


@dataclass(frozen=True, slots=True)
class VariantLook:
    """One variant, against the control in orders per customer.

    Attributes:
        variant: its name.
        customers: assigned to it.
        expected: as many as there should be by its share.
        value: orders per customer; None where it is not known, as what follows.
        lift: the difference as a share of the control's value; None for the control itself.
        low, high: its always-valid 95 % interval: it holds at every look.
        detectable: the lift that an experiment this precise finds 4 times in 5.
    """

    variant: str
    customers: int
    expected: float
    value: float | None = None
    lift: float | None = None
    low: float | None = None
    high: float | None = None
    detectable: float | None = None

    @property
    def verdict(self) -> str:
        """`control`, `more`, `fewer`, or `undecided` as long as the interval holds 0."""
        if self.low is None or self.high is None:
            return "control" if self.lift is None else "undecided"
        return "more" if self.low > 0 else "fewer" if self.high < 0 else "undecided"


@dataclass(frozen=True, slots=True)
class ExperimentLook:
    """One look at an experiment.

    Attributes:
        experiment: its name.
        at: when it was looked at, ISO-8601, UTC.
        control: the variant that the others are compared with.
        mismatch: whether variants have other numbers of customers than they should: then no figure is to be trusted.
        variants: the control first.
    """

    experiment: str
    at: str
    control: str
    mismatch: bool
    variants: tuple[VariantLook, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return asdict(self) | {"variants": [asdict(one) for one in self.variants]}

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> "ExperimentLook":
        """The inverse of `to_dict`. Raises TypeError or KeyError where these are no fields."""
        return cls(**{**fields, "variants": tuple(VariantLook(**one) for one in fields["variants"])})
