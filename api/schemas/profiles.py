"""Schemas of a customer's profile, as `api.serving.profile` writes it; in Klaviyo's names where it has one."""

from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.schemas.answers import AnswerDue, AnswerProduct

EXAMPLE: dict[str, Any] = {
    "customer_id": "C-1042",
    "model_version": "20261120T020000Z-3f2a",
    "as_of": "2026-11-20T02:00:00Z",
    "lifecycle": "due",
    "rfm": {"recency": 4, "frequency": 5, "monetary": 4, "score": "454", "segment": "frequent"},
    "first_order_on": "2026-03-02",
    "last_order_on": "2026-10-29",
    "recency_days": 22,
    "average_days_between_orders": 34.4,
    "usual_gap_days": 31.2,
    "expected_date_of_next_order": "2026-11-29",
    "historic_number_of_orders": 8,
    "historic_clv": 251.6,
    "average_order_value": 31.45,
    "probability_alive": 0.93,
    "churn_probability": 0.081,
    "expected_orders": {"30d": 0.71, "90d": 2.08, "365d": 7.6},
    "predicted_number_of_orders": 7.6,
    "predicted_clv": 226.94,
    "total_clv": 478.54,
    "due": [
        {
            "product_id": "COFFEE-1KG",
            "due": {
                "at": "2026-12-02",
                "from": "2026-11-28",
                "to": "2026-12-09",
                "probability": {"7d": 0.22, "14d": 0.41, "30d": 0.78},
                "interval_days": 34,
                "text": "Due around 2 December",
            },
            "product": {
                "title": "Coffee beans, 1 kg",
                "price": "12.90",
                "currency": "EUR",
                "url": "/p/coffee-1kg",
                "image_url": None,
                "category": "Coffee",
            },
        }
    ],
}


class ProfileRfm(BaseModel):
    """Quintile scores among all customers, 5 is the latest and the most; null where not known."""

    recency: int | None = Field(ge=1, le=5)
    frequency: int | None = Field(ge=1, le=5)
    monetary: int | None = Field(ge=1, le=5)
    score: str | None = Field(description="The three in one, such as `543`.")
    segment: str | None = Field(description="Name of recency and frequency, such as `champion` or `cannot_lose`.")


class ExpectedOrders(BaseModel):
    """Orders expected within so many days."""

    model_config = ConfigDict(serialize_by_alias=True)

    within_30d: float | None = Field(alias="30d", ge=0)
    within_90d: float | None = Field(alias="90d", ge=0)
    within_365d: float | None = Field(alias="365d", ge=0)


class DueProduct(BaseModel):
    """One of the customer's own products, and when it will be wanted again."""

    product_id: str
    due: AnswerDue | None
    product: AnswerProduct


class CustomerProfile(BaseModel):
    """One customer. Null what is not known: no price, a single order, too few customers who came back to learn from.

    As of the training (`as_of`): what is historic, average, predicted or expected, and `rfm`. At the moment of the
    answer, with the orders that came since: `lifecycle`, `last_order_on`, `recency_days`,
    `expected_date_of_next_order`, `due`. What one customer orders on one day (UTC) is one order; money is in the shop's
    currency.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    customer_id: str
    model_version: str
    as_of: datetime
    lifecycle: Literal["new", "active", "loyal", "due", "at_risk", "lapsed"]
    rfm: ProfileRfm
    first_order_on: date
    last_order_on: date
    recency_days: int = Field(ge=0, description="Since the last order.")
    average_days_between_orders: float | None = Field(description="Of the own orders.")
    usual_gap_days: float | None = Field(description="Expected of the customer, who may have ordered once.")
    expected_date_of_next_order: date | None = Field(description="A date that is past means overdue.")
    historic_number_of_orders: int = Field(ge=0)
    historic_clv: float | None = Field(description="Spent so far.")
    average_order_value: float | None
    probability_alive: float | None = Field(
        ge=0, le=1, description="That the customer has not left for good (BG/NBD); 1 after a single order."
    )
    churn_probability: float | None = Field(ge=0, le=1, description="Of no order at all in the coming 365 days.")
    expected_orders: ExpectedOrders
    predicted_number_of_orders: float | None = Field(ge=0, description="In the coming 365 days.")
    predicted_clv: float | None = Field(description="What these are worth, discounted (Gamma-Gamma).")
    total_clv: float | None = Field(description="historic_clv and predicted_clv.")
    due: list[DueProduct] = Field(max_length=10, description="Own products, as `buy-again` of placement `home` gives.")
