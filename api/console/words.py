"""The console's words, from the files of `words/`, and how values are written, as in answers and mails."""

import tomllib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from importlib.resources import files
from typing import Any

from babel.dates import format_date, format_skeleton, format_time
from babel.numbers import format_decimal, format_percent

from api.console.page import Kind
from api.web.accept_language import accepted_language
from recommender.words.language import get_language
from recommender.words.notation import Notation

_PACKAGE = "api.console"
_FOLDER = files(_PACKAGE).joinpath("words")
LANGUAGES = tuple(sorted(file.name.removesuffix(".toml") for file in _FOLDER.iterdir() if file.name.endswith(".toml")))
"""Tags of the languages that the console speaks."""
NOTHING = "–"  # noqa: RUF001 - stands in a cell of which nothing is known


@lru_cache(maxsize=8)
def read_words(language: str) -> dict[str, Any]:
    """The words of a language of LANGUAGES, as its file has them."""
    return tomllib.loads(_FOLDER.joinpath(f"{language}.toml").read_text("utf-8"))


@dataclass(frozen=True, eq=False)
class Words:
    """The words of one language of LANGUAGES."""

    language: str

    @property
    def notation(self) -> Notation:
        """How numbers and dates are written."""
        return get_language(self.language).notation

    def __call__(self, name: str, **values: Any) -> str:
        """The sentence of a dotted name, with numbers and texts in it; the name itself where there is none."""
        found = self.find(name)
        if isinstance(found, Mapping):
            found = found.get(self.notation.plural(int(values["n"]))) or found["other"]
        if found is None:
            return name.rpartition(".")[2]
        told = {key: self.number(value) if isinstance(value, int) else value for key, value in values.items()}
        return str(found).format(**told)

    def find(self, name: str) -> Any:
        """What stands under a dotted name; None for nothing."""
        found: Any = read_words(self.language)
        for part in name.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
        return found

    def cell(self, kind: Kind, value: Any, currency: str | None = None) -> str:
        """A value as it is read."""
        if value is None:
            return NOTHING
        try:
            return self._written(kind, value, currency)
        except (ArithmeticError, ValueError):  # nonsense in the data: of a page only this cell is lost
            return str(value)

    def _written(self, kind: Kind, value: Any, currency: str | None) -> str:
        if kind == "money":
            return self.money(value, currency)
        writers: dict[Kind, Callable[[Any], str]] = {
            "number": self.number,
            "days": self.number,
            "decimal": self.decimal,
            "share": self.share,
            "day": self.day,
            "month": self.month,
            "moment": self.moment,
        }
        return writers.get(kind, str)(value)

    def number(self, value: float) -> str:
        """A number without decimals."""
        return self.notation.number(round(value))

    def decimal(self, value: float) -> str:
        """A number with two decimals at most."""
        return self._digits(format_decimal(round(value, 2), locale=self.notation.locale, numbering_system="default"))

    def share(self, value: float) -> str:
        """A share of 1 in percent, to a tenth under 10 %."""
        pattern = "#,##0.0 %" if 0 < abs(value) < 0.0995 else "#,##0 %"
        return self._digits(format_percent(value, pattern, locale=self.notation.locale, numbering_system="default"))

    def money(self, value: float, currency: str | None) -> str:
        """An amount with its currency; whole from a thousand on."""
        amount = Decimal(str(value)).quantize(Decimal("0.01"))
        return self.notation.money(f"{amount}", currency)

    def day(self, value: str | date) -> str:
        """Day, month and year; of the Jalali calendar in Persian."""
        on = date.fromisoformat(value[:10]) if isinstance(value, str) else value
        jalali = self.notation.jalali(on)
        if jalali is not None:
            return (
                f"{self._digits(str(jalali.day))} {jalali.strftime('%B', locale='fa')} {self._digits(str(jalali.year))}"
            )
        return self._digits(format_date(on, "d MMM y", locale=self.notation.locale))

    def short_day(self, value: str | date) -> str:
        """Day and month, as short as they are for an axis."""
        on = date.fromisoformat(value[:10]) if isinstance(value, str) else value
        if self.language == "fa":
            return self.notation.date(on)
        return self._digits(format_skeleton("MMMd", on, locale=self.notation.locale))

    def month(self, value: str) -> str:
        """A month of the Gregorian calendar, by its name."""
        on = date.fromisoformat(f"{value}-01")
        return self._digits(format_skeleton("yMMM", on, locale=self.notation.locale))

    def moment(self, value: str) -> str:
        """Day and time, UTC."""
        at = datetime.fromisoformat(value)
        with suppress(OverflowError):  # what ends with the year 9999 elsewhere ends later here
            at = at.astimezone(UTC)
        return f"{self.day(at.date())}, {self._digits(format_time(at, 'HH:mm', locale=self.notation.locale))} UTC"

    def _digits(self, text: str) -> str:
        return self.notation.digits(text)


def find_words(wanted: str | None, accept_language: str | None) -> Words:
    """The words of the language that was chosen, else of the browser's, else English."""
    chosen = accepted_language(wanted) or accepted_language(accept_language)
    name = "en" if chosen is None else chosen.tag.partition("-")[0]
    return Words(name if name in LANGUAGES else "en")
