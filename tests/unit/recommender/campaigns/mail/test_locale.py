from decimal import Decimal

import pytest
from babel import Locale
from babel.numbers import format_currency, format_decimal

from recommender.campaigns.mail.locale import find_locale
from recommender.slate.reasons import Reason
from recommender.words.language import LANGUAGES, get_language
from tests.support.mail_samples import COFFEE, other, own


def test_a_mail_says_what_an_answer_says():
    for item in (own(COFFEE), own(COFFEE, days_ago=10, every_days=200, purchases=4), other(COFFEE)):
        for language in LANGUAGES:
            assert find_locale(language).reason(item) == get_language(language).reason(*item.reason)


def test_an_overdue_product_has_no_date():
    item = own(COFFEE, days_ago=80, every_days=30)
    assert item.reason.code == "OVERDUE"
    assert find_locale("en").reason(item) == "Time to restock"
    assert find_locale("de-AT").reason(item) == "Zeit für Nachschub"


def test_a_reason_names_no_other_product():
    item = other(COFFEE)
    item = item._replace(reason=Reason("SIMILAR", {"because": "SKU-1"}))
    assert find_locale("en").reason(item) == "Similar to what you looked at"


@pytest.mark.parametrize(
    ("locale", "price", "currency"),
    [
        ("en", "12.90", "EUR"),
        ("de", "1299", "EUR"),
        ("fr-CH", "1299.5", "CHF"),
        ("ja", "1299", "JPY"),
        ("ar", "12.90", "EUR"),
        ("ru", "12.90", "RUB"),
    ],
)
def test_prices_are_the_customers_own_notation(locale, price, currency):
    expected = format_currency(Decimal(price), currency, locale=Locale.parse(locale, sep="-"))
    assert find_locale(locale).price(price, currency) == expected


def test_prices_have_the_digits_of_the_region():
    assert "۱۲٫۹۰" in find_locale("fa").price("12.90", "EUR")
    assert find_locale("ar-EG").price("12.9", None) == "١٢٫٩٠"


def test_a_price_without_a_currency_is_a_number_of_two_digits():
    assert find_locale("de").price("12.9", None) == format_decimal(Decimal("12.9"), "#,##0.00", locale="de")


@pytest.mark.parametrize(("price", "said"), [("12,90 €", "12,90 €"), ("NaN", None), ("1e999", None), ("", None)])
def test_what_is_no_number_stays_as_it_was_told_and_what_nobody_could_pay_is_none(price, said):
    assert find_locale("en").price(price, "EUR") == said


def test_a_language_without_words_is_written_to_in_english_with_its_own_prices():
    locale = find_locale("pt-BR")
    assert (locale.language.tag, locale.language.notation.direction) == ("en", "ltr")
    assert locale.price("1299", "BRL") == format_currency(Decimal(1299), "BRL", locale="pt_BR")
    assert find_locale("he").language.notation.direction == "ltr"  # as the sentences are English


def test_an_audience_of_the_shops_own_gets_the_words_for_everyone():
    assert find_locale("en").audience("vips", "Tea") == find_locale("en").audience("everyone", "Tea")


@pytest.mark.parametrize("locale", ["", "xx", "../en", "\0", "日本", "a" * 10_000])
def test_what_is_no_locale_has_no_words(locale):
    assert find_locale(locale) is None
