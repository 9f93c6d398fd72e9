"""One language of the shop: its words, its catalogue, and how it writes prices, numbers and dates."""

import tomllib
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property, lru_cache
from importlib.resources import files
from typing import Any

from babel.dates import format_date
from babel.numbers import format_percent
from persiantools.jdatetime import JalaliDate

from recommender.words.language import LANGUAGES, get_language
from recommender.words.notation import Notation
from training.demo.storefront.backend import Backend
from training.demo.storefront.catalogue import Catalogue, Product


@lru_cache(maxsize=len(LANGUAGES))
def read_words(language: str) -> dict[str, Any]:
    """The words of a language of LANGUAGES, as its file has them."""
    return tomllib.loads(files(__package__).joinpath("words", f"{language}.toml").read_text("utf-8"))


@dataclass(frozen=True, eq=False)
class Site:
    """The shop in one language; `backend` has the keys of the site whose catalogue this is."""

    language: str
    catalogue: Catalogue
    backend: Backend

    @property
    def words(self) -> dict[str, Any]:
        """What the pages say."""
        return read_words(self.language)

    @cached_property
    def notation(self) -> Notation:
        """How numbers and dates are written."""
        return get_language(self.language).notation

    def price(self, product: Product, quantity: int = 1) -> str:
        """The price of so many of a product."""
        return self.money(Decimal(product.price) * quantity, product.currency)

    def money(self, amount: Decimal, currency: str) -> str:
        """An amount with its currency, rials without decimals."""
        return self.notation.money(f"{amount}", currency)

    def number(self, number: int) -> str:
        """A whole number."""
        return self.notation.number(number)

    def percent(self, share: float) -> str:
        """A share of 1 in whole percent."""
        return self.notation.digits(format_percent(share, locale=self.notation.locale, numbering_system="default"))

    def day(self, iso: str | None) -> str | None:
        """Day and month of an ISO date; None stays None."""
        return None if iso is None else self.notation.date(date.fromisoformat(iso[:10]))

    def today(self, on: date) -> str:
        """Weekday, day, month and year; of the Jalali calendar in Persian."""
        if self.language == "fa":
            jalali = JalaliDate(on)  # type: ignore[no-untyped-call]
            return self.notation.digits(
                f"{jalali.strftime('%A', locale='fa')} {jalali.day} {jalali.strftime('%B %Y', locale='fa')}"
            )
        return self.notation.digits(format_date(on, "full", locale=self.notation.locale))

    def category(self, name: str | None) -> str:
        """What a category is called."""
        return str(self.words["categories"].get(name, name or ""))
