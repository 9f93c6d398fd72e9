"""The routes that answer a GET with one slate: each written once, for Flask, for the front and for a batch."""

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, NamedTuple, cast

from flask import Flask, Response, current_app, g, request
from werkzeug.wsgi import get_path_info

from api.access import Access
from api.answer_schemas import Answer
from api.answers import Prepared, prepare_public, respond
from api.desk import NO_PART, Desk
from api.openapi import operation
from api.parsing import check_path, read_query
from api.plans import Plan
from api.repeats import Repeat, is_of_nobody
from api.request_schemas import Wanted
from api.service import Service, service
from recommender.asking import Asking, wait_for
from recommender.store import Reading

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

MAX_KEY_LENGTH = 256
"""An answer is kept for a path and query up to this long, together: made-up ones must not fill the memory."""
_HEADER_BYTES = 1_000
"""What the headers of a kept answer take, about."""
_ATTRIBUTE = "reprise_list"
_EXTENSION = "reprise_lists"


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

    From `until` on, in seconds since 1970, it would be another one; None for never. Only a 200 is kept.
    """

    prepared: Prepared
    rule: str
    access: Access
    until: float | None = None
    status: int = 200


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
            return respond(wait_for(answering(service(), g.caller.shop, found, request.environ)))

        setattr(view, _ATTRIBUTE, route)
        return view

    return decorate


def answering(own: Service, shop: str, found: ListRequest, environ: "WSGIEnvironment") -> Asking[Prepared]:
    """The answer to one request, kept for the next one who asks the same if it is the same for everybody.

    Raises as `Desk.serving`.
    """
    desk = own.desk(shop)
    if not found.route.shared:
        return (yield from _answering_person(own, desk, found, environ))
    outcome = yield from desk.serving(found.wanted, found.plan)
    prepared = prepare_public(outcome, get_path_info(environ), environ.get("QUERY_STRING", ""))
    key = answer_key(environ)
    if prepared.etag is not None and environ["REQUEST_METHOD"] == "GET" and len(key) <= MAX_KEY_LENGTH:
        desk.state.answers.keep(
            key,
            KeptAnswer(prepared, found.rule, found.route.access, outcome.slate.until),
            len(prepared.body) + len(key) + _HEADER_BYTES,
        )
    return prepared


def _answering_person(own: Service, desk: Desk, found: ListRequest, environ: "WSGIEnvironment") -> Asking[Prepared]:
    part, reading = yield from desk.beginning(found.wanted, found.plan, found.customer_id)
    name, now, repeats = own.new_recommendation_id(), desk.as_of.timestamp(), desk.state.repeats
    # an answer that is noted, as an exposure or as impressions, is one of its own
    known = reading if isinstance(reading, Reading) and part is NO_PART and own.impressions is None else None
    # all of whom nothing is known get the same
    key = answer_key(environ, found.rule if known is not None and is_of_nobody(known) else None)
    kept: Repeat | None = None if known is None else repeats.get(key)
    if known is not None and kept is not None and kept.holds(known, now):
        return kept.prepare(name)
    outcome = yield from desk.filling(found.wanted, found.plan, reading, part)
    prepared = own.answer_person(desk.shop, found.customer_id, None, outcome, name)
    if known is not None and not known.stale and len(key) <= MAX_KEY_LENGTH:
        repeat = Repeat.of(known, outcome, prepared, name, now)
        repeats.keep(key, repeat, repeat.n_bytes)
    return prepared


def answer_key(environ: "WSGIEnvironment", path: str | None = None) -> str:
    """Under which the answer to a request is kept. A query holds no space, so nothing can be mistaken for the other."""
    return f"{environ.get('QUERY_STRING', '')} {path or environ['PATH_INFO']}"


class Lists:
    """All such routes of `app`, found without it."""

    def __init__(self, app: Flask) -> None:
        app.extensions[_EXTENSION] = self
        views = {endpoint: getattr(view, _ATTRIBUTE, None) for endpoint, view in app.view_functions.items()}
        self._shapes = [
            _Shape.of(rule.rule, route) for rule in app.url_map.iter_rules() if (route := views[rule.endpoint])
        ]

    def find(self, path: str, query: str) -> ListRequest | None:
        """What a GET of `path` with this query string, of ASCII, asks for; None where that is no list.

        Raises InvalidRequestError: an id or a parameter has a value that cannot be.
        """
        for before, name, after, rule, route in self._shapes:
            if path.startswith(before) and path.endswith(after):
                own_id = path[len(before) : len(path) - len(after)]
                if bool(own_id) == bool(name):
                    ids = {name: own_id} if name else {}
                    check_path(ids)
                    wanted = read_query(route.query, query)
                    return ListRequest(route, rule, ids.get("customer_id"), wanted, route.plan(query=wanted, **ids))
        return None


class _Shape(NamedTuple):
    """A rule with one id in its path, or none: then `name` and `after` are empty."""

    before: str
    name: str
    after: str
    rule: str
    route: ListRoute

    @classmethod
    def of(cls, rule: str, route: ListRoute) -> "_Shape":
        before, _, rest = rule.partition("<")
        converter, _, after = rest.partition(">")
        return cls(before, converter.rpartition(":")[2], after, rule, route)


def lists() -> Lists:
    """Those of the app that is answering."""
    return cast(Lists, current_app.extensions[_EXTENSION])
