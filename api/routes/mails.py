"""Routes of the links and pictures in mails: open to everybody who has the mail, and signed against forgery."""

import re
from base64 import b64decode
from functools import partial

from flask import Blueprint, Response, request

from api.background.mail_events import mail_event
from api.serving.mail_links import mail_links, read_signed
from api.serving.service import service
from api.web.openapi import link_operation
from recommender.campaigns.links import NOT_OURS, MailLink, cart_address, tag
from recommender.errors import ForgedLinkError, StoreUnavailableError
from recommender.publication.product import Product
from recommender.web_address import web_address

blueprint = Blueprint("mails", __name__, url_prefix="/v1/m")

EMPTY_PICTURE = b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
"""A transparent GIF of one pixel."""
_PREFETCHED = re.compile("prefetch|prerender|preview", re.IGNORECASE)
_PREFETCH_HEADERS = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")
_PROGRAMS = re.compile(
    r"bot\b|bot/|crawl|spider|preview|scan|barracuda|mimecast|proofpoint|safelinks|facebookexternalhit|whatsapp|curl|wget"
    r"|python|java/|go-http|okhttp|headless",
    re.IGNORECASE,
)
"""User agents of programs that follow links before people do."""


@blueprint.get("/<string:signed>/<string:slot>/click")
@link_operation("follow_mail_link", 302, problems=(503,))
def click(signed: str, slot: str) -> Response:
    """To the page of the product that this slot of the mail shows now.

    What is sold out, blocked or gone since gives way to the mail's next spare. The click is kept as an event of the
    customer, once per product and day, unless it is a HEAD or a program's that says so.
    """
    link, _, target = _follow(signed, slot)
    return _redirect(tag(target, service().settings.mail.utm_source, link.campaign_id))


@blueprint.get("/<string:signed>/<string:slot>/order")
@link_operation("order_again", 302, problems=(503,))
def order(signed: str, slot: str) -> Response:
    """To the basket of the shop, with the product that this slot of the mail shows now.

    That is the address that the setting `mail.cart_url` names; without it, the page of the product. The click is kept
    as by `click`.
    """
    link, product, target = _follow(signed, slot)
    mail = service().settings.mail
    target = target if mail.cart_url is None else cart_address(mail.cart_url, product.product_id)
    return _redirect(tag(target, mail.utm_source, link.campaign_id))


@blueprint.get("/<string:signed>/<string:slot>/image")
@link_operation("show_mail_picture", 200, 302)
def image(signed: str, slot: str) -> Response:
    """To the picture of the product that this slot of the mail shows now; an empty one where it has none.

    The first picture that is asked for is kept as a `mail_open` event, once per customer and campaign.
    """
    link, position = _read(signed, slot)
    try:
        product = mail_links().find(link, position)
    except StoreUnavailableError:  # a mail with a hole in it beats one with a broken picture
        product = None
    if _is_read_by_a_person():
        _note(link)
    target = web_address(product.image_url, service().settings.link_hosts) if product is not None else None
    answer = _redirect(target) if target else _uncached(Response(EMPTY_PICTURE, content_type="image/gif"))
    answer.headers["Cross-Origin-Resource-Policy"] = "cross-origin"  # it is shown within a page of the mail's reader
    return answer


def _follow(signed: str, slot: str) -> tuple[MailLink, Product, str]:
    """The product that a slot shows now, and the address of its page; the click is noted.

    Raises:
        ForgedLinkError: it is no link of ours, or nothing is left to show.
    """
    link, position = _read(signed, slot)
    product = mail_links().find(link, position)
    target = web_address(product.url, service().settings.link_hosts) if product is not None else None
    if product is None or target is None:
        raise ForgedLinkError(NOT_OURS)
    if _is_read_by_a_person():
        _note(link, product, position)
    return link, product, target


def _read(signed: str, slot: str) -> tuple[MailLink, int]:
    """The content of a link, and its slot from 1. Raises as `read_signed`; an error never tells what is wrong."""
    link = read_signed(signed)
    slots = {str(position): position for position in range(1, link.slots + 1)}
    if slot not in slots:
        raise ForgedLinkError(NOT_OURS)
    return link, slots[slot]


def _is_read_by_a_person() -> bool:
    """Whether the request says nothing of a prefetch or a program; programs that hide it count as people."""
    if request.method != "GET" or any(_PREFETCHED.search(request.headers.get(name, "")) for name in _PREFETCH_HEADERS):
        return False
    agent = request.headers.get("User-Agent", "")
    return bool(agent) and not _PROGRAMS.search(agent)


def _note(link: MailLink, product: Product | None = None, slot: int | None = None) -> None:
    product_id = None if product is None else product.product_id
    mail_links().events.note(link.shop, [partial(mail_event, link, service().clock(), product_id, slot)])


def _redirect(target: str) -> Response:
    return _uncached(Response(status=302, headers={"Location": target}))


def _uncached(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response
