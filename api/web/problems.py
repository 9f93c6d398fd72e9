"""Problem details of every error (RFC 9457, application/problem+json); the only place of HTTP statuses."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as WerkzeugResponse

from api.json import dump
from api.web.access_log import log
from api.web.responses import Prepared
from recommender import errors

STATUS: dict[type[errors.RepriseError], int] = {
    errors.InvalidRequestError: 400,
    errors.UnauthorizedError: 401,
    errors.ForbiddenError: 403,
    errors.TooManyRequestsError: 429,
    errors.ForgedLinkError: 404,
    errors.NoMailSecretError: 404,
    errors.UnknownCustomerError: 404,
    errors.UnknownProductError: 404,
    errors.UnknownCampaignError: 404,
    errors.CampaignConflictError: 409,
    errors.ChangedMeanwhileError: 409,
    errors.UnknownPlacementError: 404,
    errors.VersionNotFoundError: 404,
    errors.StoreError: 503,
    errors.HomeError: 503,
}
"""The nearest class upwards counts; every other error is a 500."""
REFUSAL = "reprise.refusal"
"""Where the WSGI environment holds the error of a request that is not taken in; who may not ask is told that first."""
_CODES = {413: "body_too_large", 415: "unsupported_media_type"}
"""Codes that do not change with Python's names; the others are those of HTTPStatus."""
_JSON = "application/problem+json"
_UNAVAILABLE = "this cannot be done now, try again in a moment; the log has the cause under this request_id"
_UNKNOWN = "whether this was done is not known: look, or ask again in a moment; the log has the cause"


def attach(app: Flask) -> None:
    """Answer every error of `app` as a problem."""
    app.before_request(_refuse)
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
    """The response of one problem. `details` holds a {"field", "message"} for each wrong parameter or field."""
    uncached = {**(headers or {}), "Cache-Control": "no-store"}
    body = dump(_document(status, code, detail, g.request_id, details))
    return Response(body, status, uncached, content_type=_JSON)


def describe(error: errors.RepriseError | HTTPException, request_id: str) -> dict[str, Any]:
    """The problem of an error as JSON types; raises `error` itself where the status would be 5xx."""
    if isinstance(error, HTTPException):
        code = error.code or 500
        return _document(code, _code(code), error.description or HTTPStatus(code).phrase, request_id)
    status = status_of(error)
    if status is None or status >= 500:
        raise error
    return _document(status, error.code, str(error), request_id, _details(error))


def prepare(error: errors.RepriseError, request_id: str) -> tuple[int, Prepared]:
    """Status and answer of an error, without Flask; raises as `describe`."""
    document = describe(error, request_id)
    body = dump(document)
    headers = [("Content-Type", _JSON), ("Content-Length", str(len(body))), ("Cache-Control", "no-store")]
    return document["status"], Prepared(body, headers, None)


def _document(
    status: int, code: str, detail: str, request_id: str, details: Sequence[Mapping[str, str]] = ()
) -> dict[str, Any]:
    return {
        "type": f"urn:reprise:problem:{code}",
        "title": code.replace("_", " ").capitalize(),
        "status": status,
        "detail": detail,
        "code": code,
        "errors": list(details),
        "request_id": request_id,
    }


def status_of(error: errors.RepriseError) -> int | None:
    """The status of an error; None for one that is a 500."""
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), None)


def _details(error: errors.RepriseError) -> Sequence[Mapping[str, str]]:
    return error.errors if isinstance(error, errors.InvalidRequestError) else ()


def _code(status: int) -> str:
    return _CODES.get(status) or HTTPStatus(status).name.lower()


def _refuse() -> None:
    if (error := request.environ.get(REFUSAL)) is not None:
        raise error


def _from_reprise(error: errors.RepriseError) -> Response:
    status = status_of(error)
    if status is None:
        return _from_bug(error)
    wait_s = getattr(error, "retry_after_s", None)
    headers = None if wait_s is None else {"Retry-After": str(wait_s)}
    if status >= 500:  # the message names servers of the shop: it is for the log
        log().error(error.code, request_id=g.request_id, detail=str(error))
        if isinstance(error, errors.UnansweredError) and request.method == "GET":  # there was nothing to do
            return problem(status, errors.StoreUnavailableError.code, _UNAVAILABLE, headers=headers)
        known = not isinstance(error, errors.UnansweredError)
        return problem(status, error.code, _UNAVAILABLE if known else _UNKNOWN, headers=headers)
    return problem(status, error.code, str(error), _details(error), headers)


def _from_http(error: HTTPException) -> Response | WerkzeugResponse:
    status = error.code or 500
    if status < 400:  # a redirect of the router is no error
        return error.get_response()
    headers = {name: value for name, value in error.get_headers() if name != "Content-Type"}
    return problem(status, _code(status), error.description or HTTPStatus(status).phrase, headers=headers)


def _from_bug(error: Exception) -> Response:
    log().error("unexpected_error", request_id=g.request_id, exc_info=error)
    return problem(500, "internal_server_error", "an unexpected error; the log has it under this request_id")
