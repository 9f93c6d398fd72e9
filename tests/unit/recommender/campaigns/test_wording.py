import tomllib
from importlib.resources import files
from typing import get_args

import pytest

from recommender.campaigns.audiences import AudienceName
from recommender.campaigns.wording import find_wording
from recommender.reasons import Code
from tests.mail_samples import COFFEE, other, own

LANGUAGES = ("ar", "de", "en", "fr")


def words(language):
    return tomllib.loads(files("recommender.campaigns").joinpath("locales", f"{language}.toml").read_text("utf-8"))


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
    assert find_wording("en").reason(item) == item.reason.text


@pytest.mark.parametrize("purchases", [1, 2, 9])
def test_so_is_what_is_not_due(purchases):
    item = own(COFFEE, days_ago=10, every_days=200, purchases=purchases)
    assert item.reason.code == "BUY_AGAIN"
    assert find_wording("en").reason(item) == item.reason.text


def test_an_overdue_product_has_its_date():
    item = own(COFFEE, days_ago=80, every_days=30)
    assert (item.reason.code, item.reason.text) == ("OVERDUE", "Due around 1 October")
    said = {locale: find_wording(locale).reason(item) for locale in ("en-GB", "en-US", "de", "fr", "ar")}
    assert said == {
        "en-GB": "Due around 1 October",
        "en-US": "Due around October 1",
        "de": "Wieder fällig um den 1. Oktober",
        "fr": "À renouveler vers le 1 octobre",
        "ar": "موعد طلبه قرابة 1 أكتوبر",
    }


def test_every_code_has_words():
    for code in get_args(Code):
        item = other(COFFEE)
        item = item._replace(reason=item.reason._replace(code=code))
        assert all(find_wording(language).reason(item) for language in LANGUAGES)


@pytest.mark.parametrize(
    ("days", "sentence"),
    [
        (1, "تطلب هذا عادةً كل يوم"),
        (2, "تطلب هذا عادةً كل يومين"),
        (7, "تطلب هذا عادةً كل 7 أيام"),
        (12, "تطلب هذا عادةً كل 12 يومًا"),
        (14, "تطلب هذا عادةً كل أسبوعين"),
        (35, "تطلب هذا عادةً كل 5 أسابيع"),
    ],
)
def test_arabic_has_six_plurals(days, sentence):
    assert find_wording("ar").reason(own(COFFEE, days_ago=days, every_days=days)) == sentence


@pytest.mark.parametrize(
    ("locale", "price", "currency", "said"),
    [
        ("en", "12.90", "EUR", "€12.90"),
        ("de", "1299", "EUR", "1.299,00\xa0€"),
        ("fr-CH", "1299.5", "CHF", "1\u202f299,50\xa0CHF"),
        ("ja", "1299", "JPY", "￥1,299"),
        ("ar", "12.90", "EUR", "\u200f12.90\xa0€"),
        ("de", "12.90", None, "12,90"),
        ("en", "12,90 €", "EUR", "12,90 €"),
        ("en", "NaN", "EUR", None),
        ("en", "1e999", "EUR", None),
        ("en", "", "EUR", None),
    ],
)
def test_prices_are_the_customers_own_notation(locale, price, currency, said):
    assert find_wording(locale).price(price, currency) == said


def test_a_language_without_words_is_written_to_in_english_with_its_own_prices():
    wording = find_wording("pt-BR")
    assert (wording.language, wording.direction) == ("en", "ltr")
    assert wording.price("1299", "BRL") == "R$\xa01.299,00"
    assert find_wording("he").direction == "ltr"  # as the sentences are English


def test_an_audience_of_the_shops_own_gets_the_words_for_everyone():
    assert find_wording("en").audience("vips", "Tea") == find_wording("en").audience("everyone", "Tea")


@pytest.mark.parametrize("locale", ["", "xx", "en_XX_YY_ZZ", "../en", "\0", "日本", "a" * 10_000])
def test_what_is_no_locale_has_no_words(locale):
    assert find_wording(locale) is None
