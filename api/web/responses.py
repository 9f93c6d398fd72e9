"""Answers ready to be sent, with or without Flask."""

from typing import Any, NamedTuple

from flask import Response, request

from api.json import dump


class Prepared(NamedTuple):
    """An answer before it is sent: to be wrapped for Flask, sent without it, or kept.

    Attributes:
        body: JSON.
        headers: all that say something of the body.
        etag: None where nobody may keep it.
    """

    body: bytes
    headers: list[tuple[str, str]]
    etag: str | None


def respond(prepared: Prepared) -> Response:
    """The answer by way of Flask; a 304 where the caller has it already."""
    response = Response(prepared.body, headers=prepared.headers)
    if prepared.etag is not None:
        response.make_conditional(request)
    return response


def answer_plain(document: Any, status: int = 200) -> Response:
    """Anything else that is asked again each time."""
    response = Response(dump(document), status, content_type="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response
