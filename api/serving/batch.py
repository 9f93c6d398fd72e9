"""Many requests in one: each is checked and answered as it would be alone, but their lists are read together."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import unquote

from flask import g
from werkzeug.exceptions import HTTPException, NotFound

from api.ids import derived_recommendation_id
from api.schemas.requests import BatchBody, BatchRequest, RecommendationBody, Wanted
from api.security.auth import Permission, allow, require_customer
from api.security.query_key import holds_key
from api.serving.answers import to_document, to_personal_document
from api.serving.list_routes import Lists
from api.serving.service import Service
from api.serving.slates import Enrollment, SlateBuilder, SlateResult
from api.telemetry.metrics import count_answer
from api.web.parsing import canonical_query, invalid, parse_fields, refuse_query
from api.web.problems import describe
from api.web.query_names import drop_unknown
from recommender.errors import RepriseError
from recommender.experiments.treatment import UNTREATED, Treatment
from recommender.slate.plans import FallbackReason, RetrievalPlan
from recommender.slate.reading import FetchedLists
from recommender.storage.run_sync import run_sync

SESSION_PATH = "/v1/recommendations"
LISTS_PER_TRIP = 2_000
"""About 1 MB and 10 ms of Redis' time: nobody else waits longer, and the time-out is far. 1,000 customers are three
round trips; a publish between two of them shows, as each answer names its version and none mixes two."""


class Asked(NamedTuple):
    """One request that may be answered.

    Attributes:
        wanted: its query or body.
        plan: the lists to read.
        part: what the customer takes part in.
        customer_id: whose answer it is, if it is one's.
        session_id: likewise of a session.
        shared_as: path and query of an answer that is the same for everybody; None for one person's.
    """

    wanted: Wanted
    plan: RetrievalPlan
    part: Enrollment
    customer_id: str | None = None
    session_id: str | None = None
    shared_as: tuple[str, str] | None = None

    @property
    def n_lists(self) -> int:
        """What it takes to read them; a person's live events count as one more each."""
        return len(self.plan.keys) + len(self.plan.people)

    @property
    def reads(self) -> Treatment:
        """As much of the treatment as decides what is read."""
        treatment = self.part.treatment
        if treatment.show and treatment.version is None:
            return UNTREATED
        return Treatment(show=treatment.show, version=treatment.version)


Readings = Mapping[Treatment, FetchedLists | FallbackReason]
"""What was read for those who get the same of it."""
Checked = Asked | RepriseError | HTTPException
"""A request, or what is wrong with it."""


def answer_batch(own: Service, lists: Lists, body: BatchBody, accept_language: str | None) -> list[dict[str, Any]]:
    """A {"status", "body"} for each request, in their order; where they are `distinct`, no product comes twice.

    `accept_language` is for those that name no language.
    """
    builder = own.builder(g.principal.shop, accept_language)
    checked = [_check(builder, lists, request, body.customer_token) for request in body.requests]
    answers: list[dict[str, Any]] = []
    shown: frozenset[str] = frozenset()
    for trip in _split(checked):
        readings = _read(builder, [asked for asked in trip if isinstance(asked, Asked)])
        for asked in trip:
            answers.append(_answer(own, builder, asked, readings, shown))
            if body.distinct:
                shown |= {item["product_id"] for item in answers[-1]["body"].get("items", ())}
    return answers


def _check(builder: SlateBuilder, lists: Lists, request: BatchRequest, token: str | None) -> Checked:
    path, _, query = request.path.partition("?")
    path, query = unquote(path), drop_unknown(query)
    try:
        if holds_key(query):
            raise invalid([{"field": "key", "message": "stands in the query of the batch, not in that of a request"}])
        if request.body is not None:
            refuse_query(query)
            return _check_session(builder, path, request.body, token)
        found = lists.find(path, query)
        if found is None:
            raise _no_list(path)
        _admit(found.route.access, found.customer_id, token)
        part = builder.enroll(found.wanted, found.customer_id)
    except (RepriseError, HTTPException) as error:
        return error
    shared_as = (path, canonical_query(query)) if found.route.shared else None
    return Asked(found.wanted, found.plan, part, found.customer_id, shared_as=shared_as)


def _check_session(builder: SlateBuilder, path: str, fields: dict[str, Any], token: str | None) -> Asked:
    if path != SESSION_PATH:
        raise _no_list(path)
    body = parse_fields(RecommendationBody, fields)
    _admit(Permission.SESSION, body.customer_id, token)
    return Asked(body, body.plan(), builder.enroll(body, body.customer_id), body.customer_id, body.session_id)


def _admit(access: Permission, customer_id: str | None, token: str | None) -> None:
    """Authorize one request as if it came alone. Raises as `allow` and `require_customer`."""
    if customer_id is None:
        allow(access, g.principal, None)
    else:
        require_customer(customer_id, token)


def _no_list(path: str) -> NotFound:
    return NotFound(f"{path!r} is not answered in a batch: send GET routes of lists, or {SESSION_PATH} with a body")


def _split(checked: Sequence[Checked]) -> Iterator[Sequence[Checked]]:
    """Parts of at most LISTS_PER_TRIP lists, or one request alone."""
    first = n_lists = 0
    for i, asked in enumerate(checked):
        wanted = asked.n_lists if isinstance(asked, Asked) else 0
        if n_lists and n_lists + wanted > LISTS_PER_TRIP:
            yield checked[first:i]
            first, n_lists = i, 0
        n_lists += wanted
    yield checked[first:]


def _read(builder: SlateBuilder, asked: Sequence[Asked]) -> Readings:
    """A round trip for each version that somebody gets."""
    wanting: dict[Treatment, list[RetrievalPlan]] = {}
    for one in asked:
        wanting.setdefault(one.reads, []).append(one.plan)
    return {reads: _read_together(builder, plans, reads) for reads, plans in wanting.items()}


def _read_together(
    builder: SlateBuilder, plans: Sequence[RetrievalPlan], reads: Treatment
) -> FetchedLists | FallbackReason:
    keys = dict.fromkeys(key for plan in plans for key in plan.keys)
    people = dict.fromkeys(person for plan in plans for person in plan.people)
    return run_sync(builder.fetch(tuple(keys), tuple(people), reads))


def _answer(
    own: Service, builder: SlateBuilder, asked: Checked, readings: Readings, shown: frozenset[str]
) -> dict[str, Any]:
    try:
        if not isinstance(asked, Asked):
            raise asked
        result = builder.fill(asked.wanted, asked.plan, readings[asked.reads], asked.part, shown)
    except (RepriseError, HTTPException) as error:
        problem = describe(error, g.request_id)
        return {"status": problem["status"], "body": problem}
    count_answer(*result.counted)
    return {"status": 200, "body": _body(own, builder, asked, result, shown)}


def _body(
    own: Service, builder: SlateBuilder, asked: Asked, result: SlateResult, shown: frozenset[str]
) -> dict[str, Any]:
    if asked.shared_as is not None:
        parts = (result.version or "", *asked.shared_as, *sorted(shown))  # another answer has another id
        return to_document(result, derived_recommendation_id(*parts))
    name = own.new_recommendation_id()
    if g.principal.kind == "publishable":  # a page shows it; what a server asks for may be for a mail
        own.note_shown(builder.shop, asked.customer_id, asked.session_id, result, name)
    else:
        own.note_exposures(builder.shop, asked.customer_id, name, result)
    return to_personal_document(result, name)
