"""Names of months and weekdays in the languages that shops export in, and words that stand beside them in dates."""

from collections.abc import Iterator
from functools import cache

from babel import Locale
from persiantools.jdatetime import MONTH_NAMES_FA

from training.writing.scripts import fold_marks

_LANGUAGES = "en de de_AT fr es it nl pl pt ru tr fa ar ar_IQ ar_DZ ar_MA sv da nb fi cs hu ro uk el id"
_MORE = {"sept": 9, "set": 9, "mrz": 3, "maerz": 3, "jaenner": 1}
_FILLERS = "of the de del di d le el den der dne um at a as alle kl klo om o г год года року р uhr st nd rd th er ος"
_HOUR = "ساعت الساعة"


@cache
def month_names() -> dict[str, int]:
    """Name, as `fold_marks` writes it → month of the Gregorian calendar; names that mean two months are left out."""
    found: dict[str, set[int]] = {}
    for name, number in (*_names("months"), *_MORE.items()):
        found.setdefault(name, set()).add(number)
    return {name: numbers.pop() for name, numbers in found.items() if len(numbers) == 1 and not name.isdigit()}


@cache
def persian_month_names() -> dict[str, int]:
    """Name, as `fold_marks` writes it → month of the Persian calendar."""
    return {fold_marks(name): number for number, name in enumerate(MONTH_NAMES_FA) if name}


@cache
def passed_over() -> frozenset[str]:
    """Words of a date that say nothing more: weekdays and fillers such as `of`."""
    return frozenset(name for name, _ in _names("days")) | set(map(fold_marks, f"{_FILLERS} {_HOUR}".split()))


def _names(kind: str) -> Iterator[tuple[str, int]]:
    for language in _LANGUAGES.split():
        contexts = getattr(Locale.parse(language), kind)
        for context in ("format", "stand-alone"):
            for width in ("wide", "abbreviated"):
                for number, name in contexts[context][width].items():
                    yield fold_marks(name).rstrip("."), int(number)
