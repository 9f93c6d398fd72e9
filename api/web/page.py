"""Pages of the service for people: plain HTML with one style, no script and no outside asset."""

from base64 import b64encode
from hashlib import sha256

_STYLE = """
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { max-width: 32rem; margin: 15vh auto 0; padding: 0 1.5rem; }
button { font: inherit; padding: .75rem 1.5rem; border: 0; border-radius: .5rem; background: #1f5fbf; color: #fff; }
form + form { margin-top: .75rem; }
button:focus-visible { outline: 3px solid #f5a623; outline-offset: 2px; }
"""
_HASH = b64encode(sha256(_STYLE.encode()).digest()).decode()
POLICY = f"default-src 'none'; style-src 'sha256-{_HASH}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
"""Content-Security-Policy of the pages."""


def render_page(title: str, body: str, lang: str = "en", direction: str = "ltr") -> bytes:
    """A page of HTML. `title` and `body` are markup: whatever is not, is escaped by whoever calls this."""
    return f"""<!doctype html>
<html lang="{lang}" dir="{direction}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{_STYLE}</style>
<main>
<h1>{title}</h1>
{body}
</main>
</html>
""".encode()
