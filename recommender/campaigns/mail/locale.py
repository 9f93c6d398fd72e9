"""Locales of mails: the words of a language, and prices as the customer's own region writes them.

For a language without words of its own (`recommender/words`) the sentences are English; prices are the locale's own.
"""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from babel.numbers import format_currency, format_decimal

from recommender.campaigns.mail.sanitize import clean_text
from recommender.errors import MailError
from recommender.slate.slate import Item
from recommender.words.language import Language, find_language, get_language
from recommender.words.notation import Notation, find_notation

FALLBACK_LANGUAGE = "en"
ANY_AUDIENCE = "everyone"
"""Its sentences stand in for those of an audience that the language's file does not name."""
_LONGEST_NAME = 60
_LARGEST_PRICE = Decimal(10) ** 12


@dataclass(frozen=True)
class MailLocale:
    """The sentences and prices of one locale.

    Attributes:
        language: of the sentences, and of the dates and numbers in them.
        prices: the notation of the prices.
    """

    language: Language
    prices: Notation

    def greet(self, name: str | None) -> str:
        """The greeting, with `name` sanitized; without one, that of the nameless."""
        name, words = clean_text(name or "", _LONGEST_NAME), self.language.words
        return str(words["greeting"].format(name=name) if name else words["greeting_unnamed"])

    def audience(self, audience: str, product: str) -> dict[str, str]:
        """Subject, preheader, headline and intro for an audience; `product` is the first one's clean title."""
        known = self.language.words["audiences"]
        sentences = known.get(audience) or known[ANY_AUDIENCE]
        product = clean_text(product, _LONGEST_NAME)
        return {name: sentence.format(product=product) for name, sentence in sentences.items()}

    def action(self, item: Item) -> str:
        """The label of a product's button."""
        return str(self.language.words["order_again" if item.kind == "buy_again" else "look"])

    def reason(self, item: Item) -> str:
        """The sentence of a product's reason, without ids of other products."""
        return self.language.reason(item.reason.code, {**item.reason.evidence, "because": None})

    def price(self, price: str | None, currency: str | None) -> str | None:
        """A price of the catalogue in the locale's notation; one that is no number stays as it is, sanitized.

        None where there is none, or one that is infinite or at least 10¹².
        """
        return None if price is None else _price(price, currency, self.prices)


@lru_cache(maxsize=256)
def find_locale(locale: str) -> MailLocale | None:
    """The locale of a tag such as `de`, `pt-BR` or `ar_EG`; None where neither CLDR nor a file has one of that name."""
    tag = locale.strip().replace("_", "-")
    language = find_language(tag)
    prices = find_notation(tag) or (None if language is None else language.notation)
    if prices is None:
        return None
    return MailLocale(language or get_language(FALLBACK_LANGUAGE), prices)


def get_locale(locale: str) -> MailLocale:
    """The same. Raises MailError where there is none."""
    found = find_locale(locale)
    if found is None:
        raise MailError(f"locale {locale!r} is not known; give a language, and a country if need be: de, pt-BR")
    return found


@lru_cache(maxsize=16_384)
def _price(price: str, currency: str | None, notation: Notation) -> str | None:
    try:
        amount = Decimal(price)
    except InvalidOperation:
        return clean_text(price, _LONGEST_NAME) or None
    if not (amount.is_finite() and abs(amount) < _LARGEST_PRICE):
        return None
    locale = notation.locale
    if currency is None:
        said = format_decimal(amount, "#,##0.00", locale=locale, numbering_system="default")
    else:
        said = format_currency(amount, currency, locale=locale, numbering_system="default")
    return notation.digits(said)
