"""Keys in the query: a publishable key may stand there as `key`, so that a browser asks without a preflight."""

from collections.abc import MutableMapping
from typing import Any
from urllib.parse import unquote

QUERY_KEY = "reprise.query_key"
"""Where the WSGI environment holds the key that stood in the query."""
_PREFIX = "key="


def holds_key(query: str) -> bool:
    """Whether a key stands in a query string."""
    return any(part.startswith(_PREFIX) for part in query.split("&"))


def move_query_key(environ: MutableMapping[str, Any]) -> None:
    """Move the key from the query string of a WSGI environment to its QUERY_KEY.

    What remains is the query of the same request with its key in `Authorization`: kept answers, ids and ETags follow
    from it, so none depends on the key, and no log can hold it.
    """
    query = environ.get("QUERY_STRING", "")
    if _PREFIX not in query:
        return
    parts = query.split("&")
    keys = [part.removeprefix(_PREFIX) for part in parts if part.startswith(_PREFIX)]
    if keys:
        environ[QUERY_KEY] = unquote(",".join(keys))
        environ["QUERY_STRING"] = "&".join(part for part in parts if not part.startswith(_PREFIX))
