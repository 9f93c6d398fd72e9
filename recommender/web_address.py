"""Web addresses of a catalogue, checked before they are shown: anybody may have written them."""

import re
from collections.abc import Collection
from functools import lru_cache
from urllib.parse import urlsplit

LONGEST_ADDRESS = 2_048
BIDI = "\u202a-\u202e\u2066-\u2069"
"""Characters that turn the direction of the text that follows, beyond the end of the title that holds them."""
_NOT_IN_AN_ADDRESS = re.compile(f"[\\s\x00-\x20\x7f-\x9f\\\\\"'<>`^{{|}}\u200b-\u200f{BIDI}\ufeff\ud800-\udfff]")

_PLAIN = re.compile(r"(?:https?://[A-Za-z0-9.-]+(?![^/?#])|/(?!/))[!#-&(-;=?-\[\]_a-z~]*", re.ASCII)
"""What most addresses are, and all of it may be shown: products are decoded at each answer."""
_BEGIN = re.compile("[^/?#]*//[^/?#]*")
"""Scheme and authority of an address (RFC 3986, appendix B)."""


def shop_address(text: str | None, hosts: Collection[str] = ()) -> str | None:
    """`text` where it is a `web_address`, or a path on the shop's own host like `/p/milk`; else None."""
    if text and not hosts and len(text) <= LONGEST_ADDRESS and _PLAIN.fullmatch(text):
        return text
    if text is None or not text.startswith("/"):
        return web_address(text, hosts)
    elsewhere = text.startswith("//")  # `//evil.example` is another host, with the scheme of the page
    return None if elsewhere or len(text) > LONGEST_ADDRESS or _NOT_IN_AN_ADDRESS.search(text) else text


def web_address(text: str | None, hosts: Collection[str] = ()) -> str | None:
    """`text` where it is an http or https address of a host, and nothing else is in it; else None.

    Args:
        text: what somebody calls an address.
        hosts: hosts that are allowed, with all below them; empty for any.

    What a catalogue calls an address may be a script, a path, or another host's behind a name and a password.
    """
    if text is None or len(text) > LONGEST_ADDRESS or _NOT_IN_AN_ADDRESS.search(text):
        return None
    begin = _BEGIN.match(text)
    host = _host_of(begin.group()) if begin else None
    return text if host and (not hosts or any(f".{host}".endswith(f".{one}") for one in hosts)) else None


@lru_cache(maxsize=256)
def _host_of(begin: str) -> str | None:
    """The host in the begin of an address, which all products of a shop share; None where it is not to be shown."""
    try:
        parts = urlsplit(begin)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return None
    return host if parts.scheme in ("http", "https") and "@" not in parts.netloc else None
