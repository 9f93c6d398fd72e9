"""The console's words: every language has all of them, and every word that a page asks for is there."""

import re
from collections.abc import Callable, Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from werkzeug.exceptions import MethodNotAllowed, RequestEntityTooLarge, RequestTimeout, UnprocessableEntity
from werkzeug.test import TestResponse

from api.console.changing.rules import ALLOWED
from api.console.page import Kind
from api.console.refusals import WordedError, tell
from api.console.rendering import GROUPS
from api.console.views import VIEWS
from api.console.words import LANGUAGES, Words, find_words, read_words
from api.web.problems import STATUS
from recommender.errors import (
    ChangedMeanwhileError,
    OverloadedError,
    RepriseError,
    StoreError,
    TooManyRequestsError,
)
from recommender.experiments.looks import VariantLook
from recommender.publication.profile import SEGMENTS, STATES
from recommender.results.campaigns import Effect
from recommender.settings import Settings
from recommender.storage.contacts import Refusal
from tests.support.console import PAGES, TRIED, Visitor, World, fill, open_world, publication, to_text
from tests.support.small_shop import PRODUCTS

FOLDER = Path(str(files("api.console")))
SOURCES = [*FOLDER.rglob("*.py"), *FOLDER.rglob("*.html")]


def sentences(table: Mapping[str, Any], *above: str) -> Iterator[tuple[str, str]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from sentences(value, *above, name)
        else:
            yield ".".join((*above, name)), value


def test_english_and_persian_are_there() -> None:
    assert {"en", "fa"} <= set(LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_language_lacks_anything_and_fills_in_the_same(language: str) -> None:
    english, own = (dict(sentences(read_words(one))) for one in ("en", language))
    assert own.keys() == english.keys()
    fields = {name: set(re.findall(r"\{(\w+)\}", text)) for name, text in english.items()}
    assert {name: text for name, text in own.items() if set(re.findall(r"\{(\w+)\}", text)) != fields[name]} == {}
    assert [name for name, text in own.items() if not text and not name.endswith(".question")] == []


def test_persian_says_it_in_persian() -> None:
    same = [name for name, text in sentences(read_words("fa")) if text and text == Words("en").find(name)]
    assert set(same) <= {"frame.csv", "columns.ndcg_10", "columns.recall_10"}


NAMES = {
    "redis", "csv", "utc", "api", "rfm", "html", "test", "msprt", "cuped", "ndcg", "recall", "read", "admin", "mail",
    "smtp", "from", "smtp_from", "seeds", "colleagues", "experiments", "impression", "purchase", "v1", "events", "t09",
}  # fmt: skip
"""What Persian calls as English does: names of things, settings, files and kinds of events."""


def english_in(text: str) -> set[str]:
    """The words of Latin letters in a text, but commands and NAMES."""
    return set(re.findall(r"[a-z][a-z_0-9]+", re.sub(r"`[^`]*`|\{\w+\}", " ", text).lower())) - NAMES


def test_no_sentence_in_persian_holds_an_english_word() -> None:
    found = {name: words for name, text in sentences(read_words("fa")) if (words := english_in(text))}
    assert found == {}


def errors() -> Iterator[type[RepriseError]]:
    todo = [RepriseError]
    while todo:
        kind = todo.pop()
        yield kind
        todo += kind.__subclasses__()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_error_is_told_in_the_readers_words_and_never_in_the_librarys(language: str) -> None:
    words = Words(language)
    kinds = [kind for kind in errors() if not issubclass(kind, WordedError)]
    assert len(kinds) > 30
    for kind in kinds:
        error = kind.__new__(kind)
        error.args = ("secret detail of the library",)
        told = tell(error, words)
        assert told
        assert "secret" not in told
        assert "{" not in told
        assert language == "en" or english_in(told) == set()
    answered = [kind for kind in STATUS if kind is not StoreError and not kind.__name__.startswith("Home")]
    of_pages = {kind.code for kind in answered} - {"unauthorized", "forged_link", "no_mail_secret", "campaign_conflict"}
    assert {code for code in of_pages if words.find(f"errors.{code}") is None} == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_refusal_of_the_code_has_its_sentence_and_every_sentence_its_refusal(language: str) -> None:
    text = "\n".join(source.read_text() for source in SOURCES)
    raised = set(re.findall(r"(?:RefusedError|BarredError|UnnotedError)\(\s*\"(\w+)\"", text))
    raised |= {word for word, _ in ALLOWED.values()} | {"campaign_begun", "campaign_cancelled"}
    kept = read_words(language)["refused"]
    assert raised == set(kept)
    assert set(ALLOWED) | {"slots"} == set(read_words(language)["fields"])


def ask(visitor: Visitor, status: int, world: World, monkeypatch: pytest.MonkeyPatch) -> TestResponse:
    """A page of a status."""
    csrf = visitor.get("actions").text.partition('name="csrf" value="')[2].partition('"')[0]

    def fail_with(error: Exception) -> TestResponse:
        def fail(*_: object) -> None:
            raise error

        monkeypatch.setattr(world.storage, "figures", fail)
        return visitor.get("overview")

    asked: dict[int, Callable[[], TestResponse]] = {
        400: lambda: visitor.post("preview", csrf=csrf, placement="home", op="pins"),
        401: lambda: world.browser(language=visitor.language).post("undo", csrf=csrf),
        403: lambda: visitor.post("undo", csrf="of another session"),
        404: lambda: visitor.get("nope"),
        405: lambda: fail_with(MethodNotAllowed()),
        408: lambda: fail_with(RequestTimeout()),
        409: lambda: fail_with(ChangedMeanwhileError("somebody was quicker")),
        413: lambda: fail_with(RequestEntityTooLarge()),
        422: lambda: fail_with(UnprocessableEntity()),
        429: lambda: fail_with(TooManyRequestsError("slow down", 3)),
        500: lambda: fail_with(ZeroDivisionError("division by zero")),
        503: lambda: fail_with(OverloadedError("too many wait")),
    }
    return asked[status]()


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 408, 409, 413, 422, 429, 500, 503])
def test_a_page_of_every_status_is_in_the_readers_language(
    world: World, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor = world.browser(world.keys["admin"], language="fa")
    answer = ask(visitor, status, world, monkeypatch)
    assert (answer.status_code, answer.content_type) == (status, "text/html; charset=utf-8")
    assert '<html lang="fa" dir="rtl">' in answer.text
    text = to_text(answer.text).replace(answer.headers["X-Request-ID"], "")
    assert english_in(text) - {"reprise", "keys", "create", "scope"} == set()
    assert ("Retry-After" in answer.headers) == (status in (429, 503))


def test_every_word_that_is_asked_for_by_its_name_is_there() -> None:
    english = Words("en")
    asked = {
        name
        for source in SOURCES
        for name in re.findall(r"(?:visit\.t|words|\bt)\(\s*\"([a-z_]+\.[a-z_0-9.]+)\"", source.read_text())
    }
    assert len(asked) > 150
    whole = [name for name in sorted(asked) if not name.endswith("_")]
    assert [name for name in whole if english.find(name) is None] == []
    text = "\n".join(source.read_text() for source in SOURCES)
    for pattern, section in (
        (r"Column\(\s*\"(\w+)\"", "columns"),
        (r"Table\(\s*\"(\w+)\"", "tables"),
        (r"Facts\(.*?\"(\w+)\"\)", "tables"),
    ):
        names = set(re.findall(pattern, text))
        assert names
        assert [name for name in sorted(names) if english.find(f"{section}.{name}") is None] == []


def test_every_name_of_the_library_has_a_word() -> None:
    from typing import get_args

    from recommender.campaigns.audiences import AudienceName
    from recommender.slate.candidates import Kind
    from recommender.slate.plans import FallbackReason
    from recommender.slate.reasons import Code

    wanted = {
        "lifecycle": STATES,
        "segments": SEGMENTS,
        "kind": get_args(Kind),
        "reason": get_args(Code),
        "fallbacks": get_args(FallbackReason),
        "audiences": get_args(AudienceName),
        "refusals": get_args(Refusal),
        "effects": get_args(Effect.__annotations__["verdict"]),
        "columns": [f"to_{state}" for state in STATES],
    }
    english = Words("en")
    assert {
        section: lacks
        for section, names in wanted.items()
        if (lacks := [one for one in names if english.find(f"{section}.{one}") is None])
    } == {}
    assert all(english.find(f"{view}.question") for view in VIEWS)
    assert {view for views in GROUPS.values() for view in views} == set(VIEWS)
    assert VariantLook("a", 1, 1.0).verdict in ("control",)


@pytest.mark.parametrize("view", VIEWS)
def test_a_page_in_persian_is_right_to_left_with_its_digits_and_no_english_sentence(view: str) -> None:
    visitor = open_world().browser(language="fa-IR")
    answer = visitor.get(view, customer="ANNA") if view == "customers" else visitor.get(view)
    assert '<html lang="fa" dir="rtl">' in answer.text
    assert answer.headers["Content-Language"] == "fa"
    assert not re.search(
        r"\b(the|of|is|are|and)\b", re.sub(r"Rye bread|Whole milk.*?l|`[^`]*`", "", to_text(answer.text))
    )


DATA = {
    *(word for product in PRODUCTS for word in re.findall(r"[a-z][a-z_0-9]+", f"{product}".lower())),
    "anna", "home", "cart", "email", "product", "page", "cap", "six", "control", "holdout", "reprise", "popular", "eur",
    "sek", "w47", "w48", "default", "f2a", "t020000z",
}  # fmt: skip
"""What a shop calls things, as it stands in pages of any language."""


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("scope", ["read", "admin"])
def test_no_page_with_everything_on_it_holds_an_english_sentence(path: str, scope: str) -> None:
    world = open_world(settings=Settings(experiments=(TRIED,)))
    key = world.add_key("read", "admin") if scope == "admin" else world.add_key("read")
    fill(world)
    visitor = world.browser(key, language="fa")
    view, _, query = path.partition("?")
    page = visitor.get(view, **dict(part.split("=") for part in query.split("&") if part))
    assert page.status_code == (404 if path == "nope" else 200)
    body = re.sub(r"<pre.*?</pre>|<option.*?</option>", " ", page.text, flags=re.DOTALL)
    labels = " ".join(re.findall(r'(?:aria-label|title|alt)="([^"]*)"', body))
    assert english_in(to_text(body)) - DATA == set()
    assert english_in(labels) - DATA == set()


def test_numbers_money_and_days_are_written_as_the_region_does() -> None:
    persian, english = Words("fa"), Words("en")
    assert (english.share(0.031), english.share(0.5), english.share(0.0)) == ("3.1 %", "50 %", "0 %")
    assert english.day("2026-11-30") == "30 Nov 2026"
    assert persian.day("2026-11-30") == "۹ آذر ۱۴۰۵"
    assert english.money(1234.5, "EUR") == "€1,234.50"
    assert "۱٬۲۳۴" in persian.money(1234, "IRR")
    assert english.cell("money", None) == "–"


def test_a_day_at_the_end_of_time_is_written_in_every_language() -> None:
    english, persian = Words("en"), Words("fa")
    assert english.moment("9999-12-31T23:59:00Z") == "31 Dec 9999, 23:59 UTC"
    assert english.moment("9999-12-31T23:59:00-05:00").startswith("31 Dec 9999")
    assert english.moment("0001-01-01T00:00:00+05:00").startswith("1 Jan 1")
    assert "۹۹۹۹" in persian.moment("9999-12-31T23:59:00Z")
    assert persian.short_day("9999-12-31")
    assert persian.day("0001-01-01").startswith("۱ ")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", ["money", "number", "days", "decimal", "share", "day", "month", "moment"])
@pytest.mark.parametrize("value", [1e30, -1e300, float("nan"), float("inf"), "", "2026-13-45"])
def test_nonsense_costs_a_page_no_more_than_its_cell(language: str, kind: Kind, value: object) -> None:
    if isinstance(value, str) == (kind in ("day", "month", "moment")):
        assert isinstance(Words(language).cell(kind, value, "EUR"), str)


def test_the_language_is_chosen_and_remembered_and_else_the_browsers(world: World, reader: Visitor) -> None:
    assert 'lang="en"' in reader.get("overview").text
    answer = reader.submit(reader.get("overview"), "فارسی", language="fa")
    assert answer.headers["Location"] == "/console/overview"
    assert '<html lang="fa"' in reader.get("overview").text
    assert find_words("nonsense", "xx, fa;q=0.5").language == "fa"
    assert find_words(None, "de-DE").language == "en"
    assert find_words(None, "," * 10_000).language == "en"


def test_what_nobody_wrote_words_for_is_shown_by_its_name() -> None:
    assert Words("en")("gates.of_a_later_release") == "of_a_later_release"
    assert publication().insights is not None
