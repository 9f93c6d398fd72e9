"""A console over the small shop, and a browser without scripts that is signed in."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from html.parser import HTMLParser
from io import StringIO
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from api import create_app
from api.console.views import VIEWS
from api.console.words import read_words
from api.serving.service import service
from recommender.catalogue.catalogue import Catalogue
from recommender.experiments.experiment import Experiment
from recommender.experiments.looks import ExperimentLook, VariantLook
from recommender.publication.insights import DueLine, Insights
from recommender.publication.manifest import Publication
from recommender.results.campaigns import CampaignResults, Effect, VariantResults
from recommender.results.placements import DayResults, PlacementRow
from recommender.results.store import CountedDay
from recommender.settings import Settings
from recommender.storage.shops import Action
from tests.fakes.shops import MemoryShopStorage
from tests.fakes.versions import MemoryVersionStore
from tests.support import small_shop
from tests.support.keyed_shop import add_key
from tests.support.small_shop import NOW

OLDER = "20261119T020000Z-0001"
DOCUMENT: dict[str, Any] = {
    "as_of": "2026-11-20T02:00:00+00:00",
    "window_days": 90,
    "horizon_days": 365,
    "kpis": {
        "customers": 2, "orders": 24, "repeat_purchase_rate": 1.0, "median_days_between_orders": 7.0,
        "churn_rate": 0.25, "average_order_value": 9.5, "revenue": 228.0, "revenue_per_customer": 114.0,
        "predicted_clv": 310.0,
    },
    "by_segment": [{
        "name": "champion", "customers": 1, "customer_share": 0.5, "revenue": 200.0, "revenue_share": 0.877,
        "churn_probability": 0.05, "predicted_clv": 300.0, "predicted_clv_per_customer": 300.0,
    }],
    "by_lifecycle": [{
        "name": "due", "customers": 1, "customer_share": 0.5, "revenue": 28.0, "revenue_share": 0.123,
        "churn_probability": 0.6, "predicted_clv": 10.0, "predicted_clv_per_customer": 10.0,
    }],
    "by_month": [
        {"month": "2026-10", "whole": True, "orders": 5, "customers": 2, "new_customers": 0, "repeat_order_share": 1.0,
         "churn_rate": 0.25, "revenue": 50.0, "average_order_value": 10.0},
    ],
    "cohorts": {
        "months": ["2026-07", "2026-08"], "customers": [1, 1], "retention": [[1.0, 1.0, 0.5], [1.0, 0.0]],
    },
    "firsts": {
        "product": [["MILK", 1, 1.0, 1.0, 1.0, None, None]],
        "category": [["Dairy", 1, 1.0, 1.0, 1.0, None, None]],
    },
    "value": {
        "now": [[1, 200.0, 300.0], [1, 28.0, 10.0]],
        "then": {"days": 90, "from": "2026-08-22", "tenths": [[1, 12.0, 13, 110.0, 120.0], [1, 0.4, 0, 4.0, 0.0]]},
    },
    "flow": {
        "days": 90, "since": "2026-08-21", "from": ["not_yet", "active"], "to": ["active", "due"],
        "counts": [[1, 0], [0, 1]],
    },
    "repurchase": {"of": 8, "rows": [
        ["MILK", 2, 1, 6.0, 7.0, 8.0, 1, 1, 1],
        ["COFFEE", 1, 1, 29.0, 30.0, 31.0, 0, 0, 1],
        ["KETTLE", 1, 0, None, None, None, 0, 0, 0],
    ]},
    "due": {
        "days": 30, "from": "2026-11-20", "pairs": 2, "customers": 2, "categories": ["Dairy", "Coffee"],
        "counts": [[0, 1] + [0] * 28, [0] * 20 + [1] + [0] * 9],
    },
}  # fmt: skip
INSIGHTS = Insights(DOCUMENT, {"ANNA": [DueLine("MILK", 1, 0.8)], "x/y": [DueLine("COFFEE", 20, 0.25)]})
SCORES = {
    "reprise": {"recall@10": 0.41, "ndcg@10": 0.3, "coverage@10": 0.6},
    "popular": {"recall@10": 0.2, "ndcg@10": 0.1, "coverage@10": 0.1},
}

TRIED = Experiment(name="cap-6", variants={"control": 1, "six": 1})
PAGES = [
    *VIEWS,
    "customers?customer=ANNA",
    "customers?customer=ANNA&mails=yes",
    "products?product=MILK",
    "due?within=30",
    "merchandising?placement=cart",
    "campaigns?campaign=w47",
    "mails?campaign=w48&audience=everyone&customer=x/y&locale=fa",
    "mails?campaign=w48&audience=everyone&customer=ANNA",
    "sign-in",
    "nope",
]
"""Every page, with something on it after `fill`."""


class CataloguedStore(MemoryVersionStore):
    """One whose products fit into a worker's memory."""

    def catalogue(self, version: str, most_bytes: int) -> Catalogue | None:
        found = self._versions.get(version)
        return None if found is None else Catalogue(dict(enumerate(found.products)))


def publication(version: str = small_shop.VERSION, insights: Insights | None = INSIGHTS) -> Publication:
    """The small shop with insights and figures."""
    made = small_shop.publication(version)
    judged = {"cut": "2026-10-21T02:00:00+00:00", "horizon_days": 30, "n_customers": 20, "drawn_from": 20}
    metrics = {
        **made.manifest.metrics,
        **judged,
        "scores": SCORES,
        "prices": {"currency": "EUR", "purchases_in": ["EUR"]},
    }
    return replace(made, manifest=replace(made.manifest, metrics=metrics), insights=insights)


@dataclass
class Clock:
    """A clock to be set."""

    now: datetime = small_shop.NOW

    def __call__(self) -> datetime:
        return self.now


@dataclass
class World:
    """A console, its storage, and keys of every kind."""

    storage: MemoryShopStorage
    clock: Clock = field(default_factory=Clock)
    log: StringIO = field(default_factory=StringIO)
    keys: dict[str, str] = field(default_factory=dict)
    settings: Settings = field(default_factory=Settings)

    def __post_init__(self) -> None:
        self.app: Flask = create_app(self.settings, self.storage, self.clock, self.log)
        self.follow()

    def add_key(self, *scopes: Any, **more: Any) -> str:
        """A new key that the service knows."""
        key = add_key(self.storage, *scopes, **more)
        self.follow()
        return key

    def follow(self) -> None:
        """Have the service see what has changed."""
        service(self.app).shops.cache("default")
        service(self.app).shops.follow()

    def browser(self, key: str | None = None, language: str = "en", agent: str = "Browser") -> "Visitor":
        """A browser, signed in where there is a key."""
        visitor = Visitor(self.app.test_client(), language, agent)
        if key is not None:
            answer = visitor.post("sign-in", key=key)
            assert answer.status_code == 303, answer.text
        return visitor


def open_world(published: Publication | None = None, *, empty: bool = False, **more: Any) -> World:
    """A console over one shop, without any keys."""
    store = CataloguedStore()
    if not empty:
        store.publish(publication(OLDER), keep=3)
        store.publish(published or publication(), keep=3)
    return World(MemoryShopStorage({"default": store}), **more)


@dataclass
class Visitor:
    """A browser without scripts: what it sees, and the forms that it sends."""

    client: FlaskClient
    language: str
    agent: str

    def get(self, view: str, **query: str) -> TestResponse:
        """A page."""
        return self.client.get(f"/console/{view}", query_string=query, headers=self._headers())

    def text(self, view: str, **query: str) -> str:
        """What a page says."""
        answer = self.get(view, **query)
        assert answer.status_code == 200, (view, answer.status_code, answer.text)
        return to_text(answer.text)

    def post(self, name: str, **fields: str) -> TestResponse:
        """Send a form."""
        return self.client.post(f"/console/{name}", data=fields, headers=self._headers())

    def submit(self, page: TestResponse, button: str, **fields: str) -> TestResponse:
        """Press a button of a page, with what its form holds and `fields`."""
        forms = [form for form in read_forms(page.text) if button in form["buttons"]]
        assert forms, (button, [form["buttons"] for form in read_forms(page.text)])
        return self.client.post(forms[0]["action"], data={**forms[0]["fields"], **fields}, headers=self._headers())

    def _headers(self) -> dict[str, str]:
        return {"Accept-Language": self.language, "User-Agent": self.agent}


def to_text(page: str) -> str:
    """The words of a page, without its navigation."""
    main = page[page.index("<main") :]
    return " ".join(re.sub(r"<[^>]*>", " ", main).split())


def read_forms(page: str) -> list[dict[str, Any]]:
    """The forms of a page: address, fields as they stand, and the words of their buttons."""
    reader = _Forms()
    reader.feed(page)
    return reader.forms


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[dict[str, Any]] = []
        self._in_button = False
        self._select: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given: Mapping[str, str] = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append({"action": given["action"], "fields": {}, "buttons": []})
        elif self.forms and tag == "input" and "name" in given:
            self.forms[-1]["fields"][given["name"]] = given.get("value", "")
        elif self.forms and tag == "select":
            self._select = given["name"]
        elif self.forms and tag == "option" and self._select and "selected" in given:
            self.forms[-1]["fields"][self._select] = given.get("value", "")
        elif tag == "button":
            self._in_button = True

    def handle_endtag(self, tag: str) -> None:
        if tag == "button":
            self._in_button = False
        if tag == "select":
            self._select = None

    def handle_data(self, data: str) -> None:
        if self._in_button and self.forms:
            self.forms[-1]["buttons"].append(data)


def fill(world: World) -> None:
    """Something on every page."""
    for number, what in enumerate(read_words("en")["what"]):
        world.storage.note_action(
            "default", Action(str(number), f"{NOW:%Y-%m-%dT%H:%M:%SZ}", None, what, "X", "A", "B")
        )
    results = world.storage.results("default")
    row = PlacementRow("home", "buy_again", "DUE_SOON", "1-3", 100, 10, 4, 40, 40.0, {"EUR": 30.0, "SEK": 9.0})
    results.keep_days([CountedDay(DayResults(NOW.date().isoformat(), (row,)), "digest")])
    mailed = VariantResults("mailed", selected=600, refused={"too_often": 300}, sent=285, money={"EUR": 120.0})
    effect = Effect("more", 0.031, 0.004, 0.059, 12.0)
    results.keep_campaigns([CampaignResults("w47", NOW.isoformat(), 14.0, (mailed,), effect)], "digest")
    results.note_count(NOW)
    for day in (18, 19):
        six = VariantLook("six", 510, 500.0, 1.6, 0.08, 0.02, 0.14, 0.08)
        control = VariantLook("control", 500, 500.0, 1.5)
        at = f"2026-11-{day}T06:00:00Z"
        world.storage.note_look("default", ExperimentLook("cap-6", at, "control", False, (control, six)))
