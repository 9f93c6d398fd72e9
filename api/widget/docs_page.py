"""The page of documentation at `/docs/widget`, with live rows; from outside come pictures of products alone."""

from base64 import b64encode
from hashlib import sha256
from string import Template

from markupsafe import escape

from api.widget.script import read, script

RESERVE = "reprise-products:not(:defined) { display: block; min-height: 21.9rem; }"
"""What a shop's style sheet says so that a row has its height before the script is there."""
_STYLE = read("docs.css")
_HASH = b64encode(sha256(_STYLE.encode()).digest()).decode()
POLICY = (
    f"default-src 'none'; script-src 'self'; style-src 'sha256-{_HASH}'; connect-src 'self'; img-src * data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Content-Security-Policy of the page: pictures are where the shop has them."""


def render_docs(origin: str, key: str) -> str:
    """The page as HTML.

    Args:
        origin: where this server was asked.
        key: a publishable key for the live rows; "" for none.
    """
    values = {
        "origin": origin,
        "key": key,
        "size": f"{len(script().zipped):,}",
        "name": script().name,
        "integrity": script().integrity,
        "reserve": RESERVE,
    }
    written = {name: escape(value) for name, value in values.items()}
    return Template(read("docs.html")).substitute(written, style=_STYLE)
