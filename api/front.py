"""The layer before Flask: a product list that this worker answered a moment ago is answered again without it.

Routing, request and response objects are most of the cost of an answer that is at hand. Whatever is not a plain GET of
a kept answer goes on to Flask, which decides everything; here nothing is decided anew.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import Response

from api.auth import Access, allow, find_caller
from api.ids import request_id
from recommender.errors import RepriseError
from recommender.shelf import ShelfState

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from api.service import Service

MAX_KEY_LENGTH = 256
"""An answer is kept for a path and query up to this long, together: made-up ones must not fill the memory."""


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """One answer as it was given."""

    body: bytes
    etag: str
    headers: list[tuple[str, str]]


def keep_answer(environ: "WSGIEnvironment", state: ShelfState, response: Response) -> None:
    """Keep a 200 for the next one who asks the same of the same `state`."""
    key = _key(environ)
    if environ["REQUEST_METHOD"] == "GET" and len(key) <= MAX_KEY_LENGTH:
        state.answers.keep(key, KeptAnswer(response.get_data(), response.headers["ETag"], list(response.headers)))


class Front:
    """Answers what is kept; leaves the rest to `app`."""

    def __init__(self, app: "WSGIApplication", service: "Service") -> None:
        self._app = app
        self._service = service

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request, as WSGI (PEP 3333) wants it."""
        self._service.shops.keep_following()
        kept = self._find(environ)
        if kept is None:
            return self._app(environ, start_response)
        headers = [*kept.headers, ("X-Request-ID", request_id(environ.get("HTTP_X_REQUEST_ID")))]
        if environ.get("HTTP_IF_NONE_MATCH") == kept.etag:
            start_response("304 NOT MODIFIED", [header for header in headers if not header[0].startswith("Content-")])
            return ()
        start_response("200 OK", headers)
        return (kept.body,)

    def _find(self, environ: "WSGIEnvironment") -> KeptAnswer | None:
        if environ["REQUEST_METHOD"] != "GET":
            return None
        try:
            caller = find_caller(environ, self._service.shops, self._service.settings.shop)
            allow(Access.PRODUCTS, caller, None)
        except RepriseError:
            return None
        shelf = self._service.shops.shelf(caller.shop)
        found: Any = shelf.state.answers.get(_key(environ)) if shelf.answering else None
        return found  # type: ignore[no-any-return]


def _key(environ: "WSGIEnvironment") -> str:
    return f"{environ['PATH_INFO']}?{environ.get('QUERY_STRING', '')}"
