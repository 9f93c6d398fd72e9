"""Routes of the documentation: a page at `/`, OpenAPI, a page of it without any outside asset, and the manual."""

from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

from flask import Blueprint, Response, abort, request

from api.json import dump
from api.security.auth import Permission, accessible
from api.web.front_page import front_page
from api.web.openapi import document
from api.web.page import POLICY

blueprint = Blueprint("docs", __name__)

_ASSETS = {
    "docs.js": ("api.static", "docs.js", "text/javascript"),
    "swagger.js": ("offapi", "swagger_bundle.js", "text/javascript"),
    "swagger.css": ("offapi", "swagger_style.css", "text/css"),
}
"""Name → (package, file, content type)."""
_PAGES = {
    "api": ("api", "README.md"),
    "deploy": ("api", "deploy/README.md"),
    "recommender": ("recommender", "README.md"),
    "training": ("training", "README.md"),
    "campaigns": ("training", "campaigns/README.md"),
}
"""Name → (package, file). They come with the package, and as they are: every browser shows Markdown as text."""
_POLICY = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'"
"""Content-Security-Policy of the page: the browser loads nothing from elsewhere."""


@blueprint.get("/")
@accessible(Permission.OPEN)
def front() -> Response:
    """A page for a person who opens the service in a browser; for programs there is nothing here."""
    if request.accept_mimetypes.best_match(["application/json", "text/html"]) != "text/html":
        abort(404)
    response = _shared(front_page(), "text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["Vary"] = "Accept"
    return response


@blueprint.get("/openapi.json")
@accessible(Permission.OPEN)
def openapi() -> Response:
    """The OpenAPI document."""
    return _shared(dump(document()), "application/json")


@blueprint.get("/docs")
@accessible(Permission.OPEN)
def docs() -> Response:
    """These routes as a page, to read and to try."""
    response = _shared(files("api.static").joinpath("docs.html").read_bytes(), "text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = _POLICY
    return response


@blueprint.get("/docs/<string:name>")
@accessible(Permission.OPEN)
def asset(name: str) -> Response:
    """A script or a style of that page."""
    if name not in _ASSETS:
        abort(404)
    package, file, content_type = _ASSETS[name]
    return _shared(_folder(package).joinpath(file).read_bytes(), content_type)


@blueprint.get("/docs/pages/<string:name>")
@accessible(Permission.OPEN)
def page(name: str) -> Response:
    """A page of the manual, as Markdown."""
    if name not in _PAGES:
        abort(404)
    package, file = _PAGES[name]
    return _shared(_folder(package).joinpath(file).read_bytes(), "text/plain; charset=utf-8")


def _shared(body: bytes, content_type: str) -> Response:
    response = Response(body, content_type=content_type)
    response.headers["Cache-Control"] = "public, max-age=3600"
    response.add_etag()
    response.make_conditional(request)
    return response


def _folder(package: str) -> Path:
    """The folder of a package, which is not imported: `offapi` would keep all its assets in memory."""
    spec = find_spec(package)
    return Path(spec.origin or "").parent if spec is not None else Path(package)
