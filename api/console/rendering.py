"""Pages of the console as HTML or as CSV, with the headers that keep them in our own browser tab."""

from collections.abc import Iterable
from functools import cache
from importlib.resources import files

from flask import Response, request
from jinja2 import Environment, PackageLoader, select_autoescape

from api.console.csv_file import to_csv
from api.console.page import Mail, Page, Table
from api.console.session import Session
from api.console.visit import address
from api.console.words import LANGUAGES, Words, read_words

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "frame-src 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Content-Security-Policy of every page: nothing inline, nothing from elsewhere."""
MAIL_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'self'"
"""That of a mail: a document without an origin, script, form or picture."""
GROUPS = {
    "see": ("overview", "placements", "products", "customers", "due"),
    "understand": ("retention", "value", "experiments", "campaigns", "mails"),
    "change": ("merchandising", "versions", "actions"),
}
"""Views by their group in the navigation."""
ASSETS = {"console.css": "text/css", "console.js": "text/javascript", "icon.svg": "image/svg+xml"}


@cache
def environment() -> Environment:
    """The templates; everything is escaped unless it is markup."""
    made = Environment(
        loader=PackageLoader("api.console"), autoescape=select_autoescape(default=True), trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    made.globals.update(address=address, groups=GROUPS, languages={one: read_words(one)["name"] for one in LANGUAGES})
    return made


def render(page: Page, words: Words, session: Session | None, *, notices: Iterable[str] = ()) -> Response:
    """A page for somebody who is signed in, or, without a session, before that."""
    asked = {name: value for name, value in request.args.items() if name not in ("as", "table")}
    body = environment().get_template("page.html").render(
        page=page, t=words, session=session, notices=tuple(notices), here=request.path.rpartition("/")[2], asked=asked,
        may_act=session is not None and session.may_act, has_address=request.method == "GET",
    )  # fmt: skip
    response = Response(body, page.status, content_type="text/html; charset=utf-8")
    response.headers["Content-Language"] = words.language
    return protect(response)


def render_csv(page: Page, table: Table, words: Words, form: str) -> Response:
    """One table of a page as a file."""
    name = f"{page.name}-{table.name}.csv"
    body = to_csv(
        table, lambda column: words(f"columns.{column}"), "csv-de" if form == "csv-de" else "csv", page.currency
    )
    response = Response(body, content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return protect(response)


def render_mail(mail: Mail) -> Response:
    """The HTML of a mail, for the frame of its page."""
    response = protect(Response(mail.html, content_type="text/html; charset=utf-8"))
    response.headers["Content-Security-Policy"] = MAIL_POLICY
    return response


def protect(response: Response) -> Response:
    """Headers of what nobody but its reader may see, keep or frame."""
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["Referrer-Policy"] = "same-origin"  # without any, a form would come from no origin
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    return response


def asset(name: str) -> bytes:
    """A file of `static`. Raises KeyError where there is none of the name."""
    if name not in ASSETS:
        raise KeyError(name)
    return files("api.console").joinpath("static", name).read_bytes()
