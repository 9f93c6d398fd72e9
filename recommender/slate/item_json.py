"""JSON of one product of a slate, the same in answers of the service and in the picks of a campaign."""

from typing import Any

from recommender.days import to_iso
from recommender.slate.due import HORIZONS_DAYS, Due
from recommender.slate.slate import Item

_DAYS = [f"{days}d" for days in HORIZONS_DAYS]


def to_item(item: Item) -> dict[str, Any]:
    """One product that is shown, as plain JSON types."""
    product, rank, kind, probability, due, (code, text, evidence) = item
    return {
        "product_id": product.product_id,
        "rank": rank,
        "probability": None if probability is None else _round(probability),
        "kind": kind,
        "due": None if due is None else _due(due),
        "reason": {"code": code, "text": text, "evidence": dict(evidence)},
        "product": {
            "title": product.title,
            "price": product.price,
            "url": product.url,
            "image_url": product.image_url,
            "category": product.category,
        },
    }


def _due(due: Due) -> dict[str, Any]:
    at, from_, to, interval_days, probability = due
    return {
        "at": to_iso(at),
        "from": to_iso(from_),
        "to": to_iso(to),
        "probability": dict(zip(_DAYS, map(_round, probability.values()), strict=True)),
        "interval_days": interval_days,
    }


def _round(probability: float) -> float:
    """To 4 digits; `round(x, 4)` goes by way of text and takes five times as long."""
    return round(probability * 10_000) / 10_000
