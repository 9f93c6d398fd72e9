"""The page: that it stands alone, shows what the version has, and shows any text as text."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import polars as pl
import pytest

from recommender.publication.insights import Insights
from recommender.publication.manifest import Publication
from tests.benchmarks.restraint_simulations import make_logs
from tests.support import console
from training.analytics.insights.meaning import describe_meaning
from training.analytics.restraint.restraint import learn_restraint
from training.reports.version_report import render_report

VOID = {"meta", "br", "path", "rect"}


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
    def test_it_has_a_section_for_all_that_is_there(self, make_version):
        page = render_report(make_version("v2"), make_version("v1"))
        assert sections(page) == ["meaning", "data", "evaluation", "orders", "due", "coverage", "drift", "time"]

    def test_what_is_not_there_is_left_out(self, make_publication):
        assert sections(render_report(make_publication("v1", {}, n_products=0), None)) == ["data", "coverage"]

    def test_it_says_what_als_learned_from_where_lots_were_drawn(self, make_publication):
        publication = make_publication("v1", {}, n_products=0)
        assert "ALS" not in render_report(publication, None)
        manifest = replace(publication.manifest, metrics={"als_drawn": [250_000, 1_706_305]})
        assert "250,000 of 1,706,305, drawn by lot" in render_report(replace(publication, manifest=manifest), None)

    def test_it_needs_no_network(self, make_version):
        page = render_report(make_version(), None)
        assert all(target.startswith("#") for target in re.findall(r'href="([^"]*)', page))
        assert not re.search(r"src=|url\(|@import|<link", page)
        assert "<script" not in page
        assert "://" not in page

    def test_the_same_versions_give_the_same_bytes(self, make_version):
        assert render_report(make_version("v2"), make_version("v1")) == render_report(
            make_version("v2"), make_version("v1")
        )

    @pytest.mark.parametrize(
        "text", ["<script>alert(1)</script>", "</title></svg><script>", "\"'><img src=x>", "{{ 7 }}"]
    )
    def test_any_text_is_shown_as_text(self, make_version, text):
        now = make_version("v2", sources=[text], gate={"verdict": "refused", "reasons": [text]}, seconds={text: 1.0})
        page = render_report(with_title(now, text), make_version("v1"))
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

    def test_the_gate_says_why(self, make_version):
        page = render_report(
            make_version(
                gate={"verdict": "refused", "reasons": ["ndcg@10 0.1 is below 0.2"], "live": {"version": "v0"}}
            ),
            None,
        )
        assert "Gate refused: not to be published unless forced." in page
        assert "<li>ndcg@10 0.1 is below 0.2</li>" in page
        assert '<th scope="row">live.version</th><td>v0</td>' in page

    def test_nested_settings_are_named_by_their_path(self, make_version):
        page = render_report(make_version(settings={"als": {"factors": 64}, "seed": 0}), None)
        assert '<th scope="row">als.factors</th><td>64</td>' in page

    def test_customers_are_not_named(self, make_version):
        assert not re.search(r"\b(ann|ben|cleo)\b", render_report(make_version("v2"), make_version("v1")))


class TestRestraint:
    def test_a_trial_and_the_curve_are_drawn_and_names_are_text(self, make_version):
        shown, purchases = make_logs(300, np.random.default_rng(1))
        shown = shown.with_columns(experiment=pl.col("experiment").replace("caps", "<caps>"))
        page = render_report(make_version(), None, restraint=learn_restraint(shown, purchases))
        assert "restraint" in sections(page)
        assert "home: caused by the number of products (&lt;caps&gt;)" in page
        assert "<caps>" not in page
        assert page == render_report(make_version(), None, restraint=learn_restraint(shown, purchases))

    def test_it_is_left_out_where_nobody_asked_for_it(self, make_version):
        assert "restraint" not in sections(render_report(make_version(), None))


def test_it_begins_with_what_it_means_in_sentences_and_keeps_statistics_behind_details():
    page = render_report(console.publication(), None)
    head, _, rest = page.partition('<details id="details">')
    assert rest
    assert head.index('id="meaning"') < head.index('class="verdict')
    meaning = head[head.index('id="meaning"') : head.index("</section>")]
    assert "It may answer: nothing speaks against it." in meaning
    assert "100% of its 2 customers have ordered again; half of these come every 7 days or more often." in meaning
    assert "Churn in 90 days: 25% of who ordered in the 90 days before have not ordered since." in meaning
    assert "Whole milk, 1 l brings most customers back: 1 of 2 buyers, half of the times within 7 days." in meaning
    assert "Due within 7 days of 2026-11-20: 1 purchases; within 30 days: 2 of 2 customers." in meaning
    for word in ("NDCG", "recall@10", "Calibration", "CUPED"):
        assert word not in re.sub(r"<nav.*?</nav>", "", head, flags=re.DOTALL)


def test_money_in_what_it_means_has_its_currency():
    document = {**console.DOCUMENT, "currency": "EUR"}
    priced = describe_meaning(console.publication(insights=Insights(document, {})))
    assert any("expected to spend 310 EUR, 97% of it the best tenth" in one for one in priced)
    bare = describe_meaning(console.publication())
    assert any("310 (no currency is known)" in one for one in bare)


def test_a_refused_version_says_so_first_and_one_of_an_earlier_release_says_what_it_can():
    made = console.publication(insights=None)
    gate = {"verdict": "refused", "reasons": ["ndcg@10 0.1 is below 0.2"]}
    refused = replace(made, manifest=replace(made.manifest, gate=gate))
    (only,) = describe_meaning(refused)
    assert only.startswith("It should not answer: ndcg@10 0.1 is below 0.2.")
