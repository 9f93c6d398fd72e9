"""From an outcome to the answer's JSON and its caching headers."""

from typing import Any

from flask import Response, g, request

from api.front import keep_answer
from api.ids import derived_recommendation_id
from api.service import Outcome, service
from api.wire import dump
from recommender.due import Due
from recommender.publication import version_as_of
from recommender.slate import Item

PUBLIC = "public, max-age=60"
PRIVATE = "private, no-store"


def answer_public(outcome: Outcome) -> Response:
    """An answer that anyone may share: the same bytes, and so the same ETag, for the same version and request.

    The worker keeps it for the next one who asks. Nothing keeps an answer that could not be read.
    """
    query = request.query_string.decode("ascii", "replace")
    recommendation_id = derived_recommendation_id(outcome.version or "", request.path, query)
    response = _json(to_document(outcome, recommendation_id))
    _tell_fallback(response, outcome)
    if outcome.version is None or (outcome.shortfall and outcome.shortfall.reason == "store_unavailable"):
        response.headers["Cache-Control"] = "no-store"
        return response
    response.headers["Cache-Control"] = PUBLIC
    response.headers["Vary"] = "Authorization"
    response.add_etag()
    keep_answer(request.environ, g.shelf_state, response)
    response.make_conditional(request)
    return response


def answer_private(outcome: Outcome) -> Response:
    """An answer for one person, or one session: nobody keeps it, and its id is its own."""
    response = _json(to_document(outcome, service().new_recommendation_id()))
    _tell_fallback(response, outcome)
    response.headers["Cache-Control"] = PRIVATE
    return response


def answer_plain(document: Any, status: int = 200) -> Response:
    """Anything else that is asked again each time."""
    response = _json(document)
    response.status_code = status
    response.headers["Cache-Control"] = "no-store"
    return response


def to_document(outcome: Outcome, recommendation_id: str) -> dict[str, Any]:
    """The answer as plain JSON types. A dictionary by hand: a checked model per item would cost more than the slate."""
    shortfall = outcome.shortfall
    return {
        "recommendation_id": recommendation_id,
        "placement": outcome.placement,
        "model_version": outcome.version,
        "as_of": None if outcome.version is None else f"{version_as_of(outcome.version):%Y-%m-%dT%H:%M:%SZ}",
        "limit": {
            "requested": outcome.limit.requested,
            "applied": outcome.limit.applied,
            "cap": outcome.limit.cap,
        },
        "suppressed": outcome.slate.suppressed,
        "fallback": None if shortfall is None else {"reason": shortfall.reason, "used": shortfall.used},
        "items": [_item(item) for item in outcome.slate.items],
    }


def _item(item: Item) -> dict[str, Any]:
    product, reason = item.product, item.reason
    return {
        "product_id": product.product_id,
        "rank": item.rank,
        "probability": None if item.probability is None else round(item.probability, 4),
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
        "probability": {f"{days}d": round(chance, 4) for days, chance in due.probability.items()},
        "interval_days": due.interval_days,
    }


def _tell_fallback(response: Response, outcome: Outcome) -> None:
    if outcome.shortfall is not None:
        response.headers["Reprise-Fallback"] = outcome.shortfall.reason


def _json(document: Any) -> Response:
    return Response(dump(document), content_type="application/json")
