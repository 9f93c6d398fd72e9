"""Events: what people did in the shop since the last training.

A purchase, a view, a refusal: each is one small JSON object, the same in the stream, in the archive and in a person's
live history. What a person sees follows from the published lists and these events alone, so a replay gives the same.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from recommender.currency import currencies, not_a_currency
from recommender.errors import EventRejectedError
from recommender.events.values import Price, Quantity, ShopsId

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
    "fewer_mails",
    "subscription_start",
    "subscription_end",
]
"""`subscribe` is to mails; a `subscription` is to a product that is delivered again and again."""
CLOCK_SKEW = timedelta(minutes=5)
"""How far a shop's clock may be ahead of ours."""
MAX_PROBLEMS = 20
"""Most that is told of what is wrong with one event."""
_MAX_NAME = 64
_OWN_CODES = ("in_the_future", "wrong_currency")
"""What is said of events that are valid by themselves."""


class EventShape(NamedTuple):
    """The fields of one event type, besides `event_id`, `event_type`, `occurred_at` and who did it.

    Attributes:
        does: what was done.
        needs: what it must name; where `customer_id` is not among it, a `session_id` will do.
        takes: what else is made use of. Other fields of events are kept.
    """

    does: str
    needs: tuple[str, ...]
    takes: tuple[str, ...] = ()


_BOTH = ("customer_id", "product_id")
_SALE = ("quantity", "unit_price", "currency", "order_id")
_SHOWN = ("placement", "recommendation_id", "rank", "kind", "reason")
_MAIL = ("placement", "campaign_id")
EVENT_TYPES: dict[EventType, EventShape] = {
    "purchase": EventShape("A product was bought: one line of an order.", _BOTH, _SALE),
    "refund": EventShape("A product was given back.", _BOTH, _SALE),
    "view": EventShape("The page of a product was looked at.", ("product_id",), _SHOWN),
    "add_to_cart": EventShape("A product was put into the cart.", ("product_id",), _SHOWN),
    "remove_from_cart": EventShape("A product was taken out of the cart.", ("product_id",), _SHOWN),
    "impression": EventShape("A recommended product was seen.", ("product_id",), _SHOWN),
    "click": EventShape("A recommended product was clicked.", ("product_id",), (*_SHOWN, "campaign_id")),
    "not_interested": EventShape("A customer does not want to see a product any more.", _BOTH, _SHOWN),
    "exposure": EventShape(
        "A customer came across an experiment.",
        ("customer_id",),
        ("placement", "recommendation_id", "campaign_id", "experiment", "variant"),
    ),
    "mail_sent": EventShape("A mail was sent.", ("customer_id",), _MAIL),
    "mail_open": EventShape("A mail was opened.", ("customer_id",), _MAIL),
    "mail_bounce": EventShape("A mail could not be delivered.", ("customer_id",), _MAIL),
    "mail_complaint": EventShape("A mail was called spam.", ("customer_id",), _MAIL),
    "subscribe": EventShape("A customer wants mails.", ("customer_id",), _MAIL),
    "unsubscribe": EventShape("A customer wants no more mails.", ("customer_id",), _MAIL),
    "fewer_mails": EventShape("A customer wants one mail in 30 days at most.", ("customer_id",), _MAIL),
    "subscription_start": EventShape("A product is delivered again and again from now on.", _BOTH),
    "subscription_end": EventShape("A product is not delivered again and again any more.", _BOTH),
}
"""Every event type: from here come what is checked, the OpenAPI document and the tables of the pages."""


def fields_of(event_type: EventType) -> list[str]:
    """The fields that events of a type have, in the order of `Event`."""
    shape = EVENT_TYPES[event_type]
    own = {"event_id", "event_type", "occurred_at", "customer_id", "session_id", *shape.needs, *shape.takes}
    return [name for name in Event.model_fields if name in own]


def _in_range(moment: datetime) -> datetime:
    if not 1970 <= moment.year < 9999:
        raise ValueError("must be after 1970")
    return moment


class Event(BaseModel):
    """One thing that one person did. A customer and a session may both be named: the session was the customer's."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, use_attribute_docstrings=True)

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
    quantity: Quantity = 1.0
    """How many were bought or given back."""
    unit_price: Price | None = None
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
    kind: str | None = Field(default=None, pattern=r"^[A-Za-z_]{1,32}$")
    """The `kind` of the item."""
    reason: str | None = Field(default=None, pattern=r"^[A-Za-z_]{1,32}$")
    """The code of the item's `reason`."""
    campaign_id: str | None = Field(default=None, max_length=64)
    """Of a mail."""
    experiment: str | None = Field(default=None, max_length=64)
    """Of an exposure: its experiment."""
    variant: str | None = Field(default=None, max_length=64)
    """Of an exposure: what the customer was assigned to."""

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, raw: Any) -> Any:
        if not isinstance(raw, dict) or None not in raw.values():
            return raw
        return {name: value for name, value in raw.items() if value is not None}

    @field_validator("occurred_at")
    @classmethod
    def _not_after_now(cls, occurred_at: datetime, info: ValidationInfo) -> datetime:
        now = info.context.now if info.context else None
        if now is not None and occurred_at > now + CLOCK_SKEW:
            said = {"moment": occurred_at.isoformat()}
            raise PydanticCustomError("in_the_future", "{moment} is after now; set the shop's clock", said)
        return occurred_at

    @field_validator("currency")
    @classmethod
    def _currency_of_the_shop(cls, currency: str | None, info: ValidationInfo) -> str | None:
        own = info.context.currency if info.context else None
        if own is not None and currency != own:
            said = {"currency": repr(currency), "own": repr(own)}
            raise PydanticCustomError("wrong_currency", "{currency} is not {own}, the shop's", said)
        if info.context and currency is not None and currency not in currencies():
            raise ValueError(not_a_currency(currency))
        return currency

    @model_validator(mode="after")
    def _names_who_and_what(self) -> Self:
        if lacks := _find_lacks(self.__dict__):  # `dict(self)` takes as long as all else
            raise ValueError("; ".join(lacks))
        return self

    def to_json(self) -> bytes:
        """Compact JSON in ASCII without the fields that are None: the same event gives the same bytes."""
        return self.model_dump_json(exclude_none=True, ensure_ascii=True).encode()

    @classmethod
    def from_json(cls, text: bytes) -> "Event":
        """The inverse of `to_json`. Raises ValueError where `text` is no event."""
        return cls.model_validate_json(text)


class _Demands(NamedTuple):
    """What the request and the shop demand of an event; see `check_event`."""

    now: datetime | None
    currency: str | None


def check_event(raw: Any, now: datetime | None, currency: str | None) -> Event:
    """One event of a request.

    Args:
        raw: what JSON gave.
        now: the moment of the request, aware; None where the clock that wrote `occurred_at` is not the shop's.
        currency: the only one that purchases may have; None allows all.

    Raises:
        EventRejectedError: with a code, `invalid_event`, `in_the_future` or `wrong_currency`, and all that is wrong.
    """
    try:
        return Event.model_validate(raw, context=_Demands(now, currency))
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False)
    if not isinstance(raw, dict):
        raise EventRejectedError("invalid_event", "should be an object")
    # pydantic looks for what is lacking only where all fields are right; whoever sent it wants to know all at once
    of_fields = [problem for problem in problems if problem["loc"]]
    lacks = _find_lacks(raw)
    is_valid = not lacks and all(problem["type"] in _OWN_CODES for problem in of_fields)
    messages = [*map(_describe, of_fields), *lacks][:MAX_PROBLEMS]
    raise EventRejectedError(of_fields[0]["type"] if is_valid else "invalid_event", "; ".join(messages))


def _describe(problem: ErrorDetails) -> str:
    where = ".".join(str(part)[:_MAX_NAME] for part in problem["loc"])
    return f"{where}: {problem['msg'].removeprefix('Value error, ')}"


def _find_lacks(fields: Mapping[str, Any]) -> list[str]:
    """What an event with these fields ought to name and does not; nothing where its type is unknown."""
    event_type = fields.get("event_type")
    shape = EVENT_TYPES.get(event_type) if isinstance(event_type, str) else None  # type: ignore[call-overload]
    if shape is None:
        return []
    lacks = [name for name in shape.needs if fields.get(name) is None]
    if "customer_id" not in shape.needs and fields.get("customer_id") is None and fields.get("session_id") is None:
        lacks.insert(0, "customer_id or a session_id")
    return [f"{event_type} needs a {name}" for name in lacks] if lacks else lacks
