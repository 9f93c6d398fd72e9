"""Route of events: purchases, views and others of the shop's customers and sessions."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, g

from api.schemas.answers import EventsAnswer
from api.schemas.requests import EventsBody
from api.security.auth import Permission, customer_of_token
from api.security.browser_events import as_of_browser, find_refusals
from api.serving.service import service
from api.telemetry.metrics import count_events
from api.web.openapi import operation
from api.web.parsing import nothing_accepted
from api.web.responses import answer_plain
from recommender.errors import EventRejectedError
from recommender.events.event import Event, check_event
from recommender.storage.event_log import Verdict

blueprint = Blueprint("events", __name__, url_prefix="/v1")


@blueprint.post("/events")
@operation(
    "accept_events",
    tag="events",
    access=Permission.EVENTS,
    body=EventsBody,
    answer=EventsAnswer,
    status=202,
    problems=(408, 413, 415, 503),
)
def accept(body: EventsBody) -> Response:
    """Up to 1,000 purchases, views and other events. One that cannot be accepted is named and stops no other.

    Where none can be accepted it is a 400.

    A publishable key tells of what visitors did, no purchases and no mails: of their sessions, and of the customer
    whose token comes along.

    Accepted means kept: it survives a crash of the service, and the next answer to that person knows of it. An
    `event_id` that comes again within seven days is counted as a duplicate, so that a request may be repeated.
    """
    now, public = service().clock(), g.principal.kind == "publishable"
    customer_id = customer_of_token(body.customer_token) if public else None
    currency = service().settings.currency
    checked = [
        _check_public(raw, now, currency, customer_id) if public else _check(raw, now, currency) for raw in body.events
    ]
    good = [event for event in checked if not isinstance(event, EventRejectedError)]
    verdicts = iter(_keep(good, now, public=public) if good else ())
    results = [event if isinstance(event, EventRejectedError) else next(verdicts) for event in checked]
    document = _document(results)
    count_events(document["accepted"], document["duplicates"], [one["code"] for one in document["rejected"]])
    if len(document["rejected"]) == len(results):
        raise nothing_accepted("events", document["rejected"])
    return answer_plain(document, 202)


def _keep(events: Sequence[Event], now: datetime, *, public: bool) -> list[Verdict]:
    bound = service().settings.max_waiting_events
    if public:  # they leave room for what the shop tells
        service().event_limits.take(g.principal.key_id or "", events)
        bound //= 2
    return service().event_log.accept(events, now, bound, "browser" if public else "shop")


def _check(raw: Any, now: datetime | None, currency: str | None) -> Event | EventRejectedError:
    try:
        return check_event(raw, now, currency)
    except EventRejectedError as error:
        return error


def _check_public(raw: Any, now: datetime, currency: str | None, customer_id: str | None) -> Event | EventRejectedError:
    refusals = find_refusals(raw, customer_id) if isinstance(raw, dict) else []
    event = _check(raw, None, currency)
    if isinstance(event, EventRejectedError):
        refusals.insert(0, event)
    elif not refusals:
        return as_of_browser(event, now)
    return EventRejectedError(refusals[0].reason, "; ".join(map(str, refusals)))


def _document(results: Sequence[Verdict | EventRejectedError]) -> dict[str, Any]:
    rejected = [
        {"index": index, "code": result.reason, "message": str(result)}
        for index, result in enumerate(results)
        if isinstance(result, EventRejectedError)
    ]
    erased = [
        {"index": index, "code": "erased", "message": "this customer asked to be forgotten"}
        for index, result in enumerate(results)
        if result is Verdict.ERASED
    ]
    return {
        "accepted": sum(result is Verdict.ACCEPTED for result in results),
        "duplicates": sum(result is Verdict.DUPLICATE for result in results),
        "rejected": sorted(rejected + erased, key=lambda rejection: int(rejection["index"])),
    }
