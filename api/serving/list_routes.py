"""List routes: those that answer a GET with one slate, each written once for Flask, the fast path and a batch."""

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, NamedTuple, cast

from flask import Flask, Response, current_app, g, request
from werkzeug.wsgi import get_path_info

from api.schemas.answers import Answer
from api.schemas.requests import Wanted
from api.security.permissions import Permission
from api.serving.answer_cache import find_kept, is_of_unknown_person, keep
from api.serving.answers import prepare_private, prepare_public
from api.serving.service import Service, service
from api.serving.slates import SlateBuilder, SlateResult
from api.web.openapi import operation
from api.web.parsing import canonical_query, check_path, read_query
from api.web.responses import Prepared, respond
from recommender.slate.plans import RetrievalPlan
from recommender.storage.run_sync import run_sync
from recommender.words.language import Language

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

MAX_KEY_LENGTH = 256
"""Longest path, query and language, together, whose answer is kept: made-up ones must not fill the memory."""
_HEADER_BYTES = 1_000
"""What the headers of a kept answer take, about."""
_ATTRIBUTE = "reprise_list"
_EXTENSION = "reprise_lists"


class ListRoute(NamedTuple):
    """One list route, apart from any request.

    Attributes:
        access: who may call it.
        query: what may follow the `?`.
        plan: from the checked query and the ids in the path, by name, to the lists.
        shared: whether it is the same for everybody, so that anyone may keep it.
    """

    access: Permission
    query: type[Wanted]
    plan: Callable[..., RetrievalPlan]
    shared: bool


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
    plan: RetrievalPlan


class KeptAnswer(NamedTuple):
    """A prepared answer with the rule of its route, for logs and metrics, and the permission that it takes.

    From `until` on, in seconds since 1970, it would be another one; None for never. Only a 200 is kept.
    """

    prepared: Prepared
    rule: str
    access: Permission
    until: float | None = None
    status: int = 200


def list_operation(
    name: str, *, tag: str, access: Permission, query: type[Wanted]
) -> Callable[[Callable[..., RetrievalPlan]], Callable[..., Response]]:
    """Decorator that makes a view of a function from the checked query and the ids in the path to a RetrievalPlan."""

    def decorate(make_plan: Callable[..., RetrievalPlan]) -> Callable[..., Response]:
        route = ListRoute(access, query, make_plan, access is Permission.PRODUCTS)

        @operation(name, tag=tag, access=access, query=query, answer=Answer, shared=route.shared, problems=(404,))
        @wraps(make_plan)
        def view(query: Wanted, **ids: str) -> Response:
            rule = request.url_rule.rule if request.url_rule else ""
            asked = ListRequest(route, rule, ids.get("customer_id"), query, make_plan(query=query, **ids))
            own = service()
            builder = own.builder(g.principal.shop, request.headers.get("Accept-Language"))
            key = answer_key(request.environ, builder.presentation.language)
            return respond(run_sync(answer_list(own, builder, asked, request.environ, key)))

        setattr(view, _ATTRIBUTE, route)
        return view

    return decorate


async def answer_list(
    own: Service, builder: SlateBuilder, asked: ListRequest, environ: "WSGIEnvironment", key: str
) -> Prepared:
    """The answer to one request with this `answer_key`, from plan to bytes: enrollment, one read, a slate, JSON.

    A shared answer is kept for the next request like it. A personal one is sent again while nothing that it was made
    of has changed; not one that is recorded, as an exposure or as impressions.

    Raises:
        UnknownPlacementError: the query names a placement that is not configured; nothing was read.
        UnknownProductError: from the plan.
    """
    wanted, plan, customer_id = asked.wanted, asked.plan, asked.customer_id
    part = builder.enroll(wanted, customer_id)
    reading = await builder.fetch(plan.keys, plan.people, part.treatment)
    if asked.route.shared:
        return _share(builder, asked, builder.fill(wanted, plan, reading, part), environ, key)
    name, noted = own.new_recommendation_id(), part.assignments or own.impressions
    repeats = None if isinstance(reading, str) or reading.stale or noted or len(key) > MAX_KEY_LENGTH else reading
    if repeats is not None:
        if is_of_unknown_person(repeats):  # all of them get the same
            key = answer_key(environ, builder.presentation.language, asked.rule)
        kept = find_kept(builder, key, repeats)
        if kept is not None:
            return kept.prepare(name)
    result = builder.fill(wanted, plan, reading, part)
    if noted:
        own.note_shown(builder.shop, customer_id, None, result, name)
    prepared = prepare_private(result, name)
    if repeats is not None:
        keep(builder, key, repeats, result, prepared, name=name)
    return prepared


def _share(
    builder: SlateBuilder, asked: ListRequest, result: SlateResult, environ: "WSGIEnvironment", key: str
) -> Prepared:
    prepared = prepare_public(result, get_path_info(environ), canonical_query(environ.get("QUERY_STRING", "")))
    if prepared.etag is not None and environ["REQUEST_METHOD"] == "GET" and len(key) <= MAX_KEY_LENGTH:
        kept = KeptAnswer(prepared, asked.rule, asked.route.access, result.slate.until)
        builder.state.answers.keep(key, kept, len(prepared.body) + len(key) + _HEADER_BYTES)
    return prepared


def answer_key(environ: "WSGIEnvironment", language: Language, path: str | None = None) -> str:
    """The key of a kept answer: the accepted language, the query in one order and the path, with a space between.

    Neither a language nor a query holds a space, so no two requests share a key.
    """
    return f"{language.tag} {canonical_query(environ.get('QUERY_STRING', ''))} {path or environ['PATH_INFO']}"


class Lists:
    """The list routes of `app`, matched without its URL map."""

    def __init__(self, app: Flask) -> None:
        app.extensions[_EXTENSION] = self
        views = {endpoint: getattr(view, _ATTRIBUTE, None) for endpoint, view in app.view_functions.items()}
        self._shapes = [
            _Shape.of(rule.rule, route) for rule in app.url_map.iter_rules() if (route := views[rule.endpoint])
        ]

    def find(self, path: str, query: str) -> ListRequest | None:
        """The request for a list in a GET of `path` with this query string, of ASCII; None where it is no list.

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
    """The list routes of the current app."""
    return cast(Lists, current_app.extensions[_EXTENSION])
