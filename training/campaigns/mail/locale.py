"""Locales of mails: sentences of `locales/*.toml`; plurals, dates and prices as CLDR has them (Babel).

For a language without a file of its own the sentences are English; prices are the locale's own.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from importlib.resources import files
from typing import Any, Literal

from babel import Locale, UnknownLocaleError
from babel.dates import format_skeleton
from babel.numbers import format_currency, format_decimal

from recommender.slate.slate import Item
from training.campaigns.mail.sanitize import clean_text

FALLBACK_LANGUAGE = "en"
ANY_AUDIENCE = "everyone"
"""Its sentences stand in for those of an audience that the language's file does not name."""
_LONGEST_NAME = 60
_DAYS_A_MONTH = 30.44
_LARGEST_PRICE = Decimal(10) ** 12


@dataclass(frozen=True)
class MailLocale:
    """The sentences, plurals, dates and prices of one locale.

    Attributes:
        locale: of the sentences, and of the dates and numbers in them.
        price_locale: of the prices.
        words: the language's file.
        language: a BCP 47 tag of what `words` is written in.
        direction: of its script.
    """

    locale: Locale
    price_locale: Locale
    words: Mapping[str, Any]
    language: str
    direction: Literal["ltr", "rtl"]

    def greet(self, name: str | None) -> str:
        """The greeting, with `name` sanitized; without one, that of the nameless."""
        name = clean_text(name or "", _LONGEST_NAME)
        return str(self.words["greeting"].format(name=name) if name else self.words["greeting_unnamed"])

    def audience(self, audience: str, product: str) -> dict[str, str]:
        """Subject, preheader, headline and intro for an audience; `product` is the first one's clean title."""
        known = self.words["audiences"]
        sentences = known.get(audience) or known[ANY_AUDIENCE]
        product = clean_text(product, _LONGEST_NAME)
        return {name: sentence.format(product=product) for name, sentence in sentences.items()}

    def action(self, item: Item) -> str:
        """The label of a product's button."""
        return str(self.words["order_again" if item.kind == "buy_again" else "look"])

    def reason(self, item: Item) -> str:
        """The sentence of a product's reason: the facts of its English `reason.text`, without ids of other products."""
        reasons, code = self.words["reasons"], item.reason.code
        if item.due is not None and code == "DUE_SOON":
            number, unit = _interval(item.due.interval_days)
            return self._count(reasons["every"][unit], number)
        if item.due is not None and code == "OVERDUE":
            date = format_skeleton("MMMMd", item.due.at, locale=self.locale)
            return str(reasons["due_around"].format(date=date))
        if code in reasons:
            return str(reasons[code])
        purchases = item.reason.evidence.get("purchases")
        return self._count(reasons["times"], purchases if isinstance(purchases, int) else 1)

    def price(self, price: str | None, currency: str | None) -> str | None:
        """A price of the catalogue in the locale's notation; one that is no number stays as it is, sanitized.

        None where there is none, or one that is infinite or at least 10¹².
        """
        return None if price is None else _price(price, currency, self.price_locale)

    def _count(self, sentences: Mapping[str, str], number: int) -> str:
        sentence = sentences.get(self.locale.plural_form(number)) or sentences["other"]
        return sentence.format(n=format_decimal(number, locale=self.locale))


@lru_cache(maxsize=256)
def find_locale(locale: str) -> MailLocale | None:
    """The locale of a tag such as `de`, `pt-BR` or `ar_EG`; None where CLDR has none of that name."""
    try:
        found = Locale.parse(locale.strip().replace("-", "_"))
    except (UnknownLocaleError, ValueError, TypeError):
        return None
    words = _words(found.language)
    text_locale = found if words else Locale(FALLBACK_LANGUAGE)
    direction: Literal["ltr", "rtl"] = "rtl" if text_locale.text_direction == "rtl" else "ltr"
    tag = str(text_locale).replace("_", "-")
    return MailLocale(text_locale, found, words or _words(FALLBACK_LANGUAGE), tag, direction)


@lru_cache(maxsize=64)
def _words(language: str) -> Mapping[str, Any]:
    file = files("training.campaigns.mail").joinpath("locales", f"{language}.toml")
    return tomllib.loads(file.read_text("utf-8")) if file.is_file() else {}


@lru_cache(maxsize=16_384)
def _price(price: str, currency: str | None, locale: Locale) -> str | None:
    try:
        amount = Decimal(price)
    except InvalidOperation:
        return clean_text(price, _LONGEST_NAME) or None
    if not (amount.is_finite() and abs(amount) < _LARGEST_PRICE):
        return None
    if currency is None:
        return str(format_decimal(amount, "#,##0.00", locale=locale))
    return str(format_currency(amount, currency, locale=locale))


def _interval(days: int) -> tuple[int, str]:
    """Days under two weeks, weeks under ten weeks, then months: as `recommender.slate.reasons` rounds them."""
    if days < 14:
        return days, "day"
    return (round(days / 7), "week") if days < 70 else (round(days / _DAYS_A_MONTH), "month")
