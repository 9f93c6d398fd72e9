"""Pages of the unsubscribe link in a mail, in the reader's language: no script, no outside asset, no personal data."""

from base64 import b64encode
from functools import lru_cache
from hashlib import sha256
from html import escape

from recommender.words.language import Language

_STYLE = """
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { max-width: 32rem; margin: 15vh auto 0; padding: 0 1.5rem; }
button { font: inherit; padding: .75rem 1.5rem; border: 0; border-radius: .5rem; background: #1f5fbf; color: #fff; }
button:focus-visible { outline: 3px solid #f5a623; outline-offset: 2px; }
"""
_HASH = b64encode(sha256(_STYLE.encode()).digest()).decode()
POLICY = f"default-src 'none'; style-src 'sha256-{_HASH}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
"""Content-Security-Policy of the pages."""


@lru_cache(maxsize=64)
def ask_page(language: Language) -> bytes:
    """The page that asks, with one button that posts to the same address."""
    button = escape(language.words["unsubscribe"])
    form = f"""<form method="post">
<input type="hidden" name="List-Unsubscribe" value="One-Click">
<button>{button}</button>
</form>"""
    return _page(language, language.words["unsubscribe"], form)


@lru_cache(maxsize=64)
def done_page(language: Language) -> bytes:
    """The page that confirms it."""
    return _page(language, language.words["unsubscribed"])


def _page(language: Language, title: str, form: str = "") -> bytes:
    title, promise = escape(title), escape(language.words["no_more_mails"])
    return f"""<!doctype html>
<html lang="{language.tag}" dir="{language.notation.direction}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{_STYLE}</style>
<main>
<h1>{title}</h1>
<p>{promise}</p>
{form}
</main>
</html>
""".encode()
