"""Many requests in one: each is checked and answered as it would be alone, but their lists are read together."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote

from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import HTTPException, NotFound

from api.access import Access, allow
from api.answers import to_document
from api.callers import Caller
from api.desk import Desk, Outcome
from api.ids import derived_recommendation_id
from api.lists import Lists
from api.parsing import parse_fields
from api.plans import Plan, session_plan
from api.problems import describe
from api.schemas import BatchRequest, FallbackReason, RecommendationBody, Wanted
from api.service import Service
from api.telemetry import count_answer
from recommender.errors import RepriseError
from recommender.store import Reading

SESSION_PATH = "/v1/recommendations"
LISTS_PER_TRIP = 2_000
"""About 1 MB and 10 ms of Redis' time: nobody else waits longer, and the time-out is far. 1,000 customers are three
round trips; a publish between two of them shows, as each answer names its version and none mixes two."""


class Asked(NamedTuple):
    """One request that may be answered.

    Attributes:
        wanted: its query or body.
        plan: the lists to read.
        shared_as: path and query of an answer that is the same for everybody; None for one person's.
    """

    wanted: Wanted
    plan: Plan
    shared_as: tuple[str, str] | None

    @property
    def n_lists(self) -> int:
        """What it takes to read them; a person's live events count as one more each."""
        return len(self.plan.keys) + len(self.plan.people)


Checked = Asked | RepriseError | HTTPException
"""A request, or what is wrong with it."""


def answer_batch(own: Service, caller: Caller, lists: Lists, requests: Sequence[BatchRequest]) -> list[dict[str, Any]]:
    """A {"status", "body"} for each request, in their order."""
    desk = own.desk(caller.shop)
    checked = [_check(lists, caller, request) for request in requests]
    answers: list[dict[str, Any]] = []
    for trip in _split(checked):
        reading = _read(desk, [asked for asked in trip if isinstance(asked, Asked)])
        answers += (_answer(own, desk, asked, reading) for asked in trip)
    return answers


def _check(lists: Lists, caller: Caller, request: BatchRequest) -> Checked:
    path, _, query = request.path.partition("?")
    path = unquote(path)
    try:
        if request.body is not None:
            return _check_session(caller, path, request.body)
        parameters = parse_qsl(query, keep_blank_values=True, errors="werkzeug.url_quote")
        found = lists.find(path, MultiDict(parameters))
        if found is None:
            raise _no_list(path)
        allow(found.route.access, caller, found.customer_id)
    except (RepriseError, HTTPException) as error:
        return error
    return Asked(found.wanted, found.plan, (path, query) if found.route.shared else None)


def _check_session(caller: Caller, path: str, fields: dict[str, Any]) -> Asked:
    if path != SESSION_PATH:
        raise _no_list(path)
    body = parse_fields(RecommendationBody, fields)
    allow(Access.PERSON if body.customer_id is not None else Access.SESSION, caller, body.customer_id)
    return Asked(body, session_plan(body), None)


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


def _read(desk: Desk, asked: Sequence[Asked]) -> Reading | FallbackReason:
    keys = dict.fromkeys(key for one in asked for key in one.plan.keys)
    people = dict.fromkeys(person for one in asked for person in one.plan.people)
    return desk.read(tuple(keys), tuple(people))


def _answer(own: Service, desk: Desk, asked: Checked, reading: Reading | FallbackReason) -> dict[str, Any]:
    try:
        if not isinstance(asked, Asked):
            raise asked
        outcome = desk.fill(asked.wanted, asked.plan, reading)
    except (RepriseError, HTTPException) as error:
        problem = describe(error)
        return {"status": problem["status"], "body": problem}
    count_answer(outcome)
    return {"status": 200, "body": to_document(outcome, _recommendation_id(own, asked, outcome))}


def _recommendation_id(own: Service, asked: Asked, outcome: Outcome) -> str:
    if asked.shared_as is None:
        return own.new_recommendation_id()
    return derived_recommendation_id(outcome.version or "", *asked.shared_as)
