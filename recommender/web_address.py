"""Web addresses of a catalogue, checked before they are shown: anybody may have written them."""

import re
from urllib.parse import urlsplit

LONGEST_ADDRESS = 2_048
BIDI = "\u202a-\u202e\u2066-\u2069"
"""Characters that turn the direction of the text that follows, beyond the end of the title that holds them."""
_NOT_IN_AN_ADDRESS = re.compile(f"[\\s\x00-\x20\x7f-\x9f\\\\\"'<>`^{{|}}\u200b-\u200f{BIDI}\ufeff\ud800-\udfff]")


def web_address(text: str | None) -> str | None:
    """`text` where it is an http or https address of a host, and nothing else is in it; else None.

    What a catalogue calls an address may be a script, a path, or another host's behind a name and a password.
    """
    if text is None or len(text) > LONGEST_ADDRESS or _NOT_IN_AN_ADDRESS.search(text):
        return None
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return None
    return text if parts.scheme in ("http", "https") and host and "@" not in parts.netloc else None
