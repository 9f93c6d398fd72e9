"""Fast path: plain GETs of lists, answered without Flask.

Routing, request and response objects are most of the cost of an answer. A request that is not plain, not allowed or
not valid goes on to Flask, which applies the same rules and describes the problem. Only an unknown product is answered
here.
"""

import time
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

from werkzeug.wsgi import get_path_info

from api.ids import request_id
from api.security.auth import admit
from api.security.callers import Principal, find_principal
from api.security.permissions import Permission, allow
from api.security.query_key import move_query_key
from api.serving.list_routes import MAX_KEY_LENGTH, KeptAnswer, Lists, answer_key, answer_list
from api.serving.service import Service
from api.serving.slates import SlateBuilder
from api.telemetry.logs import Logger
from api.telemetry.metrics import count_kept_answer, waited_s
from api.web.access_log import finish
from api.web.parsing import escape_query
from api.web.problems import prepare
from api.web.query_names import drop_unknown
from recommender.errors import UnknownProductError
from recommender.storage.run_sync import run_sync

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

Headers = list[tuple[str, str]]
_OF_THE_BODY = frozenset({"Content-Type", "Content-Length"})
"""Headers that a 304 leaves out."""


class Ready(NamedTuple):
    """An answer to be sent."""

    status: int
    headers: Headers
    body: bytes


_OTHER_PAGES = "/console/"
"""Begins the paths of pages that have names of their own in their queries."""


class FastPath:
    """WSGI middleware that answers plain GETs of lists and leaves the rest to `app`.

    Args:
        app: Flask's own WSGI application.
        service: shared with `app`.
        lists: the routes to answer.
        logger: gives the logger, which takes a line a request.
    """

    def __init__(
        self,
        app: "WSGIApplication",
        service: Service,
        lists: Lists,
        logger: Callable[[], Logger],
    ) -> None:
        self.app = app
        self._service = service
        self._lists = lists
        self._logger = logger

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request, as WSGI (PEP 3333) wants it."""
        ready = run_sync(self.answer(environ, in_loop=False))
        if ready is None:
            return self.app(environ, start_response)
        start_response(f"{ready.status} {HTTPStatus(ready.status).phrase.upper()}", ready.headers)
        return (ready.body,) if ready.body else ()

    async def answer(self, environ: "WSGIEnvironment", *, in_loop: bool) -> Ready | None:
        """The answer to one request; None leaves it to `app`, which must be given the same `environ`.

        `in_loop` says whether an event loop waits for it; else a thread does.
        """
        started = time.perf_counter()
        waited_s.set(0.0)
        self._service.shops.keep_following()
        if environ.get("QUERY_STRING"):
            _clean_query(environ)
        if environ["REQUEST_METHOD"] != "GET":
            return None
        name = request_id(environ.get("HTTP_X_REQUEST_ID"))
        try:
            found = await self._find(environ, name, in_loop)
        except Exception:  # Flask comes to the same end and says it properly
            found = None
        if found is None:
            return None
        answer, caller_headers = found
        status = 304 if "HTTP_IF_NONE_MATCH" in environ else answer.status
        finished = finish(self._logger(), environ, answer.rule, status, started=started, name=name)
        headers = [*answer.prepared.headers, *caller_headers, *finished]
        if status == 304:
            return Ready(304, [header for header in headers if header[0] not in _OF_THE_BODY], b"")
        return Ready(status, headers, answer.prepared.body)

    async def _find(self, environ: "WSGIEnvironment", name: str, in_loop: bool) -> tuple[KeptAnswer, Headers] | None:
        """The answer, kept or made, and the headers for its caller; None where Flask is to answer."""
        etag = environ.get("HTTP_IF_NONE_MATCH")
        principal = find_principal(environ, self._service.shops.api_keys, self._service.settings.shop)
        if in_loop and not self._service.shops.is_open(principal.shop):  # a thread reads its state
            return None
        builder = self._service.builder(principal.shop, environ.get("HTTP_ACCEPT_LANGUAGE"), in_loop=in_loop)
        key = answer_key(environ, builder.presentation.language)
        if len(key) > MAX_KEY_LENGTH:
            return None
        kept: KeptAnswer | None = builder.state.answers.get(key)
        if not builder.cache.answering:
            return None
        if kept is None or (kept.until is not None and kept.until <= builder.as_of.timestamp()):
            return None if etag is not None else await self._make(environ, name, principal, builder, key)
        if etag not in (None, kept.prepared.etag):
            return None
        caller_headers = self._admit(environ, principal, kept.access, None)
        count_kept_answer()
        return kept, caller_headers

    async def _make(
        self, environ: "WSGIEnvironment", name: str, principal: Principal, builder: SlateBuilder, key: str
    ) -> tuple[KeptAnswer, Headers] | None:
        asked = self._lists.find(get_path_info(environ), environ.get("QUERY_STRING", ""))
        if asked is None:
            return None
        caller_headers = self._admit(environ, principal, asked.route.access, asked.customer_id)
        try:
            status, prepared = 200, await answer_list(self._service, builder, asked, environ, key)
        except UnknownProductError as error:  # shops and robots ask for these all day
            status, prepared = prepare(error, name)
        return KeptAnswer(prepared, asked.rule, asked.route.access, status=status), caller_headers

    def _admit(
        self, environ: "WSGIEnvironment", principal: Principal, access: Permission, customer_id: str | None
    ) -> Headers:
        """Rate-limit and CORS headers of a permitted request. Raises as `allow` and `admit`."""
        allow(access, principal, customer_id)
        return [] if principal.key_id is None else admit(environ, principal, self._service.shops.rate_limits)


def _clean_query(environ: "WSGIEnvironment") -> None:
    """Move a key out of the query, and leave ASCII of it, and of a GET only what may be a parameter of ours."""
    move_query_key(environ)
    if not environ["QUERY_STRING"].isascii():
        environ["QUERY_STRING"] = escape_query(environ["QUERY_STRING"])
    pages = environ["PATH_INFO"].startswith(_OTHER_PAGES)
    if environ["REQUEST_METHOD"] in ("GET", "HEAD") and not pages:
        environ["QUERY_STRING"] = drop_unknown(environ["QUERY_STRING"])
