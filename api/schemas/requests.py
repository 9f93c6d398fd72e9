"""Schemas of requests: every query and body is checked against one of these."""

import re
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from api.ids import MAX_ID_LENGTH
from api.schemas import examples
from api.schemas.events import example_of
from recommender.events.values import ShopsId, id_text
from recommender.slate.placements import ABSOLUTE_CAP, Limit, Mix, Placement
from recommender.slate.plans import RetrievalPlan, session_plan
from recommender.slate.slate import Context
from recommender.words.language import Language, LocaleTag, find_language

MAX_IDS = 200
MAX_CATEGORIES = 20
MAX_EVENTS = 1_000
MAX_BATCH = 1_000
MAX_ROWS = 20
"""Requests of a batch with a publishable key: the rows of one page."""
MAX_PATH = 8_192
PLACEMENT_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


def whole(number: object) -> object:
    """A whole number for pydantic to parse: digits alone, or 10.0, an integer in JSON Schema; not `1_0`, ` 1`, `+1`.

    Raises:
        ValueError: it is other text.
    """
    if isinstance(number, float) and number.is_integer():
        return int(number)
    if isinstance(number, str) and not (number.isascii() and number.isdigit()):
        raise ValueError("should be a whole number")
    return number


Judged = Annotated[Any, WithJsonSchema({"type": "object", "additionalProperties": True})]
"""One of many objects that are each judged alone: what is none is named like any other that is wrong."""
_Ids = Annotated[list[ShopsId], Field(max_length=MAX_IDS)]
ShopsIds = Annotated[
    _Ids,
    BeforeValidator(lambda ids: [] if ids is None else ids, json_schema_input_type=_Ids | None),
    Field(default_factory=list),
]


def several(value: object) -> object:
    """A list of what is given alone, none for null, and a list as it is."""
    return [] if value is None else value if isinstance(value, list) else [value]


Categories = Annotated[
    list[Annotated[str, Field(max_length=MAX_ID_LENGTH), BeforeValidator(id_text)]],
    BeforeValidator(several),
    Field(default_factory=list, max_length=MAX_CATEGORIES, examples=[["Coffee"]]),
]
_CATEGORY = {"type": "string", "maxLength": MAX_ID_LENGTH}
_NUMBER = {"type": "integer"}
_SEVERAL = {"type": "array", "items": {"anyOf": [_CATEGORY, _NUMBER]}, "maxItems": MAX_CATEGORIES}
_ONE_OR_SEVERAL = {
    "anyOf": [_CATEGORY, _NUMBER, _SEVERAL, {"type": "null"}],
    "default": [],
}
Count = Annotated[int, Field(ge=1), BeforeValidator(whole)]
Capped = Annotated[int, Field(ge=1, le=ABSOLUTE_CAP), BeforeValidator(whole)]


_LOCALE = Field(
    default=None,
    description="Language of the texts; a region is for dates. Left out: by Accept-Language, else the setting's.",
    examples=["de-AT"],
)


class ProfileQuery(BaseModel):
    """Query of a customer's profile."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    locale: LocaleTag | None = _LOCALE


class Wanted(BaseModel):
    """The fields of every request for products."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    placement: str = Field(description="Named spot of the shop; its cap, mix and floor apply.", max_length=64)
    limit: Count | None = Field(
        default=None, description="Most products wanted. Above the placement's cap it is clamped.", examples=[6]
    )
    exclude: ShopsIds = Field(description="Product ids that must not be shown.", examples=[["GIFT-CARD"]])
    locale: LocaleTag | None = _LOCALE
    fallback: Annotated[Literal["auto", "none"], BeforeValidator(lambda it: "auto" if it is None else it)] = Field(
        default="auto",
        description="`none`: only what was asked for and what the shop pins, maybe nothing; no best sellers instead.",
    )
    category: Categories = Field(description="Only products of one of these categories; empty for all.")

    @cached_property
    def categories(self) -> tuple[str, ...]:
        """The categories, each once, in one order."""
        return tuple(sorted({name for name in self.category if name}))

    @cached_property
    def language(self) -> Language | None:
        """The language of `locale`."""
        return None if self.locale is None else find_language(self.locale)

    def context(self, limit: Limit) -> Context:
        """The context of the slate's rules, with the limit that applies."""
        return Context(limit, exclude=frozenset(self.exclude), categories=frozenset(self.categories))


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
        """The context, with own products only where `mix` is `buy_again`."""
        own_only = self.mix == "buy_again"
        return Context(limit, exclude=frozenset(self.exclude), categories=frozenset(self.categories), own_only=own_only)


class BuyAgainQuery(PopularQuery):
    """Query of one customer's own products."""

    due_within: str | None = Field(
        default=None,
        pattern=r"^[1-9][0-9]{0,2}d$",
        description="Only products due within so many days, overdue ones included.",
        examples=["14d"],
    )

    def context(self, limit: Limit) -> Context:
        """The context, with own products only and the days of `due_within`."""
        days = None if self.due_within is None else int(self.due_within.removesuffix("d"))
        return super().context(limit)._replace(due_within_days=days, own_only=True)


class RecommendationBody(Wanted):
    """A cart, a history of views and a customer, as far as they are known."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, json_schema_extra={"examples": [examples.BODY]})

    customer_id: ShopsId | None = Field(default=None, description="Left out for an anonymous session.")
    session_id: ShopsId | None = Field(
        default=None, description="As in its events: what was viewed and put into the cart counts at once."
    )
    category: Annotated[Categories, WithJsonSchema(_ONE_OR_SEVERAL)] = Field(
        description=Wanted.model_fields["category"].description
    )
    cart: ShopsIds = Field(description="Product ids in the cart; never shown. The last 20 lead to complements.")
    recently_viewed: ShopsIds = Field(description="Product ids, oldest first. The last 20 lead to similar products.")

    def context(self, limit: Limit) -> Context:
        """The context, with the cart."""
        return Context(
            limit, cart=frozenset(self.cart), exclude=frozenset(self.exclude), categories=frozenset(self.categories)
        )

    def plan(self) -> RetrievalPlan:
        """The plan of the lists to read; in placement `cart` complements of the cart lead."""
        return session_plan(
            self.customer_id,
            self.session_id,
            cart=self.cart,
            viewed=self.recently_viewed,
            categories=self.categories,
            cart_first=self.placement == "cart",
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

    requests: list[BatchRequest] = Field(
        min_length=1, max_length=MAX_BATCH, description=f"With a publishable key {MAX_ROWS} at most."
    )
    distinct: bool = Field(
        default=False,
        description="No product twice: the first request that wants it keeps it, later ones show their next ones.",
    )
    customer_token: str | None = Field(
        default=None,
        max_length=MAX_PATH,
        description="With a publishable key: the customer's token, where no header is sent, so without a preflight.",
    )


class EventsBody(BaseModel):
    """Events of one shop; each is looked at alone."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, json_schema_extra={"examples": [{"events": [example_of("purchase")]}]}
    )

    events: list[Judged] = Field(
        min_length=1,
        max_length=MAX_EVENTS,
        description="The shape of each follows from its `event_type`. Fields of other types are kept.",
    )
    customer_token: str | None = Field(
        default=None,
        max_length=MAX_PATH,
        description="With a publishable key: the customer's token, where no header can be sent, as by a beacon.",
    )


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
        """The placement, with its `default_limit` clamped to the cap."""
        return Placement(**self.model_dump() | {"default_limit": min(self.default_limit, self.cap)})
