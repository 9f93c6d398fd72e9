"""The routes that answer a GET with one slate: each written once, for Flask, for the front and for a batch."""

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, NamedTuple, cast

from flask import Flask, Response, current_app, g, request
from werkzeug import Request

from api.access import Access
from api.answer_schemas import Answer
from api.answers import Prepared, prepare_public, respond
from api.openapi import operation
from api.parsing import check_path, read_query
from api.plans import Plan
from api.request_schemas import Wanted
from api.service import Service, service
from recommender.errors import UnknownProductError

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

MAX_KEY_LENGTH = 256
"""An answer is kept for a path and query up to this long, together: made-up ones must not fill the memory."""
_HEADER_BYTES = 1_000
"""What the headers of a kept answer take, about."""
_ATTRIBUTE = "reprise_list"
_EXTENSION = "reprise_lists"
_UNKNOWN = "reprise.unknown"
"""Where the WSGI environment holds that there is no such product, once that was asked: it is not asked again."""


class ListRoute(NamedTuple):
    """What is known of such a route before anybody asks.

    Attributes:
        access: who may ask.
        query: what may follow the `?`.
        plan: from the checked query and the ids in the path, by name, to the lists.
    """

    access: Access
    query: type[Wanted]
    plan: Callable[..., Plan]

    @property
    def shared(self) -> bool:
        """Whether it is the same for everybody, so that anyone may keep it."""
        return self.access is Access.PRODUCTS


class ListRequest(NamedTuple):
    """One request for a list, checked; not yet whether the caller may see it.

    Attributes:
        route: what was asked for.
        rule: the route as it is written in the code, for logs and metrics.
        customer_id: whose list it is; None for a product's and the shop's.
        wanted: the query.
        plan: the lists to read.
    """

    route: ListRoute
    rule: str
    customer_id: str | None
    wanted: Wanted
    plan: Plan


class KeptAnswer(NamedTuple):
    """An answer, and the rules of its route: how it is called in logs and who may see it.

    From `until` on, in seconds since 1970, it would be another one; None for never.
    """

    prepared: Prepared
    rule: str
    access: Access
    until: float | None = None


def list_operation(
    name: str, *, tag: str, access: Access, query: type[Wanted]
) -> Callable[[Callable[..., Plan]], Callable[..., Response]]:
    """Make a view of a function that makes a Plan of the checked query and the ids in the path."""

    def decorate(make_plan: Callable[..., Plan]) -> Callable[..., Response]:
        route = ListRoute(access, query, make_plan)

        @operation(name, tag=tag, access=access, query=query, answer=Answer, shared=route.shared, problems=(404,))
        @wraps(make_plan)
        def view(query: Wanted, **ids: str) -> Response:
            rule = request.url_rule.rule if request.url_rule else ""
            found = ListRequest(route, rule, ids.get("customer_id"), query, make_plan(query=query, **ids))
            return respond(answer_list(service(), g.caller.shop, found, request))

        setattr(view, _ATTRIBUTE, route)
        return view

    return decorate


def answer_list(own: Service, shop: str, found: ListRequest, asked: Request) -> Prepared:
    """The answer to one request, kept for the next one who asks the same if it is the same for everybody.

    Raises as `Desk.serve`.
    """
    if _UNKNOWN in asked.environ:
        raise asked.environ[_UNKNOWN]
    desk = own.desk(shop)
    try:
        outcome = desk.serve(found.wanted, found.plan, found.customer_id)
    except UnknownProductError as error:
        asked.environ[_UNKNOWN] = error
        raise
    if not found.route.shared:
        return own.answer_person(shop, found.customer_id, None, outcome)
    prepared = prepare_public(outcome, asked.path, asked.query_string.decode("ascii", "replace"))
    key = answer_key(asked.environ)
    if prepared.etag is not None and asked.method == "GET" and len(key) <= MAX_KEY_LENGTH:
        desk.state.answers.keep(
            key,
            KeptAnswer(prepared, found.rule, found.route.access, outcome.slate.until),
            len(prepared.body) + len(key) + 1_000,
        )
    return prepared


def answer_key(environ: "WSGIEnvironment") -> str:
    """Under which the answer to a request is kept. A query holds no space, so nothing can be mistaken for the other."""
    return f"{environ.get('QUERY_STRING', '')} {environ['PATH_INFO']}"


class Lists:
    """All such routes of `app`, found without it."""

    def __init__(self, app: Flask) -> None:
        app.extensions[_EXTENSION] = self
        self._adapter = app.url_map.bind("")
        self._routes: dict[str, ListRoute] = {
            endpoint: getattr(view, _ATTRIBUTE)
            for endpoint, view in app.view_functions.items()
            if hasattr(view, _ATTRIBUTE)
        }

    def find(self, path: str, query: str) -> ListRequest | None:
        """What a GET of `path` with this query string, of ASCII, asks for; None where that is no list.

        Raises:
            HTTPException: there is no such route.
            InvalidRequestError: an id or a parameter has a value that cannot be.
        """
        rule, ids = self._adapter.match(path, method="GET", return_rule=True)
        route = self._routes.get(str(rule.endpoint))
        if route is None:
            return None
        check_path(dict(ids))
        wanted = read_query(route.query, query)
        return ListRequest(route, rule.rule, ids.get("customer_id"), wanted, route.plan(query=wanted, **ids))


def lists() -> Lists:
    """Those of the app that is answering."""
    return cast(Lists, current_app.extensions[_EXTENSION])
