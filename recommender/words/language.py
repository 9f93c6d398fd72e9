"""Languages of the shop: the words of `*.toml`, a file each, for answers and for mails.

A sentence with a number has a form for each plural category that CLDR names for its language; a number that needs words
of its own stands by itself (`1`). Formatted sentences are kept: most answers say what an earlier one said.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, Field

if TYPE_CHECKING:
    from recommender.words.notation import Notation

_PACKAGE = "recommender.words"
LANGUAGES = tuple(sorted(file.name.removesuffix(".toml") for file in files(_PACKAGE).iterdir() if ".toml" in file.name))
"""Tags of the languages that there are."""
_TAG = re.compile(r"[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8}){0,3}")
_LONGEST_TAG = 35
"""What BCP 47 has programs keep of a tag."""
_DAYS_A_MONTH = 30.44


@dataclass(frozen=True, eq=False)
class Language:
    """The words of one language, in the notation of one region. `find_language` gives the same one each time.

    Attributes:
        tag: a BCP 47 tag: `de`, `de-AT`.
        words: the language's file.
    """

    tag: str
    words: Mapping[str, Any]

    @cached_property
    def notation(self) -> "Notation":
        """How numbers and dates are written."""
        from recommender.words.notation import find_notation  # noqa: PLC0415 - Babel: not for what shows no text

        region = self.words.get("region")
        tag = f"{self.tag}-{region}" if region and self.tag in LANGUAGES else self.tag
        found = find_notation(tag)
        if found is None:
            raise ValueError(f"CLDR has no locale {tag!r}; correct `region` in the file of the language")
        return found

    def reason(self, code: str, evidence: Mapping[str, Any]) -> str:
        """The sentence of a reason of `recommender.slate.reasons`, without a full stop."""
        reasons = self.words["reasons"]
        if code == "DUE_SOON":
            return _every(self, evidence["interval_days"])
        if code == "BUY_AGAIN":
            return _count(self, max(1, evidence.get("purchases", 1)), "times")
        because = evidence.get("because")
        if because and f"{code}_BECAUSE" in reasons:
            return str(reasons[f"{code}_BECAUSE"].format(product=because))
        return str(reasons[code])

    def due(self, at: date, today: date) -> str:
        """When a product is due: a date that is not past, or that it is time."""
        return str(self.words["reasons"]["OVERDUE"]) if at < today else _due_around(self, at)


@lru_cache(maxsize=256)
def find_language(tag: str) -> Language | None:
    """The language of a tag such as `de`, `de-AT` or `DE_at`, by the longest part of it that has words.

    A region or script that CLDR does not know is left out. None where no part of the tag has words.
    """
    if not _TAG.fullmatch(tag):
        return None
    known = {name.lower(): name for name in LANGUAGES}
    parts = tag.replace("_", "-").split("-")
    starts = ["-".join(parts[:n]) for n in range(len(parts), 0, -1)]
    name = next((known[start.lower()] for start in starts if start.lower() in known), None)
    if name is None:
        return None
    return _load(name if starts[0].lower() == name.lower() else _tag_in_cldr(starts, name), name)


def get_language(tag: str) -> Language:
    """The same. Raises ValueError where no part of the tag has words."""
    found = find_language(tag)
    if found is None:
        there_are = ", ".join(LANGUAGES)
        raise ValueError(f"{tag[:_LONGEST_TAG]!r} is no language that there is; take {there_are}, with any region")
    return found


def _check(tag: str) -> str:
    get_language(tag)
    return tag


LocaleTag = Annotated[
    str,
    Field(
        max_length=_LONGEST_TAG,
        json_schema_extra={"pattern": f"^({'|'.join(LANGUAGES)})([-_][A-Za-z0-9]{{2,8}}){{0,2}}$"},
    ),
    AfterValidator(_check),
]
"""The type of a field that holds the tag of a language that there is."""


def _tag_in_cldr(starts: list[str], name: str) -> str:
    """The longest of `starts` that is a locale of CLDR, as CLDR writes it; at least `name`."""
    from recommender.words.notation import find_notation  # noqa: PLC0415 - as above

    found = (find_notation(start) for start in starts if len(start) > len(name))
    return next((str(one.locale).replace("_", "-") for one in found if one is not None), name)


@lru_cache(maxsize=1_024)
def _load(tag: str, name: str) -> Language:
    return Language(tag, _words(name))


@lru_cache(maxsize=64)
def _words(name: str) -> Mapping[str, Any]:
    return tomllib.loads(files(_PACKAGE).joinpath(f"{name}.toml").read_text("utf-8"))


@lru_cache(maxsize=4_096)
def _count(language: Language, number: int, unit: str) -> str:
    """The sentence of a number of times, or of one every so many days, weeks or months."""
    reasons = language.words["reasons"]
    forms = reasons["times"] if unit == "times" else reasons["every"][unit]
    sentence = forms.get(str(number)) or forms.get(language.notation.plural(number)) or forms["other"]
    return str(sentence.format(n=language.notation.number(number)))


@lru_cache(maxsize=4_096)
def _due_around(language: Language, at: date) -> str:
    return str(language.words["reasons"]["due_around"].format(date=language.notation.date(at)))


@lru_cache(maxsize=4_096)
def _every(language: Language, days: int) -> str:
    """The sentence of an interval: days under two weeks, weeks under ten weeks, then months."""
    if days < 14:
        return _count(language, days, "day")
    return _count(language, *(round(days / 7), "week") if days < 70 else (round(days / _DAYS_A_MONTH), "month"))
