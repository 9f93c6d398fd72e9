"""Examples of the OpenAPI document; a test checks each against its schema."""

from typing import Any

BODY: dict[str, Any] = {
    "placement": "cart",
    "customer_id": "C-1042",
    "cart": ["COFFEE-1KG"],
    "recently_viewed": ["GRINDER"],
    "limit": 4,
}

ANSWER: dict[str, Any] = {
    "recommendation_id": "rec_01KAG3T5M0Z6Y8Q4W2R7N9D1HE",
    "placement": "home",
    "model_version": "20261120T020000Z-3f2a",
    "as_of": "2026-11-20T02:00:00Z",
    "limit": {"requested": 30, "applied": 20, "cap": 20},
    "suppressed": {"not_due": 2, "out_of_stock": 1},
    "fallback": None,
    "items": [
        {
            "product_id": "COFFEE-1KG",
            "rank": 1,
            "probability": 0.41,
            "kind": "buy_again",
            "due": {
                "at": "2026-12-02",
                "from": "2026-11-28",
                "to": "2026-12-09",
                "probability": {"7d": 0.22, "14d": 0.41, "30d": 0.78},
                "interval_days": 34,
                "text": "Due around 2 December",
            },
            "reason": {
                "code": "DUE_SOON",
                "text": "You usually reorder every 5 weeks",
                "evidence": {"purchases": 6, "last_purchased_on": "2026-10-29", "interval_days": 34},
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
    "experiments": [{"experiment": "cap-6", "variant": "twenty"}],
}

BATCH: dict[str, Any] = {
    "requests": [
        {"path": "/v1/customers/C-1042/recommendations?placement=email&limit=4"},
        {"path": "/v1/products/COFFEE-1KG/similar"},
        {"path": "/v1/recommendations", "body": BODY},
    ]
}

PROBLEM: dict[str, Any] = {
    "type": "urn:reprise:problem:invalid_request",
    "title": "Invalid request",
    "status": 400,
    "detail": "limit: should be a whole number",
    "code": "invalid_request",
    "errors": [{"field": "limit", "message": "should be a whole number"}],
    "request_id": "0f2b6c1d9a5e4e0c8d7f3a1b2c3d4e5f",
}

EVENT_FIELDS: dict[str, Any] = {
    "event_id": "order-7781-1",
    "event_type": "purchase",
    "customer_id": "C-1042",
    "session_id": "b7d0c1",
    "product_id": "COFFEE-1KG",
    "occurred_at": "2026-11-20T09:14:00Z",
    "quantity": 2,
    "unit_price": 12.9,
    "currency": "EUR",
    "order_id": "order-7781",
    "placement": "home",
    "recommendation_id": "rec_01KAG3T5M0Z6Y8Q4W2R7N9D1HE",
    "rank": 1,
    "kind": "buy_again",
    "reason": "DUE_SOON",
    "campaign_id": "2026-11-22-reorder",
    "experiment": "cap-6",
    "variant": "twenty",
}
"""An example of each field of events."""
