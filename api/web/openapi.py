"""OpenAPI 3.1 document, and decorators that check a request by the models that document it.

The only `import spectree`: it collects the routes. Requests are checked by `api.web.parsing`, which is stricter, and
answers are not checked at all: they are written by hand and tested.
"""

import sys
from collections.abc import Callable
from copy import deepcopy
from functools import cache, wraps
from importlib.metadata import version
from typing import Any, TypeVar, cast

from flask import Response, g, request
from pydantic import BaseModel

from api.ids import MAX_ID_LENGTH
from api.schemas.answers import Problem
from api.schemas.events import any_event, event_schemas, event_table
from api.schemas.requests import PLACEMENT_NAME
from api.security.auth import Permission, accessible
from api.security.customer_tokens import HEADER as TOKEN_HEADER
from api.web.body_limits import MAX_BEACON_BYTES, MAX_BODY_BYTES
from api.web.parsing import check_path, parse_body, parse_query, refuse_query
from api.web.query_names import add_names
from recommender import DISTRIBUTION

sys.modules["offapi"] = None  # type: ignore[assignment] # pages that we do not use: 38 MB of every worker
from spectree import Response as Responses  # noqa: E402
from spectree import SpecTree, Tag  # noqa: E402

del sys.modules["offapi"]

_TAGS = {
    "products": Tag(name="products", description="Lists of one product or the whole shop; anyone may cache them."),
    "customers": Tag(name="customers", description="Slates of one person or session; nobody may cache them."),
    "events": Tag(name="events", description="What people did in the shop."),
    "campaigns": Tag(name="campaigns", description="Picks for mails."),
    "administration": Tag(name="administration", description="What is configured and published."),
    "mails": Tag(name="mails", description="What the links of a mail lead to; whoever has the mail may open them."),
    "health": Tag(name="health", description="Probes."),
}
_PATH_EXAMPLES = {
    "product_id": "COFFEE-1KG",
    "customer_id": "C-1042",
    "campaign_id": "2026-11-22-reorder",
    "name": "home",
    "version": "20261120T020000Z-3f2a",
}
_SECURITY_SCHEMES = {
    "secret_key": {"type": "http", "scheme": "bearer", "description": "`sk_…`, between servers, with scopes."},
    "publishable_key": {
        "type": "http",
        "scheme": "bearer",
        "description": "`pk_…`, in browsers and apps; it reads, and tells of visitors. Also in the query, as `key`.",
    },
    "customer_token": {
        "type": "apiKey",
        "in": "header",
        "name": TOKEN_HEADER,
        "description": "Short-lived; the shop's back end signs it for one customer.",
    },
}
_CALLERS: dict[Permission, list[dict[str, list[str]]]] = {
    Permission.OPEN: [],
    Permission.SIGNED: [],
    Permission.PRODUCTS: [{"secret_key": ["read"]}, {"publishable_key": []}],
    Permission.PERSON: [{"secret_key": ["read"]}, {"publishable_key": [], "customer_token": []}],
    Permission.SESSION: [
        {"secret_key": ["read"]},
        {"publishable_key": []},
        {"publishable_key": [], "customer_token": []},
    ],
    Permission.SERVER: [{"secret_key": ["read"]}],
    Permission.EVENTS: [
        {"secret_key": ["events"]},
        {"publishable_key": []},
        {"publishable_key": [], "customer_token": []},
    ],
    Permission.CAMPAIGNS: [{"secret_key": ["campaigns"]}],
    Permission.CATALOGUE: [{"secret_key": ["catalogue"]}, {"secret_key": ["admin"]}],
    Permission.ADMIN: [{"secret_key": ["admin"]}],
}
"""Permission → credentials, any one of which opens a route; while there are no keys, this machine needs none."""
_REFUSALS = (401, 403, 429, 503)
"""Statuses of every route with a key: no key, no permission, too many requests, keys that cannot be read."""
_REFUSAL_HEADERS = {
    "401": {"WWW-Authenticate": {"schema": {"type": "string"}, "description": "`Bearer`."}},
    "429": {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."}},
    "503": {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds, where another try may help."}},
}
_RATE_LIMIT_HEADERS = {
    "RateLimit-Limit": {"schema": {"type": "integer"}, "description": "Requests in a row that this key may make."},
    "RateLimit-Remaining": {"schema": {"type": "integer"}, "description": "How many of them are left."},
    "RateLimit-Reset": {"schema": {"type": "integer"}, "description": "Seconds until all are there again."},
}
_LINK_PARTS: dict[str, dict[str, Any]] = {
    "signed": {
        "schema": {"type": "string", "minLength": 1},
        "example": "WyJkZWZhdWx0Il0.c2lnbmF0dXJl",
        "description": "Made and signed by Reprise, and of no use to others: who was written to, and the picks.",
    },
    "slot": {
        "schema": {"type": "string", "pattern": "^[1-9][0-9]?$"},
        "example": "1",
        "description": "Where in the mail, from 1.",
    },
}
"""Path parameters of a mail's link, which are no ids."""
_PATH_DESCRIPTION = "The shop's own id, URL-encoded; slashes may stay as they are."
_View = TypeVar("_View", bound=Callable[..., Response])
_access: dict[str, Permission] = {}
"""operationId → the permission that it needs."""

_spec = SpecTree(
    "flask",
    title="Reprise",
    version=version(DISTRIBUTION),
    description="Product recommendations for repeat purchases: what a customer will want again, and when.",
    mode="strict",
    annotations=False,
    validation_error_status=400,
    validation_error_model=Problem,
    naming_strategy=lambda model: model.__name__,
    nested_naming_strategy=lambda _, child: child,
)


def operation(
    name: str,
    *,
    tag: str,
    access: Permission,
    answer: type[BaseModel],
    query: type[BaseModel] | None = None,
    body: type[BaseModel] | None = None,
    status: int = 200,
    shared: bool = False,
    problems: tuple[int, ...] = (),
) -> Callable[[_View], _View]:
    """Decorator that documents a view, and passes it the checked query and body as `query` and `body`.

    Args:
        name: the operationId.
        tag: one of the document's tags.
        access: the permission that it needs.
        answer: schema of the answer.
        query: schema of the query string; None takes none beside a body.
        body: schema of the JSON body.
        status: of an answer without an error.
        shared: whether If-None-Match is answered with 304.
        problems: error statuses besides 400 and those that `access` brings.
    """
    codes = ("HTTP_304",) if shared else ()
    _access[name] = access
    if query is not None:
        add_names(query.model_fields)
    refusals = () if access.keyless else _REFUSALS
    shapes = {f"HTTP_{status}": answer, **{f"HTTP_{problem}": Problem for problem in (*problems, *refusals)}}
    responses = Responses(*codes, **shapes)
    describe = _spec.validate(
        query=query, json=body, resp=responses, tags=(_TAGS[tag],), operation_id=name, skip_validation=True
    )

    def decorate(view: _View) -> _View:
        # the described wrapper is found by the document through __wrapped__; requests go past it, straight to the view
        @accessible(access)
        @wraps(describe(view))
        def checked(**arguments: Any) -> Response:
            check_path(arguments)
            if query is not None:
                arguments["query"] = parse_query(query, request.args)
            elif body is not None:
                refuse_query(request.environ.get("QUERY_STRING", ""))
            if body is not None:
                public = g.principal.kind == "publishable"
                most = MAX_BEACON_BYTES if public and access is Permission.EVENTS else MAX_BODY_BYTES
                arguments["body"] = parse_body(body, request, most, as_text=public)
            return view(**arguments)

        return cast(_View, checked)

    return decorate


def link_operation(name: str, *statuses: int, problems: tuple[int, ...] = ()) -> Callable[[_View], _View]:
    """Decorator that documents the view of a link in a mail: answers are no JSON, and no request is checked.

    Args:
        name: the operationId.
        statuses: of answers without an error.
        problems: error statuses besides 404.
    """
    _access[name] = Permission.SIGNED
    shapes = {f"HTTP_{problem}": Problem for problem in (404, *problems)}
    responses = Responses(*[f"HTTP_{status}" for status in statuses], **shapes)
    describe = _spec.validate(resp=responses, tags=(_TAGS["mails"],), operation_id=name, skip_validation=True)

    def decorate(view: _View) -> _View:
        @accessible(Permission.SIGNED)
        @wraps(describe(view))
        def opened(**arguments: Any) -> Response:
            return view(**arguments)

        return cast(_View, opened)

    return decorate


@cache
def document() -> dict[str, Any]:
    """The OpenAPI document; the same for every app, so it is built once. Needs an application context."""
    built: dict[str, Any] = deepcopy(_spec.spec)
    schemas = built["components"]["schemas"]
    # spectree lists a query's model as a schema too; its fields are the operation's parameters already
    # in the order of their names, not in that in which modules happen to be imported
    named = {name: schema for name, schema in sorted(schemas.items()) if not name.endswith("Query")}
    built["components"]["schemas"] = named
    built["components"]["securitySchemes"] = _SECURITY_SCHEMES
    for path in built["paths"].values():
        for described in path.values():
            for parameter in described["parameters"]:
                _tidy_parameter(parameter)
            for status, response in described["responses"].items():
                _tidy_response(status, response)
            _document_access(described, _access[described["operationId"]])
            if described["operationId"] == "accept_events":
                _document_events(described, named)
    return built


def _tidy_parameter(parameter: dict[str, Any]) -> None:
    """Give a path parameter its length and an example; make a query parameter optional instead of nullable."""
    if parameter["name"] in _LINK_PARTS:
        parameter |= _LINK_PARTS[parameter["name"]]
    elif parameter["in"] == "path":
        parameter["schema"] = {"type": "string", "minLength": 1, "maxLength": MAX_ID_LENGTH}
        if parameter["name"] == "name":
            parameter["schema"] = {"type": "string", "pattern": f"^{PLACEMENT_NAME.pattern}$"}
        parameter["example"] = _PATH_EXAMPLES[parameter["name"]]
        parameter["description"] = _PATH_DESCRIPTION
    else:
        schema = parameter["schema"]
        choices = [choice for choice in schema.pop("anyOf", ()) if choice != {"type": "null"}]
        if choices:
            schema.pop("default", None)
            schema.update(*choices)


def _tidy_response(status: str, response: dict[str, Any]) -> None:
    """Give an error the media type of problems, and every response the header of its request id."""
    if int(status) >= 400:
        response["content"] = {"application/problem+json": response["content"]["application/json"]}
    response["headers"] = {"X-Request-ID": {"schema": {"type": "string"}, "description": "Names the line in the log."}}


def _document_events(described: dict[str, Any], schemas: dict[str, Any]) -> None:
    """Document every type of the events that an operation takes: a schema each, and a table of all."""
    schemas |= event_schemas()
    schemas["EventsBody"]["properties"]["events"]["items"] = any_event()
    described["description"] += f"\n\n{event_table()}"


def _document_access(described: dict[str, Any], access: Permission) -> None:
    """Document who may call an operation, and its rate limit."""
    described["x-access"] = access.value
    described["security"] = _CALLERS[access]
    for status, response in described["responses"].items():
        if not access.keyless:
            response["headers"] |= _REFUSAL_HEADERS.get(status, {})
            response["headers"] |= _RATE_LIMIT_HEADERS if status not in ("401", "503") else {}
