"""Request shapes, which are checked, and answer shapes, which document what `api.answers` writes."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from api import examples
from api.ids import MAX_ID_LENGTH
from recommender.candidates import Kind
from recommender.placements import ABSOLUTE_CAP, Limit, Mix, Placement
from recommender.reasons import Code
from recommender.slate import Context

MAX_IDS = 200
MAX_EVENTS = 1_000
MAX_BATCH = 1_000
MAX_PATH = 8_192
PLACEMENT_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
FallbackReason = Literal[
    "unknown_customer", "cold_product", "too_few_candidates", "model_not_ready", "store_unavailable"
]


def _whole(number: object) -> object:
    """Text of digits alone, and 10.0, which JSON Schema calls an integer; not `1_0`, ` 1` or `+1`."""
    if isinstance(number, float) and number.is_integer():
        return int(number)
    if isinstance(number, str) and not (number.isascii() and number.isdigit()):
        raise ValueError("should be a whole number")
    return number


ShopsId = Annotated[str, Field(min_length=1, max_length=MAX_ID_LENGTH)]
ShopsIds = Annotated[list[ShopsId], Field(default_factory=list, max_length=MAX_IDS)]
Count = Annotated[int, Field(ge=1), BeforeValidator(_whole)]
Capped = Annotated[int, Field(ge=1, le=ABSOLUTE_CAP), BeforeValidator(_whole)]


class Wanted(BaseModel):
    """What every request for products may say."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    placement: str = Field(description="Named spot of the shop; its cap, mix and floor apply.", max_length=64)
    limit: Count | None = Field(
        default=None, description="Most products wanted. Above the placement's cap it is clamped.", examples=[6]
    )
    exclude: ShopsIds = Field(description="Product ids that must not be shown.", examples=[["GIFT-CARD"]])
    category: str | None = Field(
        default=None, max_length=MAX_ID_LENGTH, description="Only products of this category; empty for all."
    )

    def context(self, limit: Limit) -> Context:
        """What the slate rules need to know."""
        return Context(limit, exclude=frozenset(self.exclude), category=self.category or None)


class NoQuery(BaseModel):
    """No query parameter."""

    model_config = ConfigDict(extra="forbid")


class SimilarQuery(Wanted):
    """Query of the products that resemble one."""

    placement: str = Field(default="product-page", description=Wanted.model_fields["placement"].description)


class BoughtTogetherQuery(Wanted):
    """Query of the products that are bought with one."""

    placement: str = Field(default="cart", description=Wanted.model_fields["placement"].description)


class PopularQuery(Wanted):
    """Query of best sellers."""

    placement: str = Field(default="home", description=Wanted.model_fields["placement"].description)


class PersonalQuery(PopularQuery):
    """Query of one customer's slate."""

    mix: Mix | None = Field(
        default=None,
        description="`buy_again`: only products bought before; `discover`: only others; `auto`: both, the likelier "
        "first. The placement's own where it is left out.",
    )

    def context(self, limit: Limit) -> Context:
        """With what `mix` leaves out."""
        return replace(super().context(limit), own_only=self.mix == "buy_again")


class BuyAgainQuery(PopularQuery):
    """Query of one customer's own products."""

    due_within: str | None = Field(
        default=None,
        pattern=r"^[1-9][0-9]{0,2}d$",
        description="Only products due within so many days, overdue ones included.",
        examples=["14d"],
    )

    def context(self, limit: Limit) -> Context:
        """With the days of `due_within`."""
        days = None if self.due_within is None else int(self.due_within.removesuffix("d"))
        return replace(super().context(limit), due_within_days=days, own_only=True)


class RecommendationBody(Wanted):
    """A cart, a history of views and a customer, as far as they are known."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, json_schema_extra={"examples": [examples.BODY]})

    customer_id: ShopsId | None = Field(default=None, description="Left out for an anonymous session.")
    session_id: ShopsId | None = Field(
        default=None, description="As in its events: what was viewed and put into the cart counts at once."
    )
    cart: ShopsIds = Field(description="Product ids in the cart; never shown. The last 20 lead to complements.")
    recently_viewed: ShopsIds = Field(description="Product ids, oldest first. The last 20 lead to similar products.")

    def context(self, limit: Limit) -> Context:
        """With the cart."""
        return Context(
            limit, cart=frozenset(self.cart), exclude=frozenset(self.exclude), category=self.category or None
        )


class BatchRequest(BaseModel):
    """One request of a batch."""

    path: str = Field(max_length=MAX_PATH, description="Path and query, as they would be sent alone.")
    body: dict[str, Any] | None = Field(default=None, description="Of a POST; left out for a GET.")

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class BatchBody(BaseModel):
    """Requests that are answered together."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, json_schema_extra={"examples": [examples.BATCH]}
    )

    requests: list[BatchRequest] = Field(min_length=1, max_length=MAX_BATCH)


class EventsBody(BaseModel):
    """Events of one shop; each is looked at alone."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, json_schema_extra={"examples": [examples.EVENTS]}
    )

    events: list[dict[str, Any]] = Field(
        min_length=1,
        max_length=MAX_EVENTS,
        description="`event_id`, `event_type`, `customer_id` or `session_id`, `product_id`, `occurred_at` with its "
        "zone; as far as known `quantity`, `unit_price`, `currency`, `order_id`, `placement`, `recommendation_id`, "
        "`rank`, `campaign_id`, `experiment`, `variant`.",
    )


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


class AnswerReason(BaseModel):
    """Why the product is shown: for programs, for people, and the facts behind both."""

    code: Code
    text: str
    evidence: dict[str, Any]


class AnswerProduct(BaseModel):
    """The product as the shop described it; null what it did not tell."""

    title: str | None
    price: str | None
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


class ProblemError(BaseModel):
    """What is wrong with one parameter or body field."""

    field: str
    message: str


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


class NewPlacement(Placement):
    """A placement as it should be; a `default_limit` over the cap is clamped, as a `limit` is."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, json_schema_extra={"examples": [{"cap": 12, "default_limit": 6}]}
    )

    cap: Capped
    default_limit: Capped
    max_per_category: Count | None = None

    @model_validator(mode="after")
    def _default_is_under_the_cap(self) -> "NewPlacement":
        return self

    def clamped(self) -> Placement:
        """The placement that this asks for."""
        return Placement(**self.model_dump() | {"default_limit": min(self.default_limit, self.cap)})


class Health(BaseModel):
    """A probe's answer."""

    status: Literal["live", "ready"]
    model_version: str | None = None
