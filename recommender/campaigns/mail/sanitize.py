"""Sanitized text: titles and names are untrusted, and lose line ends, controls and direction marks in a mail."""

import re

from recommender.web_address import BIDI

LONGEST_TEXT = 120
"""Characters of a title: three lines on a phone."""
_LINE_ENDS_AND_CONTROLS = re.compile("[\\s\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_NEVER_SHOWN = re.compile(f"[{BIDI}\ufeff\ufff9-\ufffb\ud800-\udfff]")


def clean_text(text: str, most: int = LONGEST_TEXT) -> str:
    """One line of at most `most` characters without controls or direction marks; not escaped yet, "" for none."""
    line = _LINE_ENDS_AND_CONTROLS.sub(" ", _NEVER_SHOWN.sub("", text[: 8 * most])).strip()
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"
