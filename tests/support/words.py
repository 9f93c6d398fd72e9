"""What a language's file lacks, for tests of words."""

import string
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, get_args

from babel import Locale

from recommender.slate.reasons import Code

_SPOKEN_WITH_NUMBERS = {"DUE_SOON", "BUY_AGAIN"}
"""Reasons whose words are the tables `every` and `times`."""
_NUMBERS = [*range(1, 201), 1_000, 1_000_000]


def lacks(words: Mapping[str, Any], english: Mapping[str, Any], tag: str) -> list[str]:
    """What a language lacks, or has too much, beside English; [] where it is whole."""
    mine, theirs = dict(_sentences(words)), dict(_sentences(english))
    own = {("region",)}
    return [
        *(f"{'.'.join(name)} is missing" for name in theirs.keys() - mine.keys() - own),
        *(f"{'.'.join(name)} is in no other language" for name in mine.keys() - theirs.keys() - own),
        *(
            f"{'.'.join(name)} has {sorted(_fields(mine[name]))} to fill, English {sorted(_fields(theirs[name]))}"
            for name in mine.keys() & theirs.keys()
            if not isinstance(mine[name], dict) and _fields(mine[name]) != _fields(theirs[name])
        ),
        *(f"{'.'.join(name)} is empty" for name, sentence in mine.items() if not sentence),
        *(f"reasons.{code} is missing" for code in set(get_args(Code)) - _SPOKEN_WITH_NUMBERS - {*words["reasons"]}),
        *(what for name, forms in mine.items() if isinstance(forms, dict) for what in _plurals(name, forms, tag)),
    ]


def _sentences(table: Mapping[str, Any], *above: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The sentences of a nested table by their names; a table of plurals counts as one."""
    for name, value in table.items():
        if isinstance(value, dict) and "other" not in value:
            yield from _sentences(value, *above, name)
        else:
            yield (*above, name), value


def _plurals(name: tuple[str, ...], forms: Mapping[str, str], tag: str) -> Iterator[str]:
    """The categories that CLDR names, each with the number in it unless it is of one number alone."""
    locale = Locale.parse(tag, sep="-")
    numbers: dict[str, list[int]] = defaultdict(list)
    for number in _NUMBERS:
        if str(number) not in forms:
            numbers[locale.plural_form(number)].append(number)
    for category in {*locale.plural_form.tags, "other"}:
        if category not in forms:
            yield f"{'.'.join(name)}.{category} is missing"
        elif len(numbers[category]) > 1 and "n" not in _fields(forms[category]):
            yield f"{'.'.join(name)}.{category} does not say {{n}}, and is of {numbers[category][:3]}"
    for category, sentence in forms.items():
        if not category.isdigit() and category not in {*locale.plural_form.tags, "other"}:
            yield f"{'.'.join(name)}.{category} is no plural of {tag}"
        if _fields(sentence) - {"n"}:
            yield f"{'.'.join(name)}.{category} has {sorted(_fields(sentence))} to fill"


def _fields(sentence: str) -> set[str]:
    return {field for _, field, _, _ in string.Formatter().parse(sentence) if field is not None}
