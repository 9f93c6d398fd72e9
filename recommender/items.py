"""One product of a slate as JSON: in answers of the service and in the picks of a campaign alike."""

from typing import Any

from recommender.due import HORIZONS_DAYS, Due
from recommender.slate import Item

_DAYS = {days: f"{days}d" for days in HORIZONS_DAYS}


def to_item(item: Item) -> dict[str, Any]:
    """One product that is shown, as plain JSON types."""
    product, reason = item.product, item.reason
    return {
        "product_id": product.product_id,
        "rank": item.rank,
        "probability": None if item.probability is None else _round(item.probability),
        "kind": item.kind,
        "due": None if item.due is None else _due(item.due),
        "reason": {"code": reason.code, "text": reason.text, "evidence": dict(reason.evidence)},
        "product": {
            "title": product.title,
            "price": product.price,
            "url": product.url,
            "image_url": product.image_url,
            "category": product.category,
        },
    }


def _due(due: Due) -> dict[str, Any]:
    return {
        "at": due.at.isoformat(),
        "from": due.from_.isoformat(),
        "to": due.to.isoformat(),
        "probability": {_DAYS[days]: _round(chance) for days, chance in due.probability.items()},
        "interval_days": due.interval_days,
    }


def _round(probability: float) -> float:
    """To 4 digits; `round(x, 4)` goes by way of text and takes five times as long."""
    return round(probability * 10_000) / 10_000
