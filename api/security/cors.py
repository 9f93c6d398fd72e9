"""Cross-origin requests (https://fetch.spec.whatwg.org/#http-cors-protocol), by the origins of publishable keys.

No cookie is ever used, so credentials are never allowed, and `*` is never answered.
"""

from collections.abc import Collection, Iterable

from flask import Request, Response

from api.security.customer_tokens import HEADER as TOKEN_HEADER
from recommender.storage.api_keys import ApiKey

REQUEST_HEADERS = (
    "Authorization",
    "Content-Type",
    "If-None-Match",
    "X-Request-ID",
    TOKEN_HEADER,
    "traceparent",
    "tracestate",
    "baggage",
    "sentry-trace",
)
"""What a page may send; the last four are what tracing in browsers adds to every request."""
EXPOSED_HEADERS = (
    "Date",
    "ETag",
    "RateLimit-Limit",
    "RateLimit-Remaining",
    "RateLimit-Reset",
    "Reprise-Fallback",
    "Retry-After",
    "Server-Timing",
    "X-Request-ID",
)
"""What a page may read besides the body."""
_EXPOSED = ", ".join(EXPOSED_HEADERS)
MAX_AGE_S = 7200
"""For so long a browser does not ask again; no browser remembers longer."""


def is_preflight(request: Request) -> bool:
    """Whether it is a browser that asks with OPTIONS, on its own and without a key, what a page may send."""
    return "Origin" in request.headers and "Access-Control-Request-Method" in request.headers


def answer_preflight(origin: str, keys: Iterable[ApiKey], methods: Iterable[str]) -> Response | None:
    """What a page of `origin` may send; None where no key lists it. The request itself is checked by its own key."""
    if not any(origin in key.origins for key in keys):
        return None
    return Response(
        status=204,
        headers={
            "Access-Control-Allow-Origin": origin,
            "Access-Control-Allow-Methods": ", ".join(sorted(methods)),
            "Access-Control-Allow-Headers": ", ".join(REQUEST_HEADERS),
            "Access-Control-Max-Age": str(MAX_AGE_S),
            "Vary": "Origin",
        },
    )


def origin_headers(origin: str | None, origins: Collection[str]) -> list[tuple[str, str]]:
    """What lets a page of `origin` read the answer to a key with these `origins`; nothing for any other page."""
    if origin is None or origin not in origins:
        return []
    return [("Access-Control-Allow-Origin", origin), ("Access-Control-Expose-Headers", _EXPOSED)]
