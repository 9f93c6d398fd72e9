"""JSON of one product of a slate, the same in answers of the service and in the picks of a campaign."""

from datetime import date
from typing import Any, NamedTuple

from recommender.days import to_iso
from recommender.slate.due import HORIZONS_DAYS, Due
from recommender.slate.slate import Item
from recommender.words.language import Language

_DAYS = [f"{days}d" for days in HORIZONS_DAYS]


class Presentation(NamedTuple):
    """How products are told of.

    Attributes:
        language: of the sentences.
        currency: of prices whose product has none of its own; None where it is not known.
        today: the day of which sentences with a date speak; None for what is read later, which gets none.
    """

    language: Language
    currency: str | None = None
    today: date | None = None


def to_item(item: Item, told: Presentation) -> dict[str, Any]:
    """One product that is shown, as plain JSON types."""
    product, rank, kind, probability, due, (code, evidence) = item
    price = product.price
    return {
        "product_id": product.product_id,
        "rank": rank,
        "probability": None if probability is None else round(probability * 10_000) / 10_000,
        "kind": kind,
        "due": None if due is None else _due(due, told),
        "reason": {"code": code, "text": told.language.reason(code, evidence), "evidence": dict(evidence)},
        "product": {
            "title": product.title,
            "price": price,
            "currency": None if price is None else product.currency or told.currency,
            "url": product.url,
            "image_url": product.image_url,
            "category": product.category,
        },
    }


def _due(due: Due, told: Presentation) -> dict[str, Any]:
    at, from_, to, interval_days, probability = due
    # `round(x, 4)` goes by way of text and takes five times as long
    rounded = [round(one * 10_000) / 10_000 for one in probability.values()]
    document = {
        "at": to_iso(at),
        "from": to_iso(from_),
        "to": to_iso(to),
        "probability": dict(zip(_DAYS, rounded, strict=True)),
        "interval_days": interval_days,
    }
    if told.today is not None:
        document["text"] = told.language.due(at, told.today)
    return document
