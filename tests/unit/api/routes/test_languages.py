"""In which language an answer speaks: its `locale`, then its Accept-Language, then the setting."""

from datetime import timedelta

import pytest

from api import create_app
from recommender.settings import Settings
from recommender.words.language import LANGUAGES
from tests.fakes.shops import MemoryShopStorage
from tests.support import small_shop

ANNA = "/v1/customers/ANNA/recommendations?limit=1"
POPULAR = "/v1/popular?limit=1"
MILK = {
    "en": ("You usually reorder every 7 days", "Due around 21 November"),
    "de": ("Das bestellen Sie meist alle 7 Tage", "Wieder fällig um den 21. November"),
    "fr": ("Vous le commandez d’habitude tous les 7 jours", "À renouveler vers le 21 novembre"),
    "ar": ("تطلب هذا عادةً كل 7 أيام", "موعد طلبه قرابة 21 نوفمبر"),
    "fa": ("معمولاً هر ۷ روز این را سفارش می\u200cدهید", "زمان خرید دوباره: حدود ۳۰ آبان"),
    "ru": ("Обычно вы заказываете это раз в 7 дней", "Понадобится примерно 21 ноября"),
}


def said(answer) -> tuple[str, str]:
    assert answer.status_code == 200, answer.text
    (item,) = answer.json["items"]
    return item["reason"]["text"], item["due"]["text"]


def accept(value) -> dict[str, str]:
    return {"Accept-Language": value}


def varies(answer) -> set[str]:
    return set(", ".join(answer.headers.getlist("Vary")).split(", "))


@pytest.mark.parametrize("language", MILK)
def test_the_query_names_it(client, language):
    answer = client.get(f"{ANNA}&locale={language}", headers=accept("de"))
    assert said(answer) == MILK[language]
    assert answer.headers["Content-Language"] == language
    assert "Accept-Language" not in varies(answer)


@pytest.mark.parametrize("language", MILK)
def test_else_the_header_does(client, language):
    answer = client.get(ANNA, headers=accept(language))
    assert said(answer) == MILK[language]
    assert answer.headers["Content-Language"] == language
    assert "Accept-Language" in varies(answer)


@pytest.mark.parametrize("language", MILK)
def test_in_profiles_too(client, language):
    path = "/v1/customers/ANNA/profile"
    named = client.get(f"{path}?locale={language}", headers=accept("de"))
    accepted = client.get(path, headers=accept(language))
    for answer in (named, accepted):
        assert [one["due"]["text"] for one in answer.json["due"]] == [MILK[language][1]]
        assert answer.headers["Content-Language"] == language
    assert ["Accept-Language" in varies(answer) for answer in (named, accepted)] == [False, True]
    assert client.get(f"{path}?locale=xx").json["errors"][0]["field"] == "locale"


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("de-AT,de;q=0.9,en;q=0.8", "de-AT"),
        ("en;q=0.5, fr;q=0.8", "fr"),
        ("pt-BR,pt;q=0.9,ru;q=0.1", "ru"),
        ("zh-CN,zh;q=0.9", "en"),
        ("de;q=0, fr;q=0.2", "fr"),
        ("*", "en"),
        ("pt, *;q=0.5, de;q=0.1", "de"),
        ("", "en"),
        ("de-XX", "de"),
        (", ;;q=x,", "en"),
        ("x" * 5_000, "en"),
        (",".join(["pt"] * 2_000) + ",de", "de"),
    ],
)
def test_the_best_match_of_what_there_is(client, header, language):
    assert client.get(ANNA, headers=accept(header)).headers["Content-Language"] == language


def test_else_the_setting(store):
    app = create_app(Settings(locale="fa"), MemoryShopStorage({"default": store}), lambda: small_shop.NOW)
    client = app.test_client()
    for headers in ({}, accept("pt")):
        answer = client.get(ANNA, headers=headers)
        assert said(answer) == MILK["fa"]
        assert answer.headers["Content-Language"] == "fa"
        assert "Accept-Language" in varies(answer)
    assert said(client.get(ANNA, headers=accept("en"))) == MILK["en"]


@pytest.mark.parametrize(
    "path", [ANNA, POPULAR, "/v1/products/MILK/similar?limit=1", "/v1/customers/ANNA/buy-again?limit=1"]
)
@pytest.mark.parametrize("locale", ["xx", "pt-BR", "", "de-", "../../en", "d" * 36])
def test_a_locale_that_does_not_exist_is_named_with_what_there_is(client, path, locale):
    answer = client.get(f"{path}&locale={locale}", headers=accept("de"))
    (error,) = answer.json["errors"]
    assert (answer.status_code, error["field"]) == (400, "locale")
    if len(locale) <= 35:
        assert f"{locale!r} is no language that there is; take {', '.join(LANGUAGES)}" in error["message"]


def test_a_region_says_how_dates_are_written(client):
    assert said(client.get(f"{ANNA}&locale=en-US"))[1] == "Due around November 21"
    assert said(client.get(f"{ANNA}&locale=ar-EG"))[1] == "موعد طلبه قرابة ٢١ نوفمبر"
    assert said(client.get(f"{ANNA}&locale=de_at")) == MILK["de"]


@pytest.mark.parametrize("path", [ANNA, POPULAR, "/v1/customers/nobody/recommendations?limit=1"])
def test_answers_that_are_kept_keep_their_languages_apart(client, path):
    """The query, the header and the setting, in any order, made and found again."""
    wanted = [({}, "", "en"), (accept("de"), "", "de"), (accept("fr"), "", "fr"), (accept("de"), "&locale=ru", "ru")]
    made = {}
    for headers, query, language in [*wanted, *reversed(wanted), *wanted]:
        answer = client.get(path + query, headers=headers)
        assert answer.headers["Content-Language"] == language
        made.setdefault(language, set()).add(answer.json["items"][0]["reason"]["text"])
    assert all(len(texts) == 1 for texts in made.values())
    assert len(set.union(*made.values())) == 4


def test_an_etag_is_of_one_language(client):
    etags = {language: client.get(POPULAR, headers=accept(language)).headers["ETag"] for language in MILK}
    assert len(set(etags.values())) == len(MILK)
    for language, etag in etags.items():
        again = {**accept(language), "If-None-Match": etag}
        assert client.get(POPULAR, headers=again).status_code == 304
        assert client.get(POPULAR, headers=again | accept("de-CH")).status_code == 200


def test_a_shared_answer_says_what_it_depends_on(client):
    assert varies(client.get(POPULAR)) >= {"Authorization", "Accept-Language"}
    assert "Accept-Language" not in varies(client.get(f"{POPULAR}&locale=de", headers=accept("fr")))
    not_modified = client.get(POPULAR, headers={"If-None-Match": client.get(POPULAR).headers["ETag"]})
    assert not_modified.headers["Content-Language"] == "en"
    assert "Accept-Language" in varies(not_modified)


def test_the_body_of_a_session_names_it(client):
    body = {"placement": "home", "customer_id": "ANNA", "limit": 1}
    assert said(client.post("/v1/recommendations", json=body, headers=accept("fr"))) == MILK["fr"]
    answer = client.post("/v1/recommendations", json=body | {"locale": "ru"}, headers=accept("fr"))
    assert (said(answer), answer.headers["Content-Language"]) == (MILK["ru"], "ru")
    assert client.post("/v1/recommendations", json=body | {"locale": "xx"}).status_code == 400


def test_each_row_of_a_batch_may_name_its_own(client):
    rows = [
        {"path": ANNA},
        {"path": f"{ANNA}&locale=fa"},
        {
            "path": "/v1/recommendations",
            "body": {"placement": "home", "customer_id": "ANNA", "limit": 1, "locale": "ru"},
        },
        {"path": f"{ANNA}&locale=xx"},
    ]
    answers = client.post("/v1/batch", json={"requests": rows}, headers=accept("de")).json["responses"]
    texts = [one["body"]["items"][0]["reason"]["text"] for one in answers[:3]]
    assert texts == [MILK[language][0] for language in ("de", "fa", "ru")]
    assert (answers[3]["status"], answers[3]["body"]["errors"][0]["field"]) == (400, "locale")


def test_a_profile_speaks_it_too(client):
    profile = client.get("/v1/customers/ANNA/profile", headers=accept("de")).json
    assert profile["due"][0]["due"]["text"] == MILK["de"][1]


@pytest.mark.parametrize(
    ("days", "reason", "due"),
    [
        (0, "You usually reorder every 7 days", "Due around 21 November"),
        (1, "You usually reorder every 7 days", "Due around 21 November"),
        (2, "You usually reorder every 7 days", "Time to restock"),
        (3, "Time to restock", "Time to restock"),
        (10, "Time to restock", "Time to restock"),
    ],
)
def test_a_date_that_is_past_is_never_shown(store, days, reason, due):
    now = [small_shop.NOW]
    client = create_app(Settings(), MemoryShopStorage({"default": store}), lambda: now[0]).test_client()
    path = "/v1/customers/ANNA/buy-again?limit=1"
    client.get(path)  # kept, and must not be shown on another day
    now[0] += timedelta(days=days)
    assert said(client.get(path)) == (reason, due)


def test_an_answer_that_was_kept_before_midnight_is_not_shown_after_it(store):
    now = [small_shop.NOW.replace(day=21, hour=23, minute=59, second=59, microsecond=999_999)]
    client = create_app(Settings(), MemoryShopStorage({"default": store}), lambda: now[0]).test_client()
    path = "/v1/customers/ANNA/buy-again?limit=1"
    assert said(client.get(path))[1] == said(client.get(path))[1] == "Due around 21 November"
    now[0] += timedelta(microseconds=1)
    assert said(client.get(path))[1] == "Time to restock"
