"""Schemas of campaigns: requests and answers."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from api.schemas.requests import Capped, whole
from recommender.campaigns.audiences import AudienceName
from recommender.results.campaigns import Verdict

BLOCKS_PER_PAGE = 16
"""Blocks of customers in one page of picks: about a thousand customers."""
MAX_CURSOR = 10**9


class PicksBody(BaseModel):
    """Whose picks are wanted, and how many for each."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        json_schema_extra={"examples": [{"audience": "due_soon", "slots": 4}]},
    )

    audience: AudienceName = Field(description="Who is meant.")
    slots: Capped | None = Field(default=None, description="Most products in one mail; the placement `email` caps it.")


class PicksQuery(BaseModel):
    """Which page of picks."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    cursor: Annotated[int, Field(ge=0, le=MAX_CURSOR), BeforeValidator(whole)] = Field(
        default=0, description="The `next_cursor` of the page before; 0 for the first one."
    )


class CampaignProgress(BaseModel):
    """How far the picks of a campaign are."""

    blocks: int = Field(description="Blocks of customers to go through.")
    blocks_done: int
    customers_considered: int
    customers_picked: int = Field(description="Customers who get a mail.")
    without: dict[str, int] = Field(description="Why others get none → how many of them.")


class CampaignAnswer(BaseModel):
    """A campaign whose picks were asked for."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "campaign_id": "2026-11-22-reorder",
                    "state": "running",
                    "detail": None,
                    "audience": "due_soon",
                    "slots": 4,
                    "model_version": "20261120T020000Z-3f2a",
                    "begun_at": "2026-11-22T06:00:00Z",
                    "progress": {
                        "blocks": 1563,
                        "blocks_done": 410,
                        "customers_considered": 26240,
                        "customers_picked": 2213,
                        "without": {"too_often": 12, "nothing_good_enough": 77},
                    },
                }
            ]
        }
    )

    campaign_id: str
    state: Literal["waiting", "running", "done", "failed"]
    detail: str | None = Field(description="Why it failed.")
    audience: str
    slots: int
    model_version: str
    begun_at: datetime
    progress: CampaignProgress


class VariantFigures(BaseModel):
    """What came of one variant of a campaign; customers where nothing else is said."""

    variant: str = Field(description="`mailed`, `holdout`, or a variant of your experiment on the campaign.")
    selected: int = Field(description="In the audience.")
    refused: dict[str, int] = Field(description="Why no mail was allowed or worth it → how many of `selected`.")
    sent: int
    bounced: int
    opened: int
    clicked: int
    bought: int = Field(description="Bought what they had clicked in the mail.")
    units: float
    money: dict[str, float] = Field(description="Currency → amount of these purchases.")
    unsubscribed: int
    complained: int
    took_part: int = Field(description="Would really get the mail, and got it or were held out: these are compared.")
    orders: int = Field(description="Orders of those who took part, within the stated days.")
    orders_squared: int = Field(description="Sum of the squares of each one's orders: campaigns can be added up.")
    ordered: int = Field(description="Those who took part and ordered.")
    revenue: dict[str, float] = Field(description="Currency → amount of these orders.")


class MailEffect(BaseModel):
    """What the mails brought, in orders per customer, against those who were held out."""

    verdict: Verdict
    lift: float | None = Field(description="The difference as a share of the hold-out's orders.")
    low: float | None
    high: float | None = Field(description="Its 95 % interval.")
    extra_orders: float | None
    more_weeks: int | None = Field(description="Weeks with such a mailing each until 5 % more would be found.")
    until: date | None = Field(description="Until when orders count.")
    sentence: str = Field(description="The same in English.")


class CampaignFigures(BaseModel):
    """What came of a campaign."""

    campaign_id: str
    first_at: datetime | None
    within_days: float = Field(description="Days after a mail, or a click in it, in which orders count.")
    variants: list[VariantFigures]
    effect: MailEffect


class BegunCampaign(BaseModel):
    """A campaign as it began."""

    campaign_id: str
    audience: str
    slots: int
    version: str
    begun_at: datetime
    holdout: float = Field(description="Share of those who would get the mail who get none.")
    holdout_of_all: float = Field(description="Share of all customers who get no mail of the quarter.")
    cancelled_at: datetime | None


class CampaignResultsAnswer(BaseModel):
    """A campaign and what came of it."""

    campaign_id: str
    state: Literal["begun", "cancelled", "elsewhere"]
    campaign: BegunCampaign | None
    results: CampaignFigures | None


class PicksPage(BaseModel):
    """Some picks of a campaign, as far as they are made."""

    campaign_id: str
    state: Literal["waiting", "running", "done", "failed"]
    picks: list[dict[str, Any]] = Field(description="One for each customer, as `reprise picks --format jsonl` writes.")
    next_cursor: int | None = Field(
        description="Ask with it for what comes next; the same again while that is not made yet; null at the end."
    )
