"""How a region writes numbers and dates: CLDR's rules by Babel, with the digits and the calendar of the region.

Babel knows which digits a region writes and writes Western ones; it knows no other calendar than the Gregorian one.
"""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from babel import Locale, UnknownLocaleError
from babel.dates import format_skeleton
from babel.numbers import format_currency, format_decimal
from persiantools.jdatetime import JalaliDate

_ZEROS = {
    "adlm": 0x1E950, "arab": 0x660, "arabext": 0x6F0, "beng": 0x9E6, "cakm": 0x11136, "deva": 0x966,
    "hmnp": 0x1E140, "mtei": 0xABF0, "mymr": 0x1040, "nkoo": 0x7C0, "olck": 0x1C50, "tibt": 0xF20,
}  # fmt: skip
"""The code point of the digit 0 of CLDR's numbering systems that are some region's own; 1 to 9 follow it in Unicode."""
_JALALI = "fa"
"""Its speakers count days in the solar Hijri calendar."""


@dataclass(frozen=True)
class Notation:
    """The notation of one locale of CLDR."""

    locale: Locale

    @property
    def direction(self) -> Literal["ltr", "rtl"]:
        """Of the script."""
        return "rtl" if self.locale.text_direction == "rtl" else "ltr"

    def plural(self, number: int) -> str:
        """CLDR's plural category of a number: `zero`, `one`, `two`, `few`, `many` or `other`."""
        return str(self.locale.plural_form(number))

    def number(self, number: int) -> str:
        """A whole number with the separators and digits of the region."""
        return self.digits(format_decimal(number, locale=self.locale, numbering_system="default"))

    def money(self, amount: str, currency: str | None) -> str:
        """An amount, which is a number as text, with the sign of its ISO 4217 code; without one where it has none."""
        if currency is None:
            return self.digits(format_decimal(amount, locale=self.locale, numbering_system="default"))
        return self.digits(format_currency(amount, currency, locale=self.locale, numbering_system="default"))

    def jalali(self, on: date) -> JalaliDate | None:
        """The day in the Jalali calendar; None where people count otherwise, or the calendar has no such day."""
        try:
            return JalaliDate(on) if self.locale.language == _JALALI else None  # type: ignore[no-untyped-call]
        except ValueError:  # before 622, or 9999, which stands for "without end"
            return None

    def date(self, on: date) -> str:
        """Day and month in words, such as `3 December`; of the Jalali calendar in Persian."""
        jalali = self.jalali(on)
        if jalali is not None:
            return f"{self.digits(str(jalali.day))} {jalali.strftime('%B', locale='fa')}"
        return self.digits(format_skeleton("MMMMd", on, locale=self.locale))

    def digits(self, text: str) -> str:
        """The same text with the digits of the region."""
        zero = _ZEROS.get(self.locale.default_numbering_system)
        return text if zero is None else text.translate({ord("0") + i: zero + i for i in range(10)})


def find_notation(tag: str) -> Notation | None:
    """The notation of a tag with hyphens, such as `de` or `pt-BR`; None where CLDR has no locale of that name."""
    try:
        return Notation(Locale.parse(tag, sep="-"))
    except (UnknownLocaleError, ValueError, TypeError):
        return None
