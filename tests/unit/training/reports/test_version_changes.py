from dataclasses import replace

from training.reports.version_changes import compare_versions, overlap


class TestDrift:
    def test_the_same_version_has_none(self, make_version):
        drift = compare_versions(make_version("v2"), make_version("v1"))
        assert drift.since == "v1"
        assert ("products", "3", "3", "+0.0 %") in drift.table.rows
        assert ("recall@10", "0.200", "0.200", "+0.000") in drift.table.rows
        assert drift.chart.svg.count("100.0 %") >= 3
        assert (drift.new, drift.gone) == ("none", "none")

    def test_products_come_and_go(self, make_version):
        before = make_version("v1")
        now = replace(
            before, products=[*before.products[:2], replace(before.products[2], product_id="p9", title="New")]
        )
        drift = compare_versions(now, before)
        assert (drift.new, drift.gone) == ("1: New", "1: v1 2")

    def test_overlap_is_by_product_not_by_index(self, make_version):
        table = make_version().tables["similar"]
        assert overlap(table, ["a", "b", "c"], table, ["a", "b", "c"]) == 1
        # p0 has {b, c} and {b, d}: half; p1 has {a} and {a}: all; p2 has none
        assert overlap(table, ["a", "b", "c"], table, ["a", "b", "d"]) == 0.75

    def test_no_lists_in_common(self, make_version):
        empty = make_version().tables["together"]
        assert overlap(empty, [], make_version().tables["similar"], ["a", "b", "c"]) is None
