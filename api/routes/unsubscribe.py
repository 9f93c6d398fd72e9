"""Routes to unsubscribe from mails: one click in the mail program (RFC 8058), or the buttons of a page.

Programs that check links before people open them use GET, so GET only shows the page.
"""

from collections.abc import Callable

from flask import Blueprint, Response, request

from api.serving.mail_links import read_signed
from api.serving.service import service
from api.web.openapi import link_operation
from api.web.page import POLICY
from api.web.unsubscribe_page import ask_page, done_page, fewer_page, subscribed_page
from recommender.events.event import Event, EventType
from recommender.person import digest
from recommender.words.language import Language

blueprint = Blueprint("unsubscribe", __name__, url_prefix="/v1/m")
_MakePage = Callable[[Language, str | None], bytes]


@blueprint.get("/<string:signed>/unsubscribe")
@link_operation("ask_to_unsubscribe", 200)
def ask(signed: str) -> Response:
    """A page with a button to get no more mails, and one to get fewer."""
    read_signed(signed)
    return _page(ask_page)


@blueprint.post("/<string:signed>/unsubscribe")
@link_operation("unsubscribe", 200, problems=(503,))
def unsubscribe(signed: str) -> Response:
    """Unsubscribe the mail's reader from all mails of the shop; it is kept when this answers.

    The body is not looked at: whoever posts here has the mail, and wants no more of them.
    """
    return _keep(signed, "unsubscribe", done_page)


@blueprint.post("/<string:signed>/fewer-mails")
@link_operation("get_fewer_mails", 200, problems=(503,))
def get_fewer_mails(signed: str) -> Response:
    """Have the mail's reader get one mail in 30 days at most; it is kept when this answers."""
    return _keep(signed, "fewer_mails", fewer_page)


@blueprint.post("/<string:signed>/subscribe")
@link_operation("subscribe_again", 200, problems=(503,))
def subscribe(signed: str) -> Response:
    """Have the mail's reader get mails again, as many as others do; it is kept when this answers."""
    return _keep(signed, "subscribe", subscribed_page)


def _keep(signed: str, event_type: EventType, page: _MakePage) -> Response:
    """Keep what the reader of a mail wants, and show the page that says so."""
    link = read_signed(signed)
    now = service().clock()
    mail = digest(f"{len(link.campaign_id)}:{link.campaign_id}{link.customer_id}")
    event = Event(
        # of the second, not of the mail: who subscribed again since may unsubscribe again with the same mail
        event_id=f"{event_type}:{mail}:{int(now.timestamp())}",
        event_type=event_type,
        customer_id=link.customer_id,
        occurred_at=now,
        placement="email",
        campaign_id=link.campaign_id,
    )
    service().shops.storage.event_log(link.shop).tell_reader(event)
    return _page(page)


def _page(make: _MakePage) -> Response:
    language = service().accepted(request.headers.get("Accept-Language"))
    response = Response(make(language, service().settings.mail.sender), content_type="text/html; charset=utf-8")
    response.headers["Content-Language"] = language.tag
    response.headers["Vary"] = "Accept-Language"
    response.headers["Cache-Control"] = "no-store"
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["X-Robots-Tag"] = "noindex"
    return response
