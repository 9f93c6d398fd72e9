"""Events: what people did in the shop since the last training.

A purchase, a view, a refusal: each is one small JSON object, the same in the stream, in the archive and in a person's
live history. What a person sees follows from the published lists and these events alone, so a replay gives the same.
"""

import json
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from recommender.currency import currencies, not_a_currency
from recommender.errors import EventRejectedError

EventType = Literal[
    "purchase",
    "refund",
    "view",
    "add_to_cart",
    "remove_from_cart",
    "impression",
    "click",
    "not_interested",
    "exposure",
    "mail_sent",
    "mail_open",
    "mail_bounce",
    "mail_complaint",
    "subscribe",
    "unsubscribe",
    "subscription_start",
    "subscription_end",
]
"""`subscribe` is to mails; a `subscription` is to a product that is delivered again and again."""
MAX_ID_LENGTH = 512
CLOCK_SKEW = timedelta(minutes=5)
"""How far a shop's clock may be ahead of ours."""
_WITHOUT_A_PRODUCT: frozenset[EventType] = frozenset(
    {"exposure", "mail_sent", "mail_open", "mail_bounce", "mail_complaint", "subscribe", "unsubscribe"}
)
_OF_A_CUSTOMER: frozenset[EventType] = _WITHOUT_A_PRODUCT | {
    "purchase",
    "refund",
    "not_interested",
    "subscription_start",
    "subscription_end",
}

ShopsId = Annotated[str, Field(min_length=1, max_length=MAX_ID_LENGTH)]


def _in_range(moment: datetime) -> datetime:
    if not 1970 <= moment.year < 9999:
        raise ValueError("must be after 1970")
    return moment


class Event(BaseModel):
    """One thing that one person did. A customer and a session may both be named: the session was the customer's."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    event_id: ShopsId
    """The shop's own; the same id within seven days is the same event."""
    event_type: EventType
    """What was done."""
    customer_id: ShopsId | None = None
    """Who did it."""
    session_id: ShopsId | None = None
    """An anonymous visitor's, for views, carts, impressions and clicks."""
    product_id: ShopsId | None = None
    """What it was done to."""
    occurred_at: Annotated[AwareDatetime, AfterValidator(_in_range)]
    """When; five minutes ahead at most."""
    quantity: float = Field(default=1.0, strict=True, gt=0, le=1e9)
    """How many were bought or given back."""
    unit_price: float | None = Field(default=None, strict=True, ge=0, le=1e12)
    """Of one of them."""
    currency: str | None = Field(default=None, pattern=r"^[A-Z]{3}$")
    """Of the price: three capital letters."""
    order_id: ShopsId | None = None
    """What was bought together."""
    placement: str | None = Field(default=None, max_length=64)
    """Where it was shown."""
    recommendation_id: str | None = Field(default=None, max_length=64)
    """The answer that it was shown in."""
    rank: int | None = Field(default=None, strict=True, ge=1, le=1_000)
    """Where the product stood, from 1."""
    campaign_id: str | None = Field(default=None, max_length=64)
    """Of a mail."""
    experiment: str | None = Field(default=None, max_length=64)
    """Of an exposure: its experiment."""
    variant: str | None = Field(default=None, max_length=64)
    """Of an exposure: what the customer was assigned to."""

    @model_validator(mode="after")
    def _names_who_and_what(self) -> Self:
        if self.event_type in _OF_A_CUSTOMER and self.customer_id is None:
            raise ValueError(f"{self.event_type} needs a customer_id")
        if self.customer_id is None and self.session_id is None:
            raise ValueError(f"{self.event_type} needs a customer_id or a session_id")
        if self.event_type not in _WITHOUT_A_PRODUCT and self.product_id is None:
            raise ValueError(f"{self.event_type} needs a product_id")
        return self

    def to_json(self) -> bytes:
        """Compact JSON without the fields that are None: the same event gives the same bytes."""
        fields = self.model_dump(mode="json", exclude_none=True)
        return json.dumps(fields, ensure_ascii=True, separators=(",", ":")).encode()

    @classmethod
    def from_json(cls, text: bytes) -> "Event":
        """The inverse of `to_json`. Raises ValueError where `text` is no event."""
        return cls.model_validate_json(text)


def check_event(raw: Any, now: datetime, currency: str | None) -> Event:
    """One event of a request.

    Args:
        raw: what JSON gave.
        now: the moment of the request, aware.
        currency: the only one that purchases may have; None allows all.

    Raises:
        EventRejectedError: with a code: `invalid_event`, `in_the_future` or `wrong_currency`.
    """
    try:
        event = Event.model_validate(raw)
    except ValidationError as error:
        found = error.errors()[0]
        where = ".".join(map(str, found["loc"]))
        raise EventRejectedError("invalid_event", f"{where}: {found['msg']}" if where else found["msg"]) from None
    if event.occurred_at > now + CLOCK_SKEW:
        raise EventRejectedError(
            "in_the_future", f"occurred_at {event.occurred_at.isoformat()} is after now; set the shop's clock"
        )
    if event.currency is not None and event.currency not in currencies():
        raise EventRejectedError("invalid_event", f"currency: {not_a_currency(event.currency)}")
    if currency is not None and event.currency not in (None, currency):
        raise EventRejectedError("wrong_currency", f"currency {event.currency!r} is not {currency!r}, the shop's")
    return event
