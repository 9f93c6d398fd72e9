"""Names of query parameters: those of GETs that no route knows are passed over, as links add their own.

A name that differs from a known one by a slip of the pen is still refused: who wrote `limt` wanted a limit.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from itertools import takewhile
from urllib.parse import unquote_plus

from api.schemas.requests import RecommendationBody

MIN_LENGTH = 5
"""Shortest name in which a slip is looked for: shorter ones are too near to words of others."""
_MAX_LENGTH = 64
_NO_LETTER = re.compile(r"[^a-z]+")
_names: set[str] = {"key", *RecommendationBody.model_fields}
"""What any route takes, in its query or in its body: a GET that does not take it is refused, not misunderstood."""


def add_names(names: Iterable[str]) -> None:
    """Make parameters of a route known."""
    _names.update(names)


def drop_unknown(query: str) -> str:
    """A query string without the parameters whose names are not like any known one.

    Answers, ids and ETags follow from what remains, so that one list is not kept under many keys.
    """
    parts = query.split("&")
    kept = [part for part in parts if _is_like_a_known(unquote_plus(part.partition("=")[0]))]
    return query if len(kept) == len(parts) else "&".join(kept)


def find_nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that was meant: it has the same letters, or all but for one slip of the pen."""
    letters = _letters(name) if len(name) <= _MAX_LENGTH else ""
    return next((one for one in known if letters and _is_meant(letters, _letters(one))), None)


@lru_cache(maxsize=1_024)
def _is_like_a_known(name: str) -> bool:
    return name in _names or find_nearest(name, _names) is not None


def _letters(name: str) -> str:
    return _NO_LETTER.sub("", name.lower())


def _is_meant(letters: str, known: str) -> bool:
    return letters == known or (len(known) >= MIN_LENGTH and _differ_by_a_slip(letters, known))


def _differ_by_a_slip(a: str, b: str) -> bool:
    """Whether one letter was left out, added, replaced, or swapped with the next."""
    n_same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(a, b, strict=False)))
    a, b = a[n_same:], b[n_same:]
    return a == b[1:] or a[1:] in (b, b[1:]) or a[1::-1] + a[2:] == b
