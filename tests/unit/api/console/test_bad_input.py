"""Nonsense of every kind: it is shown as text, told in words, and breaks nothing."""

import sys
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from api.console.routes import USUAL_S, YIELD_S
from api.console.views import VIEWS
from recommender.errors import StoreFullError, StoreUnavailableError, UnansweredError
from recommender.events.event import Event
from recommender.publication.insights import DueLine, Insights
from recommender.publication.product import Product
from recommender.storage.shops import Action
from tests.support import small_shop
from tests.support.console import DOCUMENT, OLDER, Visitor, World, open_world, publication, to_text
from tests.support.small_shop import NOW

SCRIPT = '<script>alert("x")</script>'
HOSTILE = [
    SCRIPT,
    "' onmouseover='x",
    '"><img src=x onerror=x>',
    "=HYPERLINK(1)",
    "{{ 7919*7907 }}",
    "../../etc",
    "\u202egnp",
]


class _Tags(HTMLParser):
    """What a browser would run of a page, but our own script."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        own = tag == "script" and given.get("src") == "/console/assets/console.js"
        if (tag == "script" and not own) or any(name.startswith("on") or name == "style" for name in given):
            self.found.append(f"{tag} {given}")
        if tag == "img" and given["src"] != "/console/assets/icon.svg":
            self.found.append(f"{tag} {given}")


def dangerous(page: str) -> list[str]:
    """Tags of a page that would run something."""
    tags = _Tags()
    tags.feed(page)
    return tags.found


@pytest.mark.parametrize("text", HOSTILE)
def test_a_product_a_customer_and_a_category_of_any_name_are_text(text: str) -> None:
    products = [replace(one, title=text, category=text) for one in small_shop.PRODUCTS]
    products[0] = Product(text, text, text, "1.20")
    document = {
        **DOCUMENT,
        "repurchase": {"of": 1, "rows": [[text, 2, 1, 6.0, 7.0, 8.0, 1, 1, 1]]},
        "due": {**DOCUMENT["due"], "categories": [text, ""]},
        "firsts": {name: [[text, 1, 1.0, 1.0, 1.0, None, None]] for name in ("product", "category")},
        "by_segment": [{**DOCUMENT["by_segment"][0], "name": text}],
    }
    made = publication(insights=Insights(document, {text: [DueLine(text, 1, 0.8)]}))
    world = open_world(replace(made, products=products))
    world.storage.note_action("default", Action("1", "2026-11-20T00:00:00Z", None, text, text, text, {text: text}))
    event = Event(event_id="1", event_type="view", customer_id=text, product_id=text, occurred_at=NOW)
    world.storage.event_log("default").accept([event], NOW, 10)
    visitor = world.browser()
    asked = [(view, {}) for view in VIEWS]
    asked += [
        ("customers", {"customer": text}), ("products", {"product": text}), ("products", {"search": text}),
        ("due", {"category": text, "within": text}), ("merchandising", {"placement": text}),
        ("campaigns", {"campaign": text}), ("placements", {"days": text, "placement": text}),
        ("versions", {"version": text, "other": text}), ("overview", {"done": text}),
    ]  # fmt: skip
    for view, query in asked:
        answer = visitor.get(view, **query)
        assert answer.status_code == 200, (view, answer.text)
        assert SCRIPT not in answer.text
        assert dangerous(answer.text) == []
        assert str(7919 * 7907) not in to_text(answer.text)


@pytest.mark.parametrize("customer", ["x" * 10_000, "\x00", "a\r\nb", "é" * 300])
def test_any_customer_id_gets_a_page(reader: Visitor, customer: str) -> None:
    answer = reader.get("customers", customer=customer)
    assert answer.status_code == 200
    assert len(answer.data) < 60_000
    if len(customer) > 512:
        assert "No id is longer than 512 characters." in answer.text


@pytest.mark.parametrize(
    "query", ["%ff=%ff", "customer=%ff%fe", "customer=a&customer=b", "&&&===", "as=csv", "as=csv&table=nope"]
)
@pytest.mark.parametrize("view", ["customers", "products", "due", "placements"])
def test_any_query_gets_a_page(reader: Visitor, view: str, query: str) -> None:
    answer = reader.client.get(f"/console/{view}?{query}", headers={"User-Agent": "Browser"})
    assert (answer.status_code, answer.content_type) == (200, "text/html; charset=utf-8")


def test_one_customer_and_one_product_are_a_shop() -> None:
    empty = {"customers": 0, "repeat_purchase_rate": None, "median_days_between_orders": None, "churn_rate": None}
    kpis = {**DOCUMENT["kpis"], **empty, "revenue": None, "predicted_clv": None, "average_order_value": None}
    document = {
        **DOCUMENT, "kpis": {**kpis, "revenue_per_customer": None}, "by_segment": [], "by_lifecycle": [],
        "by_month": [],
        "cohorts": {"months": [], "customers": [], "retention": []}, "firsts": {"product": [], "category": []},
        "value": {"now": [], "then": None}, "repurchase": {"of": 0, "rows": []},
        "due": {**DOCUMENT["due"], "pairs": 0, "customers": 0, "categories": [], "counts": []},
    }  # fmt: skip
    world = open_world(publication(insights=Insights(document, {})))
    visitor = world.browser()
    assert "There is no customer in the purchases" in visitor.text("retention")
    assert "Too few customers came back to foresee value" in visitor.text("value")
    assert "Nothing is due in these days." in visitor.text("due")
    assert visitor.get("products").status_code == 200
    document["kpis"] = {**kpis, "customers": 1, "revenue_per_customer": None}
    world = open_world(publication(insights=Insights(document, {})))
    assert "No month is whole yet." in world.browser().text("retention")


def fail(*_args, **_more) -> None:
    raise StoreUnavailableError("Redis at localhost:6379 does not answer")


@pytest.mark.parametrize("view", VIEWS)
def test_redis_that_goes_while_a_page_is_made_is_said_in_words(
    world: World, reader: Visitor, view: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = world.storage.store("default")
    for name in ("current", "manifests", "insights", "due_board", "placement", "find_products", "profile", "read"):
        monkeypatch.setattr(store, name, fail)
    for name in ("figures", "actions", "looks", "results", "has_ended"):
        monkeypatch.setattr(world.storage, name, fail)
    answer = reader.get(view)
    assert answer.status_code in (200, 503)
    if answer.status_code == 503:
        assert "Redis does not answer at the moment." in answer.text
        assert answer.headers["Retry-After"] == "1"
    assert "6379" not in answer.text


def test_an_action_of_which_nobody_knows_whether_it_was_done_says_so(
    world: World, owner: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = owner.get("versions")

    def stay_silent(_version: str) -> None:
        raise UnansweredError("Redis at localhost:6379 took too long")

    monkeypatch.setattr(world.storage.store("default"), "activate", stay_silent)
    answer = owner.submit(page, "Activate")
    assert (answer.status_code, "look before you try again" in answer.text) == (503, True)


@pytest.mark.parametrize("error", [StoreUnavailableError("gone"), StoreFullError("full"), UnansweredError("slow")])
def test_what_was_done_and_could_not_be_noted_is_not_told_as_undone(
    world: World, owner: Visitor, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail_to_note(*_: object) -> None:
        raise error

    monkeypatch.setattr(world.storage, "note_action", fail_to_note)
    answer = owner.submit(owner.get("versions"), "Activate")
    assert (answer.status_code, world.storage.store("default").current()) == (503, OLDER)
    assert "This was done, but could not be kept in the log" in answer.text
    assert "nothing was changed" not in answer.text
    assert "console_action" in world.log.getvalue()


def test_a_bug_is_a_problem_with_an_id_for_the_log(
    world: World, reader: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_(*_args) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(world.storage, "figures", break_)
    answer = reader.get("overview")
    assert answer.status_code == 500
    assert answer.headers["X-Request-ID"] in world.log.getvalue()
    assert sys.getswitchinterval() == pytest.approx(USUAL_S)


def test_while_a_page_is_written_answers_get_pythons_lock_more_often(
    world: World, reader: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    figures = world.storage.figures
    monkeypatch.setattr(world.storage, "figures", lambda shop: seen.append(sys.getswitchinterval()) or figures(shop))
    reader.text("overview")
    assert seen == [pytest.approx(YIELD_S)]
    assert sys.getswitchinterval() == pytest.approx(USUAL_S)


def test_what_is_no_view_or_asset_is_told_so(reader: Visitor) -> None:
    for path in ("nope", "views", "__init__", "..%2fconsole"):
        assert reader.client.get(f"/console/{path}", headers={"User-Agent": "Browser"}).status_code == 404
    assert reader.client.get("/console/assets/page.html").status_code == 404
    assert reader.client.get("/console/assets/console.css").content_type.startswith("text/css")
    assert reader.post("nope", csrf="x").status_code == 403
    assert reader.client.put("/console/overview").status_code == 405
