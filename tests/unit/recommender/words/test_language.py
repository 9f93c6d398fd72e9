"""The words of every language, and how its regions write numbers and dates."""

import tomllib
from copy import deepcopy
from datetime import date
from importlib.resources import files
from typing import get_args

import pytest
from babel import Locale
from babel.dates import format_skeleton
from babel.localedata import locale_identifiers
from babel.numbers import format_decimal

from recommender.campaigns.audiences import AudienceName
from recommender.slate.reasons import Code
from recommender.words import notation
from recommender.words.language import LANGUAGES, find_language, get_language
from tests.support.words import lacks

TODAY = date(2026, 11, 30)


def words(language):
    return tomllib.loads(files("recommender.words").joinpath(f"{language}.toml").read_text("utf-8"))


def test_there_are_these_languages():
    assert {"ar", "de", "en", "fa", "fr", "ru"} <= set(LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_language_lacks_anything(language):
    assert lacks(words(language), words("en"), language) == []
    assert set(words(language)["audiences"]) == set(get_args(AudienceName))


def drop(table, *names):
    for name in names[:-1]:
        table = table[name]
    del table[names[-1]]


@pytest.mark.parametrize(
    ("language", "gone"),
    [
        ("de", "greeting"),
        ("fr", "audiences.overdue.intro"),
        ("fa", "reasons.PINNED"),
        ("en", "reasons.TRENDING"),
        ("ar", "reasons.every.week.many"),
        ("ru", "reasons.times.few"),
        ("ru", "reasons.every.day.other"),
    ],
)
def test_what_a_language_lacks_is_found(language, gone):
    broken = deepcopy(words(language))
    drop(broken, *gone.split("."))
    found = lacks(broken, words("en"), language)
    assert any(one.startswith(gone.removesuffix(".other")) for one in found), found


@pytest.mark.parametrize(
    ("language", "name", "sentence"),
    [
        ("de", "due_around", "Wieder fällig"),
        ("de", "due_around", "Wieder fällig um den {day}"),
        ("fa", "SIMILAR_BECAUSE", "مشابه"),
        ("ru", "NEW", ""),
    ],
)
def test_so_is_a_sentence_that_cannot_be_filled(language, name, sentence):
    broken = deepcopy(words(language))
    broken["reasons"][name] = sentence
    assert any(one.startswith(f"reasons.{name}") for one in lacks(broken, words("en"), language))


def test_a_form_of_many_numbers_must_say_which():
    """Russian has `one` for 1, 21, 31 and so on: without its number, 21 days would read as one."""
    broken = deepcopy(words("ru"))
    broken["reasons"]["every"]["day"]["one"] = "каждый день"
    assert lacks(broken, words("en"), "ru") == ["reasons.every.day.one does not say {n}, and is of [21, 31, 41]"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_has_words(language):
    evidence = {"purchases": 3, "interval_days": 28}
    said = {code: get_language(language).reason(code, evidence) for code in get_args(Code)}
    assert all(said.values())
    assert not any("{" in sentence for sentence in said.values())


@pytest.mark.parametrize("days", [1, 2, 3, 5, 12, 13, 14, 21, 35, 69, 70, 90, 365, 640])
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_number_has_the_sentence_of_its_plural_form(language, days):
    number, unit = (
        (days, "day") if days < 14 else (round(days / 7), "week") if days < 70 else (round(days / 30.44), "month")
    )
    sentences, locale = words(language)["reasons"]["every"][unit], Locale(language)
    sentence = sentences.get(str(number)) or sentences[locale.plural_form(number)]
    digits = get_language(language).notation.digits(format_decimal(number, locale=locale))
    assert get_language(language).reason("DUE_SOON", {"interval_days": days}) == sentence.format(n=digits)


@pytest.mark.parametrize(
    ("language", "times", "said"),
    [
        ("en", 1, "You bought this before"),
        ("en", 4, "You bought this 4 times"),
        ("ru", 1, "Вы уже покупали это"),
        ("ru", 3, "Вы покупали это 3 раза"),
        ("ru", 5, "Вы покупали это 5 раз"),
        ("ru", 21, "Вы покупали это 21 раз"),
        ("ar", 2, "اشتريت هذا مرتين"),
        ("ar", 3, "اشتريت هذا 3 مرات"),
        ("ar", 11, "اشتريت هذا 11 مرة"),
        ("ar-EG", 3, "اشتريت هذا ٣ مرات"),
        ("fa", 12, "این را ۱۲ بار خریده\u200cاید"),
        ("de", 1_234, "Das haben Sie 1.234-mal gekauft"),
    ],
)
def test_how_often_it_was_bought(language, times, said):
    assert get_language(language).reason("BUY_AGAIN", {"purchases": times}) == said


def test_a_product_that_explains_another_is_named_as_it_is():
    assert get_language("de").reason("SIMILAR", {"because": "Tee {n} {0}"}) == "Ähnlich wie Tee {n} {0}"
    assert get_language("fr").reason("BOUGHT_TOGETHER", {"because": "Thé"}) == "Souvent acheté avec Thé"
    # among words from right to left a title keeps its own direction
    assert get_language("fa").reason("SIMILAR", {"because": "Tea (1 kg)"}) == "مشابه \u2068Tea (1 kg)\u2069"


class TestDates:
    @pytest.mark.parametrize(
        ("language", "sentence"),
        [
            ("de-CH", "Wieder fällig um den {}"),
            ("en-GB", "Due around {}"),
            ("en-US", "Due around {}"),
            ("fr-CA", "À renouveler vers le {}"),
            ("ar", "موعد طلبه قرابة {}"),
            ("ru", "Понадобится примерно {}"),
        ],
    )
    def test_are_those_of_the_region(self, language, sentence):
        at = date(2027, 1, 3)
        said = format_skeleton("MMMMd", at, locale=Locale.parse(language, sep="-"))
        assert get_language(language).due(at, TODAY) == sentence.format(said)

    def test_english_without_a_region_is_no_countrys(self):
        assert get_language("en").due(date(2026, 12, 3), TODAY) == "Due around 3 December"

    @pytest.mark.parametrize(
        ("at", "said"),
        [
            (date(2026, 12, 3), "۱۲ آذر"),
            (date(2027, 3, 20), "۲۹ اسفند"),
            (date(2027, 3, 21), "۱ فروردین"),  # Nowruz 1406
        ],
    )
    def test_persian_ones_are_of_the_jalali_calendar(self, at, said):
        for language in ("fa", "fa-IR"):
            assert get_language(language).due(at, TODAY) == f"زمان خرید دوباره: حدود {said}"

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_that_are_past_are_never_said(self, language):
        spoken = get_language(language)
        time_to_restock = words(language)["reasons"]["OVERDUE"]
        assert spoken.due(date(2026, 6, 29), TODAY) == spoken.due(date(2026, 11, 29), TODAY) == time_to_restock
        assert spoken.due(TODAY, TODAY) != time_to_restock
        assert spoken.reason("OVERDUE", {"purchases": 6, "interval_days": 30}) == time_to_restock

    def test_in_english_it_is_time_to_restock(self):
        assert get_language("en").due(date(2026, 6, 29), TODAY) == "Time to restock"


class TestTags:
    @pytest.mark.parametrize(
        ("tag", "found"),
        [
            ("de", "de"),
            ("DE_at", "de-AT"),
            ("de-AT", "de-AT"),
            ("de-XX", "de"),
            ("de-1996", "de"),
            ("fr-CA-x-y", "fr-CA"),
            ("ar-EG", "ar-EG"),
        ],
    )
    def test_the_longest_part_that_is_known_counts(self, tag, found):
        assert get_language(tag).tag == found
        assert get_language(tag) is get_language(tag)

    @pytest.mark.parametrize(
        "tag", ["", "xx", "pt-BR", "de-", "-de", "../en", "e", "de AT", "\0", "日本", "a" * 10_000]
    )
    def test_what_has_no_words_is_none(self, tag):
        assert find_language(tag) is None
        with pytest.raises(ValueError, match=f"take {', '.join(LANGUAGES)}, with any region"):
            get_language(tag)


def test_every_numbering_system_of_a_region_has_digits():
    systems = {Locale.parse(name).default_numbering_system for name in locale_identifiers()}
    assert systems - notation._ZEROS.keys() == {"latn"}
