import tomllib
from decimal import Decimal
from importlib.resources import files
from typing import get_args

import pytest
from babel import Locale
from babel.dates import format_skeleton
from babel.numbers import format_currency, format_decimal

from recommender.campaigns.audiences import AudienceName
from recommender.slate.reasons import Code
from tests.support.mail_samples import COFFEE, other, own
from training.campaigns.mail.locale import find_locale

LANGUAGES = ("ar", "de", "en", "fr")


def words(language):
    return tomllib.loads(files("training.campaigns.mail").joinpath("locales", f"{language}.toml").read_text("utf-8"))


def shape(table):
    """The names in a nested table; plural forms differ between languages."""
    return {
        name: shape(value) if isinstance(value, dict) and "other" not in value else None
        for name, value in table.items()
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_says_everything(language):
    assert shape(words(language)) == shape(words("en"))
    assert set(words(language)["audiences"]) == set(get_args(AudienceName))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_can_be_filled(language):
    def fill(value):
        if isinstance(value, dict):
            return [text for one in value.values() for text in fill(one)]
        return [value.format(name="N", product="P", n=2, date="D")]

    assert all("{" not in text for text in fill(words(language)))


@pytest.mark.parametrize("days", [1, 2, 6, 7, 13, 14, 35, 69, 70, 90, 365])
def test_english_is_what_an_answer_says(days):
    """The words of a mail and those of the API are two tables of the same facts."""
    item = own(COFFEE, days_ago=days, every_days=days)
    assert item.reason.code == "DUE_SOON"
    assert find_locale("en").reason(item) == item.reason.text


@pytest.mark.parametrize("purchases", [1, 2, 9])
def test_so_is_what_is_not_due(purchases):
    item = own(COFFEE, days_ago=10, every_days=200, purchases=purchases)
    assert item.reason.code == "BUY_AGAIN"
    assert find_locale("en").reason(item) == item.reason.text


def test_an_overdue_product_has_its_date():
    item = own(COFFEE, days_ago=80, every_days=30)
    assert (item.reason.code, item.reason.text) == ("OVERDUE", "Due around 1 October")
    sentences = {
        "en-GB": "Due around {}",
        "en-US": "Due around {}",
        "de": "Wieder fällig um den {}",
        "fr": "À renouveler vers le {}",
        "ar": "موعد طلبه قرابة {}",
    }
    for locale, sentence in sentences.items():
        date = format_skeleton("MMMMd", item.due.at, locale=Locale.parse(locale, sep="-"))
        assert find_locale(locale).reason(item) == sentence.format(date)


def test_every_code_has_words():
    for code in get_args(Code):
        item = other(COFFEE)
        item = item._replace(reason=item.reason._replace(code=code))
        assert all(find_locale(language).reason(item) for language in LANGUAGES)


@pytest.mark.parametrize(
    ("days", "number", "unit"),
    [(1, 1, "day"), (2, 2, "day"), (7, 7, "day"), (12, 12, "day"), (14, 2, "week"), (35, 5, "week"), (90, 3, "month")],
)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_number_has_the_sentence_of_its_plural_form(language, days, number, unit):
    sentences = words(language)["reasons"]["every"][unit]
    sentence = sentences.get(Locale(language).plural_form(number), sentences["other"])
    said = find_locale(language).reason(own(COFFEE, days_ago=days, every_days=days))
    assert said == sentence.format(n=format_decimal(number, locale=language))


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ("one", "تطلب هذا عادةً كل يوم"),
        ("two", "تطلب هذا عادةً كل يومين"),
        ("few", "تطلب هذا عادةً كل {n} أيام"),
        ("many", "تطلب هذا عادةً كل {n} يومًا"),
    ],
)
def test_arabic_has_several_plurals(form, sentence):
    assert words("ar")["reasons"]["every"]["day"][form] == sentence


@pytest.mark.parametrize(
    ("locale", "price", "currency"),
    [
        ("en", "12.90", "EUR"),
        ("de", "1299", "EUR"),
        ("fr-CH", "1299.5", "CHF"),
        ("ja", "1299", "JPY"),
        ("ar", "12.90", "EUR"),
    ],
)
def test_prices_are_the_customers_own_notation(locale, price, currency):
    expected = format_currency(Decimal(price), currency, locale=Locale.parse(locale, sep="-"))
    assert find_locale(locale).price(price, currency) == expected


def test_a_price_without_a_currency_is_a_number_of_two_digits():
    assert find_locale("de").price("12.9", None) == format_decimal(Decimal("12.9"), "#,##0.00", locale="de")


@pytest.mark.parametrize(("price", "said"), [("12,90 €", "12,90 €"), ("NaN", None), ("1e999", None), ("", None)])
def test_what_is_no_number_stays_as_it_was_told_and_what_nobody_could_pay_is_none(price, said):
    assert find_locale("en").price(price, "EUR") == said


def test_a_language_without_words_is_written_to_in_english_with_its_own_prices():
    locale = find_locale("pt-BR")
    assert (locale.language, locale.direction) == ("en", "ltr")
    assert locale.price("1299", "BRL") == format_currency(Decimal(1299), "BRL", locale="pt_BR")
    assert find_locale("he").direction == "ltr"  # as the sentences are English


def test_an_audience_of_the_shops_own_gets_the_words_for_everyone():
    assert find_locale("en").audience("vips", "Tea") == find_locale("en").audience("everyone", "Tea")


@pytest.mark.parametrize("locale", ["", "xx", "en_XX_YY_ZZ", "../en", "\0", "日本", "a" * 10_000])
def test_what_is_no_locale_has_no_words(locale):
    assert find_locale(locale) is None
