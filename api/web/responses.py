"""Responses, prepared with or without Flask."""

from typing import Any, NamedTuple

from flask import Response, request

from api.json import dump


class Prepared(NamedTuple):
    """An answer that is ready to be wrapped for Flask, sent without it, or cached.

    Attributes:
        body: JSON.
        headers: those of the body: type, length, caching.
        etag: None where no client may cache it.
    """

    body: bytes
    headers: list[tuple[str, str]]
    etag: str | None


def respond(prepared: Prepared) -> Response:
    """The Flask response of an answer; a 304 where the caller has it already."""
    response = Response(prepared.body, headers=prepared.headers)
    if prepared.etag is not None:
        response.make_conditional(request)
    return response


def answer_plain(document: Any, status: int = 200) -> Response:
    """The Flask response of a document that no client may cache."""
    response = Response(dump(document), status, content_type="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response
