"""From an outcome to the answer's JSON and its caching headers."""

import hashlib
from functools import lru_cache
from typing import Any

from api.ids import derived_recommendation_id
from api.json import dump
from api.serving.slates import Outcome
from api.telemetry.metrics import count_answer
from api.web.responses import Prepared
from recommender.publication.manifest import version_as_of
from recommender.slate.item_json import to_item

PUBLIC = "public, max-age=60"
PRIVATE = "private, no-store"


def prepare_public(outcome: Outcome, path: str, query: str) -> Prepared:
    """An answer that anyone may share: the same bytes, and so the same ETag, for the same version, path and query.

    Nobody keeps one that could not be read.
    """
    body = dump(to_document(outcome, derived_recommendation_id(outcome.version or "", path, query)))
    if outcome.version is None or (outcome.shortfall and outcome.shortfall.reason == "store_unavailable"):
        return Prepared(body, _headers(outcome, body, "no-store"), None)
    etag = f'"{hashlib.sha1(body, usedforsecurity=False).hexdigest()}"'
    headers = [*_headers(outcome, body, PUBLIC), ("Vary", "Authorization"), ("ETag", etag)]
    return Prepared(body, headers, etag)


def prepare_private(outcome: Outcome, recommendation_id: str) -> Prepared:
    """An answer for one person, or one session: nobody keeps it, and its id is its own."""
    body = dump(to_personal_document(outcome, recommendation_id))
    return Prepared(body, _headers(outcome, body, PRIVATE), None)


def to_document(outcome: Outcome, recommendation_id: str) -> dict[str, Any]:
    """The answer as plain JSON types. A dictionary by hand: a checked model per item would cost more than the slate."""
    shortfall = outcome.shortfall
    return {
        "recommendation_id": recommendation_id,
        "placement": outcome.placement,
        "model_version": outcome.version,
        "as_of": None if outcome.version is None else _as_of(outcome.version),
        "limit": {
            "requested": outcome.limit.requested,
            "applied": outcome.limit.applied,
            "cap": outcome.limit.cap,
        },
        "suppressed": outcome.slate.suppressed,
        "fallback": None if shortfall is None else {"reason": shortfall.reason, "used": shortfall.used},
        "items": list(map(to_item, outcome.slate.items)),
    }


def to_personal_document(outcome: Outcome, recommendation_id: str) -> dict[str, Any]:
    """The same for one person, or one session, with what the person was assigned to."""
    assigned = [{"experiment": one.experiment, "variant": one.variant} for one in outcome.assignments]
    return to_document(outcome, recommendation_id) | {"experiments": assigned}


def _headers(outcome: Outcome, body: bytes, cache_control: str) -> list[tuple[str, str]]:
    count_answer(*outcome.counted)
    headers = [
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(body))),
        ("Cache-Control", cache_control),
    ]
    return headers if outcome.shortfall is None else [*headers, ("Reprise-Fallback", outcome.shortfall.reason)]


@lru_cache(maxsize=64)
def _as_of(version: str) -> str:
    return f"{version_as_of(version):%Y-%m-%dT%H:%M:%SZ}"
