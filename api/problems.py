"""Every error as application/problem+json (RFC 9457). HTTP statuses are decided here and nowhere else."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from flask import Flask, Response, g
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as WerkzeugResponse

from api.logs import log
from api.wire import dump
from recommender import errors

STATUS: dict[type[errors.RepriseError], int] = {
    errors.InvalidRequestError: 400,
    errors.UnauthorizedError: 401,
    errors.ForbiddenError: 403,
    errors.TooManyRequestsError: 429,
    errors.UnknownProductError: 404,
    errors.UnknownPlacementError: 404,
    errors.VersionNotFoundError: 404,
    errors.StoreError: 503,
}
"""The nearest class upwards counts; every other error is a 500."""
_CODES = {413: "body_too_large", 415: "unsupported_media_type"}
"""Names that do not change with Python's own; the others are those of HTTPStatus."""


def attach(app: Flask) -> None:
    """Answer every error of `app` as a problem."""
    app.register_error_handler(errors.RepriseError, _from_reprise)
    app.register_error_handler(HTTPException, _from_http)
    app.register_error_handler(Exception, _from_bug)


def problem(
    status: int,
    code: str,
    detail: str,
    details: Sequence[Mapping[str, str]] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """One problem. `details` holds a {"field", "message"} for each wrong parameter or field."""
    body = {
        "type": f"urn:reprise:problem:{code}",
        "title": code.replace("_", " ").capitalize(),
        "status": status,
        "detail": detail,
        "code": code,
        "errors": list(details),
        "request_id": g.request_id,
    }
    kept = {**(headers or {}), "Cache-Control": "no-store"}
    return Response(dump(body), status, kept, content_type="application/problem+json")


def _from_reprise(error: errors.RepriseError) -> Response:
    status = next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), None)
    if status is None:
        return _from_bug(error)
    if status >= 500:  # the message names our own servers: it is for the log
        log().error(error.code, request_id=g.request_id, detail=str(error))
        return problem(status, error.code, "published lists cannot be read now; the log has it under this request_id")
    details = error.errors if isinstance(error, errors.InvalidRequestError) else ()
    return problem(status, error.code, str(error), details)


def _from_http(error: HTTPException) -> Response | WerkzeugResponse:
    status = error.code or 500
    if status < 400:  # a redirect of the router is no error
        return error.get_response()
    headers = {name: value for name, value in error.get_headers() if name != "Content-Type"}
    code = _CODES.get(status) or HTTPStatus(status).name.lower()
    return problem(status, code, error.description or HTTPStatus(status).phrase, headers=headers)


def _from_bug(error: Exception) -> Response:
    log().error("unexpected_error", request_id=g.request_id, exc_info=error)
    return problem(500, "internal_server_error", "an unexpected error; the log has it under this request_id")
