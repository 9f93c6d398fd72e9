from dataclasses import replace

import numpy as np

from tests.unit.training.conftest import AS_OF_DAY
from training.reports.list_charts import coverage_table, due_examples, rhythm_charts
from training.reports.version_report import render_report


class TestDue:
    def test_in_words(self, make_version):
        first, *_ = due_examples(make_version(settings={"horizon_days": 30}))
        assert first.heading == "A customer with 2 own products, bought 6 times"
        title, reason, facts = first.lines[0]
        assert (title, reason) == ("v1 0", "You usually reorder every 4 weeks")
        assert "Bought 3 times, last on <time>2026-10-31</time>; due about <time>2026-11-25</time>" in facts
        assert facts.endswith("with all that is known 100 % within 30 days.")

    def test_what_was_just_bought_waits(self, make_version):
        publication = make_version()
        publication.tables["buy_again"].records["last_day"] = AS_OF_DAY - 2
        first, *_ = due_examples(publication)
        assert first.heading.endswith("; 2 of them too recent to be shown")
        assert first.lines == []
        assert "Nothing would be shown." in render_report(publication, None)

    def test_nobody_came_back(self, make_version):
        publication = make_version()
        publication.tables["buy_again"].records["purchases"] = 1
        assert due_examples(publication) == []


class TestRhythm:
    def test_products_need_a_few_customers(self, make_version, make_publication):
        assert rhythm_charts(make_version()) == []
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


def test_coverage(make_version):
    rows = {row[0]: row[1:] for row in coverage_table(make_version()).rows}
    assert rows["similar"] == ("3", "1", "1", "100.0 %", "100.0 %", "0.0 %")
    assert rows["popular"] == ("1", "0", "2", "66.7 %", "100.0 %", "0.0 %")
    assert rows["together"] == ("0", "0", "-", "0.0 %", "-", "-")
