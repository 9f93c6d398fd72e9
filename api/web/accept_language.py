"""The language of a request by its Accept-Language (RFC 9110, 12.5.4)."""

from functools import lru_cache

from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

from recommender.words.language import Language, find_language

_LONGEST_KEPT = 128
"""A browser's header is shorter; made-up ones must not fill the memory."""


def accepted_language(header: str | None) -> Language | None:
    """The first language that there is, by falling quality; None where the header is absent or wants only others."""
    if not header:
        return None
    return _find_kept(header) if len(header) <= _LONGEST_KEPT else _find(header)


def _find(header: str) -> Language | None:
    for tag, quality in parse_accept_header(header, LanguageAccept):
        if tag == "*" or quality <= 0:
            return None
        if (found := find_language(tag)) is not None:
            return found
    return None


_find_kept = lru_cache(maxsize=512)(_find)
