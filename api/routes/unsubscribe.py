"""Routes to unsubscribe from mails: one click in the mail program (RFC 8058), or the button of a page.

Programs that check links before people open them use GET, so GET only shows the page.
"""

from collections.abc import Callable

from flask import Blueprint, Response, request

from api.serving.mail_links import read_signed
from api.serving.service import service
from api.web.openapi import link_operation
from api.web.page import POLICY
from api.web.unsubscribe_page import ask_page, done_page
from recommender.events.event import Event
from recommender.person import digest
from recommender.words.language import Language

blueprint = Blueprint("unsubscribe", __name__, url_prefix="/v1/m")


@blueprint.get("/<string:signed>/unsubscribe")
@link_operation("ask_to_unsubscribe", 200)
def ask(signed: str) -> Response:
    """A page with one button."""
    read_signed(signed)
    return _page(ask_page)


@blueprint.post("/<string:signed>/unsubscribe")
@link_operation("unsubscribe", 200, problems=(503,))
def unsubscribe(signed: str) -> Response:
    """Unsubscribe the mail's reader from all mails of the shop; it is kept when this answers.

    The body is not looked at: whoever posts here has the mail, and wants no more of them.
    """
    link = read_signed(signed)
    now = service().clock()
    mail = digest(f"{len(link.campaign_id)}:{link.campaign_id}{link.customer_id}")
    event = Event(
        # of the second, not of the mail: who subscribed again since may unsubscribe again with the same mail
        event_id=f"unsubscribe:{mail}:{int(now.timestamp())}",
        event_type="unsubscribe",
        customer_id=link.customer_id,
        occurred_at=now,
        placement="email",
        campaign_id=link.campaign_id,
    )
    service().shops.storage.event_log(link.shop).unsubscribe(event)
    return _page(done_page)


def _page(make: Callable[[Language], bytes]) -> Response:
    language = service().accepted(request.headers.get("Accept-Language"))
    response = Response(make(language), content_type="text/html; charset=utf-8")
    response.headers["Content-Language"] = language.tag
    response.headers["Vary"] = "Accept-Language"
    response.headers["Cache-Control"] = "no-store"
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["X-Robots-Tag"] = "noindex"
    return response
