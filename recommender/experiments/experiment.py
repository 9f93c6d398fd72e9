"""Experiments and the assignment of customers to variants: a salted hash alone, so that nothing is stored."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from itertools import combinations
from typing import Annotated, Literal, NamedTuple

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from recommender.experiments.treatment import NOTHING_SHOWN, UNTREATED, Treatment
from recommender.person import encode_id

HOLDOUT = "holdout"
"""The variant of customers who get no treatment of the experiment and are compared with the others."""
MAIL_PLACEMENT = "email"
"""The placement whose cap and rules mails have."""

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")]
Weight = Annotated[float, Field(gt=0)]


def _in_utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)


UtcMoment = Annotated[datetime, AfterValidator(_in_utc)]
"""A date or time; UTC where it names no zone."""


class Experiment(BaseModel):
    """One experiment: variants with their weights and treatments, and where and when it applies."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: Name
    salt: Name | None = None
    """Decides the split; experiments of one salt share it, those of different salts are independent. None: the name."""
    variants: dict[Name, Weight] = Field(min_length=1)
    """Name → weight; only the proportions count. A weight may change while the experiment runs."""
    holdout: float = Field(default=0.0, ge=0.0, lt=1.0)
    """Share of all customers who get the variant `holdout`, whatever the weights."""
    treatments: dict[Name, Treatment] = {}
    """Variant → what is different for its customers; nothing for a variant that is not named, such as the control.
    The hold-out is shown nothing; `[experiments.treatments.holdout]` with nothing in it shows it what others see."""
    unit: Literal["customer_id"] = "customer_id"
    """What is assigned: always a customer as a whole."""
    placements: tuple[str, ...] = ()
    campaigns: tuple[str, ...] = ()
    """Where it applies: in these placements and these campaigns; everywhere, if neither is named."""
    starts: UtcMoment | None = None
    ends: UtcMoment | None = None
    """When it applies: from `starts` to just before `ends`; None: without that limit."""

    @model_validator(mode="after")
    def _makes_sense(self) -> "Experiment":
        if HOLDOUT in self.variants:
            raise ValueError(f"a variant cannot be called {HOLDOUT!r}; give its share as `holdout`")
        if len(self.variants) == 1 and not self.holdout:
            raise ValueError("one variant alone has nothing to be compared with; add another or a `holdout`")
        if self.starts and self.ends and self.starts >= self.ends:
            raise ValueError(f"it ends at {self.ends}, not after its start at {self.starts}")
        if unknown := sorted(self.treatments.keys() - self.variants.keys() - ({HOLDOUT} if self.holdout else set())):
            variants = ", ".join([*self.variants, *([HOLDOUT] if self.holdout else [])])
            raise ValueError(f"a treatment is for {', '.join(unknown)}, which is no variant; there are: {variants}")
        return self

    def treatment(self, variant: str) -> Treatment:
        """The treatment of a variant; of the hold-out NOTHING_SHOWN unless it is given, of others UNTREATED."""
        return self.treatments.get(variant, NOTHING_SHOWN if variant == HOLDOUT else UNTREATED)

    def meets(self, other: "Experiment") -> bool:
        """Whether one answer or mail may belong to both. A mail is of its campaign and of MAIL_PLACEMENT."""
        if _is_over(self, other.starts) or _is_over(other, self.starts):
            return False
        if not all(experiment.placements or experiment.campaigns for experiment in (self, other)):
            return True
        mails = any(a.campaigns and MAIL_PLACEMENT in b.placements for a, b in ((self, other), (other, self)))
        return mails or bool({*self.placements} & {*other.placements} or {*self.campaigns} & {*other.campaigns})


def _is_over(experiment: Experiment, at: datetime | None) -> bool:
    return experiment.ends is not None and at is not None and experiment.ends <= at


def _named_once(experiments: tuple[Experiment, ...]) -> tuple[Experiment, ...]:
    names = [experiment.name for experiment in experiments]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"several experiments are called {', '.join(twice)}; a name may be given once")
    return experiments


def _treating_apart(experiments: tuple[Experiment, ...]) -> tuple[Experiment, ...]:
    """Refuse two that change one field of the same answers: their effects could not be told apart."""
    for first, second in combinations(experiments, 2):
        if (both := _fields(first) & _fields(second)) and first.meets(second):
            raise ValueError(
                f"experiments {first.name!r} and {second.name!r} both change {', '.join(sorted(both))} of the same "
                "answers; let one end before the other starts, or name other placements"
            )
    return experiments


def _fields(experiment: Experiment) -> set[str]:
    """What treatments change, without `show`: a hold-out stays a hold-out for both."""
    return {field for treatment in experiment.treatments.values() for field in treatment.fields} - {"show"}


Experiments = Annotated[tuple[Experiment, ...], AfterValidator(_named_once), AfterValidator(_treating_apart)]
"""All experiments of a shop, each name once and no two that change the same field of the same answers: the type of a
setting, `[[experiments]]` in `reprise.toml`."""


class Assignment(NamedTuple):
    """The variant of one customer in one experiment, and its treatment."""

    experiment: str
    variant: str
    treatment: Treatment


def applies(
    experiment: Experiment, as_of: datetime, *, placement: str | None = None, campaign: str | None = None
) -> bool:
    """Whether an answer at `as_of` (aware) in `placement` or for `campaign` belongs to the experiment."""
    if experiment.starts and as_of < experiment.starts:
        return False
    if experiment.ends and as_of >= experiment.ends:
        return False
    everywhere = not (experiment.placements or experiment.campaigns)
    return everywhere or placement in experiment.placements or campaign in experiment.campaigns


def assignments(
    experiments: Sequence[Experiment],
    customer_id: str,
    as_of: datetime,
    *,
    placement: str | None = None,
    campaign: str | None = None,
) -> list[Assignment]:
    """Assignments of a customer, one for each experiment that an answer or mail belongs to, in the settings' order.

    `recommender.experiments.treatment.combine` makes one treatment of them. Arguments as those of `applies`; for a
    mail, name its placement and its campaign.
    """
    return [
        Assignment(experiment.name, variant, experiment.treatment(variant))
        for experiment in experiments
        if applies(experiment, as_of, placement=placement, campaign=campaign)
        for variant in [assign(experiment, customer_id)]
    ]


def assign(experiment: Experiment, customer_id: str) -> str:
    """The variant of a customer: always the same for the same salt, variants, weights and hold-out.

    The hold-out is drawn first and on its own: a larger one only adds customers to it. The others run a race: each
    variant draws an exponential time with its weight as the rate, and the first one wins (Schindelhauer, Schomaker
    2005, "Weighted distributed hash tables", the logarithmic method). So when one variant gets another weight, comes
    or goes, customers move only to it or from it, which is as few as can be.
    """
    salt = experiment.salt or experiment.name
    if experiment.holdout and draw_uniform(salt, HOLDOUT, customer_id) < experiment.holdout:
        return HOLDOUT
    times = {name: -math.log1p(-draw_uniform(salt, name, customer_id)) / w for name, w in experiment.variants.items()}
    return min(times, key=lambda name: (times[name], name))


def draw_uniform(salt: str, variant: str, customer_id: str) -> float:
    """A uniform number in [0, 1) with 53 bits, from a BLAKE2b hash of the arguments alone."""
    # salt and variant hold no NUL, so no two triples make one text; an id may hold anything, even half a surrogate pair
    text = encode_id(f"{salt}\0{variant}\0{customer_id}")
    return float((int.from_bytes(blake2b(text, digest_size=8).digest(), "big") >> 11) / 2**53)


def shares(experiment: Experiment) -> dict[str, float]:
    """Variant → expected share of customers, the hold-out included if it has any; they sum to 1."""
    total = sum(experiment.variants.values())
    expected = {name: (1 - experiment.holdout) * weight / total for name, weight in experiment.variants.items()}
    return {HOLDOUT: experiment.holdout, **expected} if experiment.holdout else expected
