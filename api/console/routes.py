"""Routes of the console: a view each under its name, what may be done there, and signing in."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from flask import Blueprint, Response, abort, g, redirect, request
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from api.console import posts
from api.console.page import Form, Note, Page
from api.console.refusals import BarredError, tell
from api.console.rendering import ASSETS, asset, protect, render, render_csv, render_mail
from api.console.session import PATH, Session, drop_cookie, find_session, is_own_form, set_cookie, sign_in
from api.console.views import VIEWS
from api.console.visit import Visit, address
from api.console.words import LANGUAGES, Words, find_words
from api.security.permissions import Permission, accessible
from api.serving.service import service
from api.web.access_log import log
from api.web.problems import status_of
from recommender.errors import ForbiddenError, RepriseError, UnauthorizedError

blueprint = Blueprint("console", __name__, url_prefix=PATH)
_LANGUAGE = "reprise_console_language"
_HTTP = {404: "not_found", 408: "late", 413: "too_large", 429: "too_many_requests"}
"""Words of the errors that werkzeug raises."""
_YEAR_S = 365 * 86_400
USUAL_S = sys.getswitchinterval()
YIELD_S = 0.0003
"""Seconds for which a thread keeps Python's lock while others want it: usually, and while a page is written."""


@blueprint.get("")
@accessible(Permission.CONSOLE)
def home() -> AnyResponse:
    """The console's first page."""
    return redirect(address("overview"), 302)


@blueprint.get("/assets/<string:name>")
@accessible(Permission.OPEN)
def static_file(name: str) -> Response:
    """A style, script or picture of the console."""
    try:
        body = asset(name)
    except KeyError:
        abort(404)
    response = Response(body, content_type=ASSETS[name])
    response.headers["Cache-Control"] = "public, max-age=3600"
    response.add_etag()
    response.make_conditional(request)
    return response


@blueprint.get("/<string:name>")
@accessible(Permission.CONSOLE)
def view(name: str) -> AnyResponse:
    """A page of the console, or one of its tables as CSV."""
    if name == "sign-in":
        return _sign_in_page(_words())
    if name not in VIEWS:
        abort(404)
    with _yielding():
        return _answer(_visit(), VIEWS[name])


@blueprint.post("/<string:name>")
@accessible(Permission.CONSOLE)
def act(name: str) -> AnyResponse:
    """Sign in or out, choose a language, or change something."""
    if name == "sign-in":
        return _sign_in()
    if name == "language":
        return _speak()
    visit = _visit()
    if not is_own_form(request, visit.session):
        raise BarredError("foreign_form")
    if name == "sign-out":
        return _sign_out(visit)
    if name not in posts.POSTS:
        abort(404)
    if not visit.session.may_act:
        raise BarredError("looks_only")
    with _yielding():
        done = posts.POSTS[name](visit)
        return _answer(visit, done) if callable(done) else redirect(done, 303)


@contextmanager
def _yielding() -> Iterator[None]:
    """Have this thread give up Python's lock more often, so that an answer waits for a page no longer than it takes.

    Pages are written one at a time, so none puts back what another wants.
    """
    sys.setswitchinterval(YIELD_S)
    try:
        yield
    finally:
        sys.setswitchinterval(USUAL_S)


def _answer(visit: Visit, show: Callable[[Visit], Page]) -> Response:
    page = show(visit)
    table = page.table(request.args.get("table", ""))
    if table is not None and "as" in request.args:
        return render_csv(page, table, visit.words, request.args["as"])
    if page.mail is not None and request.args.get("as") == "html":
        return render_mail(page.mail)
    notices = [visit.t("down")] * (not visit.is_answering)
    done = visit.words.find(f"done.{request.args.get('done', '')}")
    response = render(page, visit.words, visit.session, notices=[*([done] if isinstance(done, str) else []), *notices])
    if visit.session.fresh:
        set_cookie(response, request, visit.session.session_id)
    return response


def _visit() -> Visit:
    here = service()
    now = here.clock()
    session = find_session(request, here.shops.api_keys, here.settings.shop, here.shops.storage, now)
    return Visit(session, _words(), here, now)


def _words() -> Words:
    return find_words(request.cookies.get(_LANGUAGE), request.headers.get("Accept-Language"))


def _sign_in_page(words: Words, error: str = "", status: int = 200) -> Response:
    leads = [words("signin.lead")] if not error else [words(error)]
    blocks = [Form("sign-in", {"next": request.values.get("next", "")[:200]})]
    return render(Page("signin", leads, blocks, status=status), words, None)


def _sign_in() -> AnyResponse:
    here, words = service(), _words()
    try:
        session, cookie = sign_in(request, request.form.get("key", ""), here.shops.api_keys, here.clock())
    except UnauthorizedError:
        return _sign_in_page(words, "signin.unknown", 401)
    except ForbiddenError as error:
        word = f"refused.{error.word}" if isinstance(error, BarredError) else "signin.blind"
        return _sign_in_page(words, word, 403)
    log().warning("console_sign_in", shop=session.principal.shop, key_id=session.principal.key_id)
    wanted = request.form.get("next", "")
    response = redirect(address(wanted if wanted in VIEWS else "overview"), 303)
    set_cookie(protect(response), request, cookie)  # type: ignore[arg-type]
    return response


def _sign_out(visit: Visit) -> AnyResponse:
    response = redirect(address("sign-in"), 303)
    drop_cookie(response)  # type: ignore[arg-type]
    posts.end_session(visit)
    return response


def _speak() -> AnyResponse:
    """A form of another site may do this, too: it changes the words alone."""
    wanted, back = request.form.get("language", ""), request.form.get("back", "")
    response = redirect(address(back if back in (*VIEWS, "sign-in") else "overview"), 303)
    if wanted in LANGUAGES:
        response.set_cookie(_LANGUAGE, wanted, max_age=_YEAR_S, path=PATH, httponly=True, samesite="Strict")
    return response


@blueprint.errorhandler(RepriseError)
def _from_reprise(error: RepriseError) -> AnyResponse:
    """An error in the reader's words; whoever is not signed in is asked to."""
    words, status = _words(), status_of(error) or 500
    if isinstance(error, UnauthorizedError):
        if request.method == "GET":
            return redirect(address("sign-in", next=(request.view_args or {}).get("name", "")), 303)
        return _sign_in_page(words, "signin.ended", 401)
    if status >= 500:
        log().error(error.code, request_id=g.request_id, detail=str(error))
    response = _problem(words, status, tell(error, words))
    if (wait_s := getattr(error, "retry_after_s", None)) is not None:
        response.headers["Retry-After"] = str(wait_s)
    return response


@blueprint.errorhandler(HTTPException)
def _from_http(error: HTTPException) -> AnyResponse:
    words, status = _words(), error.code or 500
    if status < 400:
        return error.get_response()
    return _problem(words, status, words(f"errors.{_HTTP.get(status, 'other')}"))


@blueprint.errorhandler(Exception)
def _from_bug(error: Exception) -> AnyResponse:
    log().error("unexpected_error", request_id=g.request_id, exc_info=error)
    words = _words()
    return _problem(words, 500, words("errors.bug", number=g.request_id))


def _problem(words: Words, status: int, text: str) -> Response:
    session: Session | None = None
    with suppress(RepriseError):
        session = _visit().session
    return render(Page("problem", [text], [Note(words("errors.what_now"))], status=status), words, session)
