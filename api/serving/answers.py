"""Answers: the JSON of a slate and its caching headers."""

import hashlib
from functools import lru_cache
from typing import Any

from api.ids import derived_recommendation_id
from api.json import dump
from api.serving.slates import SlateResult
from api.telemetry.metrics import count_answer
from api.web.responses import Prepared
from recommender.publication.manifest import version_as_of
from recommender.slate.item_json import to_item

PUBLIC = "public, max-age=60"
PRIVATE = "private, no-store"


def prepare_public(result: SlateResult, path: str, query: str) -> Prepared:
    """An answer that anyone may share: the same bytes, and so the same ETag, for one version, path, query and language.

    One whose lists could not be read is not to be cached.
    """
    body = dump(to_document(result, derived_recommendation_id(result.version or "", path, query)))
    if result.version is None or (result.fallback and result.fallback.reason == "store_unavailable"):
        return Prepared(body, _headers(result, body, "no-store"), None)
    told = hashlib.sha1(body, usedforsecurity=False)
    told.update(result.presentation.language.tag.encode())
    etag = f'"{told.hexdigest()}"'
    headers = [*_headers(result, body, PUBLIC), ("Vary", "Authorization"), ("ETag", etag)]
    return Prepared(body, headers, etag)


def prepare_private(result: SlateResult, recommendation_id: str) -> Prepared:
    """A private answer for one person or session: never cached by others, with an id of its own."""
    body = dump(to_personal_document(result, recommendation_id))
    return Prepared(body, _headers(result, body, PRIVATE), None)


def to_document(result: SlateResult, recommendation_id: str) -> dict[str, Any]:
    """The answer as plain JSON types. A dictionary by hand: a checked model per item would cost more than the slate."""
    fallback = result.fallback
    return {
        "recommendation_id": recommendation_id,
        "placement": result.placement,
        "model_version": result.version,
        "as_of": None if result.version is None else _as_of(result.version),
        "limit": {
            "requested": result.limit.requested,
            "applied": result.limit.applied,
            "cap": result.limit.cap,
        },
        "suppressed": result.slate.suppressed,
        "fallback": None if fallback is None else {"reason": fallback.reason, "used": fallback.used},
        "items": [to_item(item, result.presentation) for item in result.slate.items],
    }


def to_personal_document(result: SlateResult, recommendation_id: str) -> dict[str, Any]:
    """The answer for one person or session as plain JSON types: `to_document` with the assignments."""
    document, assigned = to_document(result, recommendation_id), result.assignments
    document["experiments"] = [{"experiment": one.experiment, "variant": one.variant} for one in assigned]
    return document


def _headers(result: SlateResult, body: bytes, cache_control: str) -> list[tuple[str, str]]:
    count_answer(*result.counted)
    headers = [
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(body))),
        ("Cache-Control", cache_control),
        ("Content-Language", result.presentation.language.tag),
    ]
    if result.negotiated:
        headers.append(("Vary", "Accept-Language"))
    return headers if result.fallback is None else [*headers, ("Reprise-Fallback", result.fallback.reason)]


@lru_cache(maxsize=64)
def _as_of(version: str) -> str:
    return f"{version_as_of(version):%Y-%m-%dT%H:%M:%SZ}"
