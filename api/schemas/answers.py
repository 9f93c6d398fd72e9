"""Schemas of answers: they document what `api.serving.answers` and the routes write."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.schemas import examples
from recommender.slate.candidates import Kind
from recommender.slate.placements import Placement
from recommender.slate.plans import FallbackReason
from recommender.slate.reasons import Code


class RejectedEvent(BaseModel):
    """One event that was not accepted."""

    index: int = Field(ge=0, description="Position in the request, from 0.")
    code: str
    message: str


class EventsAnswer(BaseModel):
    """What became of the events."""

    accepted: int
    duplicates: int
    rejected: list[RejectedEvent]


class AnswerLimit(BaseModel):
    """How many products were asked for and how many may be shown."""

    requested: int | None
    applied: int
    cap: int


class AnswerFallback(BaseModel):
    """Why the answer is not what was asked for, and which list stood in for it."""

    reason: FallbackReason
    used: Literal["category", "popular", "trending", "memory"] | None


class DueProbability(BaseModel):
    """Probability that the customer buys the product within so many days."""

    model_config = ConfigDict(serialize_by_alias=True)

    within_7d: float = Field(alias="7d", ge=0, le=1)
    within_14d: float = Field(alias="14d", ge=0, le=1)
    within_30d: float = Field(alias="30d", ge=0, le=1)


class AnswerDue(BaseModel):
    """When the customer will want the product again; half of those who come back do so between `from` and `to`."""

    at: date
    from_: date = Field(alias="from")
    to: date
    probability: DueProbability
    interval_days: int = Field(ge=1)
    text: str = Field(description="For people, in the language of the answer; it never names a date that is past.")


class AnswerReason(BaseModel):
    """Why the product is shown: for programs, for people, and the facts behind both."""

    code: Code
    text: str = Field(description="In the language of the answer, see its Content-Language.")
    evidence: dict[str, Any]


class AnswerProduct(BaseModel):
    """The product as the shop described it; null what it did not tell."""

    title: str | None
    price: str | None
    currency: str | None = Field(description="Of the price, ISO 4217; null where it is not known.")
    url: str | None
    image_url: str | None
    category: str | None


class AnswerItem(BaseModel):
    """One product that is shown."""

    product_id: str
    rank: int = Field(ge=1)
    probability: float | None = Field(
        ge=0, le=1, description="Of being bought within the horizon; null if not learned."
    )
    kind: Kind
    due: AnswerDue | None
    reason: AnswerReason
    product: AnswerProduct


class AnswerExperiment(BaseModel):
    """What the customer was assigned to."""

    experiment: str
    variant: str


class Answer(BaseModel):
    """One slate. A short list, even an empty one, is a right answer."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.ANSWER]})

    recommendation_id: str
    placement: str
    model_version: str | None
    as_of: datetime | None
    limit: AnswerLimit
    suppressed: dict[str, int] = Field(description="Products left out before the slate was full, by reason.")
    fallback: AnswerFallback | None
    items: list[AnswerItem]
    experiments: list[AnswerExperiment] = Field(
        default=[], description="The experiments that this answer is part of; not in those that everybody may share."
    )


class ProblemError(BaseModel):
    """What is wrong with one parameter or body field."""

    field: str
    message: str
    code: str | None = Field(default=None, description="Where nothing was accepted: why this was not.")


class Problem(BaseModel):
    """An error, RFC 9457."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.PROBLEM]})

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: Sequence[ProblemError]
    request_id: str


class BatchResponse(BaseModel):
    """What one request of a batch would have got alone."""

    status: int
    body: Answer | Problem


class BatchAnswer(BaseModel):
    """The answers of a batch, in the order of its requests."""

    responses: list[BatchResponse]


class NamedPlacement(Placement):
    """One placement with its name."""

    name: str


class PlacementList(BaseModel):
    """Every placement by name."""

    placements: list[NamedPlacement]


class Model(BaseModel):
    """One published version: what it learned from and how good it was."""

    version: str
    current: bool
    as_of: datetime
    created_at: datetime
    counts: dict[str, int]
    lists: dict[str, int]
    metrics: dict[str, Any]
    gate: dict[str, Any]


class ModelList(BaseModel):
    """Published versions, newest first, and the one that answers."""

    current: str | None
    models: list[Model]


class Activation(BaseModel):
    """The version that answers from now on."""

    current: str


class Erasure(BaseModel):
    """What was deleted of a customer, besides what was at hand of the latest events."""

    events: int = Field(description="Accepted events that had not been archived yet.")
    lists: int = Field(description="Lists, of all versions that are kept.")


class Health(BaseModel):
    """A probe's answer."""

    status: Literal["live", "ready"]
    model_version: str | None = None
