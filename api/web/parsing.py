"""Parsing of requests into checked models; errors name every wrong field."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from flask import Request
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import UnsupportedMediaType

from api.ids import MAX_ID_LENGTH
from api.web.body_limits import MAX_BODY_BYTES, read_body
from api.web.query_names import drop_unknown, find_nearest
from recommender.errors import InvalidRequestError, NothingAcceptedError

REPEATABLE = frozenset({"category", "exclude"})
"""Query parameters that may be given more than once."""
MAX_ERRORS = 20
"""Most errors of one answer: a body of many wrong fields must not get an answer many times its size."""
_SHORT_QUERY = 128
_Model = TypeVar("_Model", bound=BaseModel)


def escape_query(query: str) -> str:
    """A query string of ASCII alone, as Werkzeug needs: servers differ in what they make of unescaped characters.

    Most give Latin-1 that stands for the bytes of UTF-8 (PEP 3333), Granian the characters.
    """
    try:
        sent = query.encode("latin-1")
        sent.decode()
    except UnicodeError:
        sent = query.encode("utf-8", "surrogatepass")
    return "".join(chr(byte) if byte < 128 else f"%{byte:02X}" for byte in sent)


def canonical_query(query: str) -> str:
    """A query string with its parameters in one order, which changes no answer: so that caches know it again."""
    return "&".join(sorted(query.split("&"))) if "&" in query else query


def read_query(model: type[_Model], query: str) -> _Model:
    """A query string of ASCII as `model`, cached where it is short. Raises as `parse_query`."""
    return _read_cached(model, query) if len(query) <= _SHORT_QUERY else _read(model, query)


def _read(model: type[_Model], query: str) -> _Model:
    return parse_query(model, MultiDict(parse_qsl(query, keep_blank_values=True, errors="werkzeug.url_quote")))


_read_cached = lru_cache(maxsize=1_024)(_read)
"""Most requests repeat the query of an earlier one."""


def parse_query(model: type[_Model], parameters: MultiDict[str, str]) -> _Model:
    """The query parameters as `model`.

    Raises:
        InvalidRequestError: a parameter is unknown, repeated, or has a value that cannot be.
    """
    given = dict(parameters.lists())
    repeated = [name for name, values in given.items() if len(values) > 1 and name not in REPEATABLE]
    if repeated:
        raise invalid([{"field": name, "message": "is given more than once"} for name in repeated])
    try:
        return model.model_validate({name: v if name in REPEATABLE else v[0] for name, v in given.items()})
    except ValidationError as error:
        raise wrong_fields(model, error) from None


def refuse_query(query: str) -> None:
    """Refuse what a request with a body has in its query string and means something elsewhere; strangers may stay.

    Raises InvalidRequestError.
    """
    if not query:
        return
    given = dict.fromkeys(name for name, _ in parse_qsl(drop_unknown(query), keep_blank_values=True))
    if given:
        message = "does not count in the query of a request that has a body; say it there"
        raise invalid([{"field": name, "message": message} for name in given])


def parse_body(model: type[_Model], request: Request, most: int = MAX_BODY_BYTES, *, as_text: bool = False) -> _Model:
    """The JSON body of a request as `model`, without conversions: `"5"` is no number.

    It is shorter than `most` bytes, and may be announced `as_text`, for which browsers send no preflight.

    Raises:
        InvalidRequestError: the body is not JSON, or a field is missing, unknown or has a value that cannot be.
        UnsupportedMediaType: it is not announced as JSON, or has a content encoding.
        RequestEntityTooLarge, RequestTimeout: see `read_body`.
    """
    encoding = request.headers.get("Content-Encoding", "")[:64]
    if encoding.lower() not in ("", "identity"):
        raise UnsupportedMediaType(f"the body is encoded as {encoding!r}: send it as it is, without Content-Encoding")
    if not request.is_json and not (as_text and request.mimetype == "text/plain"):
        raise UnsupportedMediaType("the body must be JSON: send Content-Type: application/json")
    body = read_body(request, most)
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise wrong_fields(model, error) from None


def parse_fields(model: type[_Model], fields: dict[str, Any]) -> _Model:
    """The fields of a JSON body as `model`, checked as in `parse_body`. Raises InvalidRequestError."""
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        raise wrong_fields(model, error) from None


def check_path(ids: dict[str, str]) -> None:
    """Refuse ids in the path over MAX_ID_LENGTH. Raises InvalidRequestError."""
    long = [name for name, value in ids.items() if len(value) > MAX_ID_LENGTH]
    if long:
        raise invalid([{"field": name, "message": f"is longer than {MAX_ID_LENGTH} characters"} for name in long])


def wrong_fields(model: type[BaseModel], error: ValidationError) -> InvalidRequestError:
    """The error of fields that `model` refused."""
    return invalid([_describe(problem, model) for problem in error.errors()[:MAX_ERRORS]])


def _describe(problem: ErrorDetails, model: type[BaseModel]) -> dict[str, str]:
    field = ".".join(str(part) for part in problem["loc"]) or "body"
    message = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "extra_forbidden":
        nearest = find_nearest(field, model.model_fields)
        message = f"is not known here; did you mean `{nearest}`?" if nearest else "is not known here"
    return {"field": field, "message": message}


def nothing_accepted(name: str, rejected: Sequence[Mapping[str, Any]]) -> NothingAcceptedError:
    """The error of a request in whose list `name` all was rejected, each {"index", "code", "message"}."""
    errors = [
        {"field": f"{name}.{one['index']}", "message": one["message"], "code": one["code"]}
        for one in rejected[:MAX_ERRORS]
    ]
    first = f"{errors[0]['field']}: {errors[0]['message']}"
    return NothingAcceptedError(f"none of {len(rejected):,} {name} was accepted; {first}", errors)


def invalid(errors: list[dict[str, str]]) -> InvalidRequestError:
    """The error of wrong fields, each {"field", "message"}; only the first MAX_ERRORS are in it."""
    named = [error | {"field": error["field"][:MAX_ID_LENGTH]} for error in errors[:MAX_ERRORS]]
    return InvalidRequestError("; ".join(f"{error['field']}: {error['message']}" for error in named), named)
