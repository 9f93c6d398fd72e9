"""Routes of the widget: its script under two names, its types, its page, and rows as ready HTML."""

from flask import Blueprint, Response, abort, redirect, request
from werkzeug import Response as AnyResponse

from api.security.permissions import Permission, accessible
from api.widget.script import read, script

blueprint = Blueprint("widget", __name__)

CURRENT = "public, max-age=300"
IMMUTABLE = "public, max-age=31536000, immutable"


@blueprint.get("/widget.js")
@accessible(Permission.OPEN)
def current_script() -> Response:
    """The script of the widget, as this release has it: an ES module for shop pages."""
    return _send_script(CURRENT)


@blueprint.get("/widget-<string:digest>.js")
@accessible(Permission.OPEN)
def versioned_script(digest: str) -> AnyResponse:
    """The same under the name of its content, for good. The name of another release leads to the current script."""
    if f"widget-{digest}.js" == script().name:
        return _send_script(IMMUTABLE)
    return _open(redirect("/widget.js"), CURRENT)


@blueprint.get("/widget-<string:digest>.js.map")
@accessible(Permission.OPEN)
def source_map(digest: str) -> AnyResponse:
    """The source map of the script: what developer tools show in its place."""
    if f"widget-{digest}.js" != script().name:
        abort(404)
    return _open(Response(script().source_map, content_type="application/json"), IMMUTABLE)


@blueprint.get("/widget.d.ts")
@accessible(Permission.OPEN)
def types() -> AnyResponse:
    """The types of the widget for TypeScript."""
    return _open(Response(read("reprise.d.ts"), content_type="text/plain; charset=utf-8"), CURRENT)


def _send_script(cache_control: str) -> Response:
    zips = bool(request.accept_encodings["gzip"])
    response = Response(script().zipped if zips else script().code, content_type="text/javascript; charset=utf-8")
    if zips:
        response.headers["Content-Encoding"] = "gzip"
    response.headers["SourceMap"] = f"/{script().name}.map"
    response.vary.add("Accept-Encoding")
    response.set_etag(script().name, weak=True)
    _open(response, cache_control)
    response.make_conditional(request)
    return response


def _open(response: AnyResponse, cache_control: str) -> AnyResponse:
    """The same, for pages of every origin."""
    response.headers["Cache-Control"] = cache_control
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response
