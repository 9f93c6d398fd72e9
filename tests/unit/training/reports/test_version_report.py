"""The page: that it stands alone, shows what the version has, and shows any text as text."""

import json
import re
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner

from recommender.data_dir import DataDirectory
from recommender.errors import VersionNotFoundError
from recommender.publication.manifest import Publication
from tests.benchmarks.restraint_simulations import make_logs
from tests.support.event_files import NOW, archive, event
from training.analytics.restraint.restraint import NO_DATA, learn_restraint
from training.artifacts import save
from training.commands.model.report import command
from training.reports.list_charts import coverage_table, due_examples, rhythm_charts
from training.reports.version_changes import compare_versions, overlap
from training.reports.version_report import render_report

LISTS = {
    "similar": {"p0": [1, 2], "p1": [0], "p2": []},
    "buy_again": {"ann": [0, 1], "ben": [1], "cleo": []},
    "discover": {"ann": [2], "ben": [0, 2], "cleo": [0]},
    "popular": {"": [0, 1]},
    "trending": {"": [2]},
}
AS_OF_DAY = 20777
"""2026-11-20."""
METRICS = {
    "cut": "2026-10-20T00:00:00+00:00",
    "horizon_days": 30,
    "n_customers": 900,
    "scores": {"reprise": {"recall@10": 0.2, "orders_1_recall@10": 0.1}, "popular": {"recall@10": 0.1}},
}
VOID = {"meta", "br", "path", "rect"}


@pytest.fixture
def make(make_publication):
    """Builds a version whose owners bought everything three times, once in 25 days, the last time 20 days ago."""

    def build(version: str = "v1", **changes) -> Publication:
        publication = make_publication(version, LISTS, n_products=3)
        table = publication.tables["buy_again"]
        rhythm = {"last_day": AS_OF_DAY - 20, "purchases": 3, "log_gap": np.log(25), "log_gap_sd": 0.5}
        for name, value in {**rhythm, "return_share": 0.9}.items():
            table.records[name] = value
        fields = {"metrics": METRICS, "gate": {"verdict": "passed", "reasons": []}, "seconds": {"Fit": 2.0}}
        return replace(publication, manifest=replace(publication.manifest, **{**fields, **changes}))

    return build


def with_title(publication: Publication, title: str) -> Publication:
    return replace(publication, products=[replace(product, title=title) for product in publication.products])


class Balance(HTMLParser):
    """Raises where a tag is closed that is not open."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.sections: list[str] = []

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.open.append(tag)
        if tag == "section":
            self.sections.append(dict(attrs)["id"])

    def handle_startendtag(self, tag, attrs):
        assert tag in VOID

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def sections(page: str) -> list[str]:
    parser = Balance()
    parser.feed(page)
    assert parser.open == []
    return parser.sections


class TestPage:
    def test_it_has_a_section_for_all_that_is_there(self, make):
        page = render_report(make("v2"), make("v1"))
        assert sections(page) == ["data", "evaluation", "orders", "due", "coverage", "drift", "time"]

    def test_what_is_not_there_is_left_out(self, make_publication):
        assert sections(render_report(make_publication("v1", {}, n_products=0), None)) == ["data", "coverage"]

    def test_it_needs_no_network(self, make):
        page = render_report(make(), None)
        assert all(target.startswith("#") for target in re.findall(r'href="([^"]*)', page))
        assert not re.search(r"src=|url\(|@import|<link", page)
        assert "<script" not in page
        assert "://" not in page

    def test_the_same_versions_give_the_same_bytes(self, make):
        assert render_report(make("v2"), make("v1")) == render_report(make("v2"), make("v1"))

    @pytest.mark.parametrize(
        "text", ["<script>alert(1)</script>", "</title></svg><script>", "\"'><img src=x>", "{{ 7 }}"]
    )
    def test_any_text_is_shown_as_text(self, make, text):
        now = make("v2", sources=[text], gate={"verdict": "refused", "reasons": [text]}, seconds={text: 1.0})
        page = render_report(with_title(now, text), make("v1"))
        assert "<script" not in page
        assert "<img" not in page
        assert sections(page)
        assert (
            page.count(
                text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace('"', "&#34;")
                .replace("'", "&#39;")
            )
            >= 4
        )

    def test_the_gate_says_why(self, make):
        page = render_report(
            make(gate={"verdict": "refused", "reasons": ["ndcg@10 0.1 is below 0.2"], "live": {"version": "v0"}}), None
        )
        assert "Gate refused: not to be published unless forced." in page
        assert "<li>ndcg@10 0.1 is below 0.2</li>" in page
        assert '<th scope="row">live.version</th><td>v0</td>' in page

    def test_nested_settings_are_named_by_their_path(self, make):
        page = render_report(make(settings={"als": {"factors": 64}, "seed": 0}), None)
        assert '<th scope="row">als.factors</th><td>64</td>' in page

    def test_customers_are_not_named(self, make):
        assert not re.search(r"\b(ann|ben|cleo)\b", render_report(make("v2"), make("v1")))


class TestDue:
    def test_in_words(self, make):
        first, *_ = due_examples(make(settings={"horizon_days": 30}))
        assert first.heading == "A customer with 2 own products, bought 6 times"
        title, reason, facts = first.lines[0]
        assert (title, reason) == ("v1 0", "You usually reorder every 4 weeks")
        assert "Bought 3 times, last on <time>2026-10-31</time>; due about <time>2026-11-25</time>" in facts
        assert facts.endswith("with all that is known 100 % within 30 days.")

    def test_what_was_just_bought_waits(self, make):
        publication = make()
        publication.tables["buy_again"].records["last_day"] = AS_OF_DAY - 2
        first, *_ = due_examples(publication)
        assert first.heading.endswith("; 2 of them too recent to be shown")
        assert first.lines == []
        assert "Nothing would be shown." in render_report(publication, None)

    def test_nobody_came_back(self, make):
        publication = make()
        publication.tables["buy_again"].records["purchases"] = 1
        assert due_examples(publication) == []


class TestRhythm:
    def test_products_need_a_few_customers(self, make, make_publication):
        assert rhythm_charts(make()) == []
        publication = make_publication("v1", {"buy_again": {str(i): [0, 1] for i in range(6)}})
        records = publication.tables["buy_again"].records
        records["log_gap"], records["log_gap_sd"], records["purchases"] = np.log(20), 0.4, 2
        records["purchases"][records["product_index"] == 1] = 3
        assert [chart.heading for chart in rhythm_charts(publication)] == ["v1 1 (6 customers)", "v1 0 (6 customers)"]
        assert "median 20 days" in rhythm_charts(publication)[0].svg

    def test_each_category_comes_first_with_its_best(self, make_publication):
        publication = make_publication("v1", {"buy_again": {str(i): [0, 1, 2] for i in range(6)}}, n_products=3)
        publication.tables["buy_again"].records["purchases"] = np.tile([9, 8, 7], 6)
        publication.tables["buy_again"].records["log_gap"] = 3
        categories = ("dairy", "dairy", "bread")
        products = [replace(one, category=each) for one, each in zip(publication.products, categories, strict=True)]
        charts = rhythm_charts(replace(publication, products=products))
        assert [chart.heading[:4] for chart in charts] == ["v1 0", "v1 2", "v1 1"]


def test_coverage(make):
    rows = {row[0]: row[1:] for row in coverage_table(make()).rows}
    assert rows["similar"] == ("3", "1", "1", "100.0 %", "100.0 %", "0.0 %")
    assert rows["popular"] == ("1", "0", "2", "66.7 %", "100.0 %", "0.0 %")
    assert rows["together"] == ("0", "0", "-", "0.0 %", "-", "-")


class TestDrift:
    def test_the_same_version_has_none(self, make):
        drift = compare_versions(make("v2"), make("v1"))
        assert drift.since == "v1"
        assert ("products", "3", "3", "+0.0 %") in drift.table.rows
        assert ("recall@10", "0.200", "0.200", "+0.000") in drift.table.rows
        assert drift.chart.svg.count("100.0 %") >= 3
        assert (drift.new, drift.gone) == ("none", "none")

    def test_products_come_and_go(self, make):
        before = make("v1")
        now = replace(
            before, products=[*before.products[:2], replace(before.products[2], product_id="p9", title="New")]
        )
        drift = compare_versions(now, before)
        assert (drift.new, drift.gone) == ("1: New", "1: v1 2")

    def test_overlap_is_by_product_not_by_index(self, make):
        table = make().tables["similar"]
        assert overlap(table, ["a", "b", "c"], table, ["a", "b", "c"]) == 1
        # p0 has {b, c} and {b, d}: half; p1 has {a} and {a}: all; p2 has none
        assert overlap(table, ["a", "b", "c"], table, ["a", "b", "d"]) == 0.75

    def test_no_lists_in_common(self, make):
        empty = make().tables["together"]
        assert overlap(empty, [], make().tables["similar"], ["a", "b", "c"]) is None


class TestRestraint:
    def test_a_trial_and_the_curve_are_drawn_and_names_are_text(self, make):
        shown, purchases = make_logs(300, np.random.default_rng(1))
        shown = shown.with_columns(experiment=pl.col("experiment").replace("caps", "<caps>"))
        page = render_report(make(), None, restraint=learn_restraint(shown, purchases))
        assert "restraint" in sections(page)
        assert "home: caused by the number of products (&lt;caps&gt;)" in page
        assert "<caps>" not in page
        assert page == render_report(make(), None, restraint=learn_restraint(shown, purchases))

    def test_it_is_left_out_where_nobody_asked_for_it(self, make):
        assert "restraint" not in sections(render_report(make(), None))


class TestCommand:
    @pytest.fixture
    def home(self, tmp_path, monkeypatch) -> DataDirectory:
        monkeypatch.setenv("REPRISE_HOME", str(tmp_path))
        return DataDirectory(tmp_path)

    def run(self, *arguments: object) -> dict:
        result = CliRunner().invoke(command, [*map(str, arguments), "--json"], catch_exceptions=False)
        return json.loads(result.output)

    def test_the_newest_version_beside_the_one_before(self, home, make):
        for version in ("v1", "v2", "v3"):
            save(make(version), home)
        told = self.run()
        assert (told["version"], told["previous"]) == ("v3", "v2")
        page = (home.reports / "v3.html").read_bytes()
        assert told["bytes"] == len(page)
        assert b"Compared with v2." in page

    def test_the_first_version_has_none_before(self, home, make, tmp_path):
        for version in ("v1", "v2"):
            save(make(version), home)
        told = self.run("v1", "--out", tmp_path / "here" / "page.html")
        assert (told["version"], told["previous"]) == ("v1", None)
        assert "drift" not in sections((tmp_path / "here" / "page.html").read_text())

    def test_with_a_ledger_it_says_what_each_position_was_worth(self, home, make, tmp_path):
        save(make(), home)
        events = [
            event(
                f"{who}{what}",
                who,
                product,
                event_type=what,
                placement="home",
                occurred_at=NOW - timedelta(days=30),
                **more,
            )
            for who, product in (("ANNA", "MILK"), ("BEN", "TEA"))
            for what, more in (("impression", {"rank": 1}), ("purchase", {}))
        ]
        archive(tmp_path / "ledger", *events, event("late", "CLEO"))
        self.run("--ledger", tmp_path / "ledger")
        page = (home.reports / "v1.html").read_text()
        assert "restraint" in sections(page)
        assert "home: bought by position; not causal, an upper bound" in page
        assert "<p>home: upper bound, not causal: " in page
        assert "ANNA" not in page

    def test_with_a_ledger_in_which_nothing_was_shown_it_says_so(self, home, make, tmp_path):
        save(make(), home)
        archive(tmp_path / "ledger", event("one"))
        self.run("--ledger", tmp_path / "ledger")
        assert f"<p>{NO_DATA}.</p>" in (home.reports / "v1.html").read_text()

    def test_a_longer_evaluation_takes_the_place_of_the_manifests(self, home, make, tmp_path):
        save(make(), home)
        scores = {"reprise": {"recall@10": 0.456}, "bpr": {"recall@10": 0.1}}
        (tmp_path / "e.json").write_text(json.dumps({**METRICS, "scores": scores}))
        self.run("--evaluation", tmp_path / "e.json")
        page = (home.reports / "v1.html").read_text()
        assert "0.456" in page
        assert "Best sellers" not in page

    def test_nothing_trained(self, home):
        with pytest.raises(VersionNotFoundError, match="run `reprise train FILE` first"):
            self.run()

    def test_an_unknown_version(self, home, make):
        save(make(), home)
        with pytest.raises(VersionNotFoundError, match=r"'v7' is not in .*; there is v1"):
            self.run("v7")
