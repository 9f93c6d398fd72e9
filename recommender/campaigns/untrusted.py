"""What comes from a catalogue or a list of addresses, before it enters a mail: anybody may have written it."""

import re
from urllib.parse import urlsplit

LONGEST_TEXT = 120
"""Characters of a title: three lines on a phone."""
LONGEST_ADDRESS = 2_048
_BIDI = "\u202a-\u202e\u2066-\u2069"
"""What turns the direction of the text that follows, beyond the end of the title that holds it."""
_LINE_ENDS_AND_CONTROLS = re.compile("[\\s\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_NEVER_SHOWN = re.compile(f"[{_BIDI}\ufeff\ufff9-\ufffb\ud800-\udfff]")
_NOT_IN_AN_ADDRESS = re.compile(f"[\\s\x00-\x20\x7f-\x9f\\\\\"'<>`^{{|}}\u200b-\u200f{_BIDI}\ufeff\ud800-\udfff]")


def clean_text(text: str, most: int = LONGEST_TEXT) -> str:
    """One line of at most `most` characters that keeps its direction to itself; not escaped yet."""
    line = _LINE_ENDS_AND_CONTROLS.sub(" ", _NEVER_SHOWN.sub("", text[: 8 * most])).strip()
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


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
