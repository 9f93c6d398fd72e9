"""What only a demo has: who the visitor is, which day it is, and in which language."""

from urllib.parse import urlsplit

from flask import Blueprint, abort, flash, redirect, request, session, url_for
from werkzeug.wrappers import Response

from recommender.words.language import LANGUAGES
from training.demo.storefront.people import ROLES
from training.demo.storefront.web import visit

blueprint = Blueprint("demo", __name__, url_prefix="/demo")
STEPS = {"day": 1, "week": 7, "two_weeks": 14}
"""How far the clock may be moved at once, in days."""


@blueprint.post("/who")
def be_somebody() -> Response:
    """Be one of the people."""
    role = request.form.get("role", "")
    if role not in ROLES:
        abort(404)
    visit.become(role)
    return redirect(url_for("pages.home"))


@blueprint.post("/clock")
def move_clock() -> Response:
    """Move the demo's clock, or set it back and give everything back that was bought."""
    step, shop, words = request.form.get("step", ""), visit.shop(), visit.site().words["demo"]
    if step == "back":
        go_back()
        flash(words["returned"])
    elif step in STEPS:
        shop.clock.move(STEPS[step])
        flash(words["moved"].format(date=visit.site().today(shop.today)))
    else:
        abort(404)
    return redirect(_here())


@blueprint.post("/language")
def speak() -> Response:
    """Have the pages in another language."""
    language = request.form.get("language", "")
    if language not in LANGUAGES:
        abort(404)
    session["language"] = language
    return redirect(_here())


def go_back() -> None:
    """Set the clock back to the machine's; orders are given back while it is still ahead of them."""
    shop = visit.shop()
    shop.orders.take_back()
    shop.clock.move(-shop.clock.days_ahead)


def _here() -> str:
    """The page that was shown, without its host; the first page where it is none of the shop."""
    start = request.host_url
    parts = urlsplit(request.referrer if (request.referrer or "").startswith(start) else start)
    query = f"?{parts.query}" if parts.query else ""
    return f"/{parts.path.lstrip('/')}{query}"
