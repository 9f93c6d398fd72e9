"""The OpenAPI 3.1 document, and the decorator that checks a request by the same models that document it.

The only `import spectree`: it collects the routes. Requests are checked by `api.parsing`, which is stricter, and
answers are not checked at all: they are written by hand and tested.
"""

from collections.abc import Callable
from copy import deepcopy
from functools import cache, wraps
from importlib.metadata import version
from typing import Any, TypeVar, cast

from flask import Response, request
from pydantic import BaseModel
from spectree import Response as Responses
from spectree import SpecTree, Tag

from api.auth import Access, accessible
from api.ids import MAX_ID_LENGTH
from api.parsing import check_path, parse_body, parse_query
from api.schemas import PLACEMENT_NAME, Problem

_TAGS = {
    "products": Tag(name="products", description="Lists of one product or the whole shop; anyone may cache them."),
    "customers": Tag(name="customers", description="Slates of one person or session; nobody may cache them."),
    "administration": Tag(name="administration", description="What is configured and published."),
    "health": Tag(name="health", description="Probes."),
}
_PATH_EXAMPLES = {
    "product_id": "COFFEE-1KG",
    "customer_id": "C-1042",
    "name": "home",
    "version": "20261120T020000Z-3f2a",
}
_PATH_DESCRIPTION = "The shop's own id, URL-encoded; slashes may stay as they are."
_View = TypeVar("_View", bound=Callable[..., Response])

_spec = SpecTree(
    "flask",
    title="Reprise",
    version=version("reprise"),
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
    access: Access,
    answer: type[BaseModel],
    query: type[BaseModel] | None = None,
    body: type[BaseModel] | None = None,
    shared: bool = False,
    problems: tuple[int, ...] = (),
) -> Callable[[_View], _View]:
    """Document a view, and pass it the checked query and body as `query` and `body`.

    Args:
        name: the operationId.
        tag: one of the document's tags.
        access: who may call it.
        answer: the 200 answer's shape.
        query: what may follow the `?`; None checks nothing.
        body: the JSON body's shape.
        shared: whether If-None-Match is answered with 304.
        problems: error statuses besides 400.
    """
    codes = ("HTTP_304",) if shared else ()
    responses = Responses(*codes, HTTP_200=answer, **{f"HTTP_{status}": Problem for status in problems})
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
            if body is not None:
                arguments["body"] = parse_body(body, request)
            return view(**arguments)

        return cast(_View, checked)

    return decorate


@cache
def document() -> dict[str, Any]:
    """The OpenAPI document; the same for every app, so it is built once. Needs an app that answers."""
    built: dict[str, Any] = deepcopy(_spec.spec)
    schemas = built["components"]["schemas"]
    # spectree lists a query's model as a schema too; its fields are the operation's parameters already
    built["components"]["schemas"] = {name: schema for name, schema in schemas.items() if not name.endswith("Query")}
    for path in built["paths"].values():
        for described in path.values():
            for parameter in described["parameters"]:
                _tidy_parameter(parameter)
            for status, response in described["responses"].items():
                _tidy_response(status, response)
    return built


def _tidy_parameter(parameter: dict[str, Any]) -> None:
    """An id in a path has a length and an example; a query parameter is left out, it is never null."""
    if parameter["in"] == "path":
        parameter["schema"] = {"type": "string", "minLength": 1, "maxLength": MAX_ID_LENGTH}
        if parameter["name"] == "name":
            parameter["schema"] = {"type": "string", "pattern": f"^{PLACEMENT_NAME.pattern}$"}
        parameter["example"] = _PATH_EXAMPLES[parameter["name"]]
        parameter["description"] = _PATH_DESCRIPTION
        return
    schema = parameter["schema"]
    choices = [choice for choice in schema.pop("anyOf", ()) if choice != {"type": "null"}]
    if choices:
        schema.pop("default", None)
        schema.update(*choices)


def _tidy_response(status: str, response: dict[str, Any]) -> None:
    """Errors are problems, in a media type of their own; every response has a request id."""
    if int(status) >= 400:
        response["content"] = {"application/problem+json": response["content"]["application/json"]}
    response["headers"] = {"X-Request-ID": {"schema": {"type": "string"}, "description": "Names the line in the log."}}
