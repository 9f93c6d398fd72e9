"""Routes of the widget: its script under two names, its types, its page, and rows as ready HTML."""

from urllib.parse import parse_qsl, urlencode

from flask import Blueprint, Response, abort, g, redirect, request
from pydantic_core import from_json
from werkzeug import Response as AnyResponse

from api.ids import ShopId
from api.security.auth import require_customer
from api.security.permissions import Permission, accessible
from api.security.query_key import QUERY_KEY
from api.serving.list_routes import answer_key, answer_list, lists
from api.serving.service import service
from api.web.query_names import add_names
from api.widget.docs_page import POLICY, render_docs
from api.widget.fragment import render_fragment
from api.widget.script import read, script
from recommender.storage.run_sync import run_sync

blueprint = Blueprint("widget", __name__)

OWN_NAMES = ("heading", "product_url")
"""Query parameters of a fragment that are none of its list."""
add_names(OWN_NAMES)
# the converter is named in the rule, which is a label of logs and metrics: its name stays
blueprint.record(lambda state: state.app.url_map.converters.update(list_path=ShopId))
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


@blueprint.get("/docs/widget")
@accessible(Permission.OPEN)
def docs() -> Response:
    """The widget as a page, to read and to try; a publishable key may stand in the query."""
    key = request.environ.get(QUERY_KEY, "")
    origin = request.host_url.rstrip("/")
    response = Response(
        render_docs(origin, key if key.startswith("pk_") else ""), content_type="text/html; charset=utf-8"
    )
    response.headers["Cache-Control"] = "no-store"
    response.headers["Content-Security-Policy"] = POLICY
    return response


@blueprint.get("/docs/widget-examples.js")
@accessible(Permission.OPEN)
def docs_script() -> Response:
    """The script of that page."""
    response = Response(read("docs.js"), content_type="text/javascript; charset=utf-8")
    response.headers["Cache-Control"] = CURRENT
    return response


@blueprint.get("/v1/html/<list_path:path>")
@accessible(Permission.SESSION)
def fragment(path: str) -> Response:
    """A list as ready HTML, by the path of its own route; `heading` and `product_url` are of the HTML.

    It is the same answer, with its id, rules, cap and caching. Nothing in it tells of impressions; links name the
    recommendation.
    """
    given = parse_qsl(request.environ.get("QUERY_STRING", ""), keep_blank_values=True)
    own = {name: value for name, value in given if name in OWN_NAMES}
    query = urlencode([(name, value) for name, value in given if name not in OWN_NAMES])
    asked = lists().find(f"/v1/{path}", query)
    if asked is None:
        abort(404)
    if asked.customer_id is not None:
        require_customer(asked.customer_id)
    builder = service().builder(g.principal.shop, request.headers.get("Accept-Language"))
    # of the list's own route: what is kept of the one is good for the other
    environ = {**request.environ, "PATH_INFO": f"/v1/{path}", "QUERY_STRING": query}
    key = answer_key(environ, builder.presentation.language)
    prepared = run_sync(answer_list(service(), builder, asked, environ, key))
    language = asked.wanted.language or builder.presentation.language
    html = render_fragment(from_json(prepared.body), language, own.get("heading", ""), own.get("product_url", ""))
    kept = [(name, value) for name, value in prepared.headers if name not in ("Content-Type", "Content-Length", "ETag")]
    response = Response(html, content_type="text/html; charset=utf-8", headers=kept)
    if prepared.etag is not None:
        response.add_etag()
        response.make_conditional(request)
    return response


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
