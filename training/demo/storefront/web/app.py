"""The storefront as a Flask application: its pages, its headers, and what every page knows."""

import secrets
from urllib.parse import urlsplit

from flask import Flask, Response, abort, render_template, request

from recommender.words.language import LANGUAGES
from training.demo.storefront.people import ROLES
from training.demo.storefront.web import demo_controls, pages, visit
from training.demo.storefront.web.site import read_words
from training.demo.storefront.web.visit import GUEST, Shop

_SVG = "image/svg+xml"


def create_shop(shop: Shop) -> Flask:
    """The shop as a web site. Visits end with the process: the cookie's key is made anew."""
    app = Flask(__name__)
    app.config.update(SECRET_KEY=secrets.token_hex(32), SESSION_COOKIE_NAME="storefront", SESSION_COOKIE_SAMESITE="Lax")
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.extensions["storefront"] = shop
    app.register_blueprint(pages.blueprint)
    app.register_blueprint(demo_controls.blueprint)
    app.context_processor(_known_to_every_page)
    app.before_request(_refuse_other_sites)
    app.after_request(_protect)
    app.register_error_handler(404, lambda _: (render_template("not_found.html"), 404))
    return app


def service_address() -> str:
    """The address of the service, as the visitor's browser reaches it: on the shop's host, at another port."""
    return f"http://{urlsplit(request.host_url).hostname}:{visit.shop().service_port}"


def _known_to_every_page() -> dict[str, object]:
    site, customer = visit.site(), visit.customer_id()
    return {
        "site": site,
        "t": site.words,
        "shop": visit.shop(),
        "role": visit.role(),
        "roles": [one for one in ROLES if one in visit.shop().people or one == "visitor"]
        + [GUEST] * (visit.role() == GUEST),
        "languages": {language: read_words(language)["name"] for language in LANGUAGES},
        "n_in_cart": sum(quantity for _, quantity in visit.cart()),
        "service": service_address(),
        "token": None if customer is None else site.backend.token(customer),
    }


def _refuse_other_sites() -> None:
    """No form of another site: the clock is everybody's, and needs no cookie. A browser names the origin of a POST."""
    origin = request.headers.get("Origin")
    if request.method == "POST" and origin is not None and origin.partition("://")[2] != request.host:
        abort(403)


def _protect(response: Response) -> Response:
    """Nothing but the shop's own files and the service; a personal page is kept nowhere."""
    service, port = service_address(), urlsplit(request.host_url).port
    pictures = f"http://127.0.0.1:{port}"  # their addresses in the catalogue, whatever the visitor calls this machine
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; style-src 'self'; img-src 'self' {pictures}; script-src 'self' {service}; "
        f"connect-src 'self' {service}; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers.setdefault("Cache-Control", "no-store")
    return response
