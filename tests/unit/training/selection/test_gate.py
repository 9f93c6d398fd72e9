"""What the gate lets through, and which broken lists it finds."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from recommender.publication.lists import LIST_NAMES, RECORDS, ListTable
from recommender.publication.manifest import Manifest, Publication
from training.evaluation.last_window import Evaluation
from training.selection.gate import MIN_CUSTOMERS, check_lists, judge

GOOD = {
    "similar": {"p0": [1, 2], "p1": [0], "p2": []},
    "together": {"p0": [1], "p1": [0], "p2": []},
    "buy_again": {"ann": [0, 1], "ben": []},
    "discover": {"ann": [2], "ben": [0, 1, 2]},
    "popular": {"": [0, 1, 2], "dairy": [0]},
    "trending": {"": [2]},
}


def evaluation_of(reprise, popular, decayed_own, n_customers=1000) -> Evaluation:
    """Each ranking as (recall@10, NDCG@10)."""
    pairs = {"reprise": reprise, "popular": popular, "decayed_own": decayed_own}
    scores = {name: {"recall@10": recall, "ndcg@10": ndcg} for name, (recall, ndcg) in pairs.items()}
    return Evaluation(datetime(2026, 10, 21, tzinfo=UTC), 30, n_customers, scores)


class TestJudge:
    def test_passes_what_beats_both(self):
        verdict = judge(evaluation_of((0.16, 0.33), (0.04, 0.11), (0.14, 0.29)), 0.05)
        assert (verdict.verdict, verdict.reasons) == ("passed", ())

    @pytest.mark.parametrize("reprise", [(0.16, 0.11), (0.04, 0.33), (0.03, 0.10)])
    def test_refuses_what_does_not_beat_popularity_on_both_measures(self, reprise):
        assert judge(evaluation_of(reprise, (0.04, 0.11), (0, 0)), 0.05).verdict == "refused"

    def test_says_by_how_much(self):
        verdict = judge(evaluation_of((0.03, 0.20), (0.04, 0.11), (0.14, 0.25)), 0.05)
        assert verdict.reasons == (
            "recall@10 0.0300 does not beat popularity's 0.0400",
            "recall@10 0.0300 is 78.6% below the 0.1400 of decayed_own; 5.0% is tolerated",
            "ndcg@10 0.2000 is 20.0% below the 0.2500 of decayed_own; 5.0% is tolerated",
        )

    @pytest.mark.parametrize(("ndcg", "verdict"), [(0.951, "passed"), (0.949, "refused")])
    def test_may_fall_short_of_own_counts_by_the_tolerance(self, ndcg, verdict):
        assert judge(evaluation_of((0.5, ndcg * 0.4), (0.1, 0.1), (0.5, 0.4)), 0.05).verdict == verdict

    def test_the_best_baseline_counts_whichever_it_is(self):
        evaluation = evaluation_of((0.14, 0.30), (0.04, 0.11), (0.14, 0.29))
        scores = {**evaluation.scores, "trending": {"recall@10": 0.1, "ndcg@10": 0.4}}
        verdict = judge(replace(evaluation, scores=scores), 0.05)
        assert verdict.reasons == ("ndcg@10 0.3000 is 25.0% below the 0.4000 of trending; 5.0% is tolerated",)

    def test_nothing_is_left_to_beat_where_all_are_perfect(self):
        assert judge(evaluation_of((1.0, 1.0), (1.0, 1.0), (1.0, 1.0)), 0.0).verdict == "passed"

    @pytest.mark.parametrize("n_customers", [0, MIN_CUSTOMERS - 1])
    def test_skips_where_too_few_came_back(self, n_customers):
        verdict = judge(Evaluation(datetime(2026, 10, 21, tzinfo=UTC), 30, n_customers), 0.05)
        assert verdict.verdict == "skipped"
        assert verdict.reasons[0].startswith(f"only {n_customers} customers bought both before 2026-10-21 and in")

    def test_a_figure_that_could_not_be_had_counts_as_nothing(self):
        assert judge(evaluation_of((None, None), (0.1, 0.1), (0.1, 0.1)), 0.05).verdict == "refused"


def live_of(evaluation: Evaluation) -> Manifest:
    return Manifest("v0", "2026-09-20T00:00:00+00:00", "", {}, metrics=evaluation.to_dict())


class TestLiveVersion:
    LIVE = evaluation_of((0.3, 0.6), (0.1, 0.1), (0.2, 0.4))
    """1.5 times decayed_own on both measures."""

    @pytest.mark.parametrize(("recall", "verdict"), [(0.143, "passed"), (0.142, "refused")])
    def test_the_lift_may_fall_by_the_tolerance(self, recall, verdict):
        now = evaluation_of((recall, 0.15), (0.01, 0.01), (0.1, 0.1))
        assert judge(now, 0.05, live_of(self.LIVE)).verdict == verdict

    def test_says_by_how_much(self):
        now = evaluation_of((0.11, 0.15), (0.01, 0.01), (0.1, 0.1))
        assert judge(now, 0.05, live_of(self.LIVE)).reasons == (
            (
                "recall@10 is 1.100 times that of decayed_own; of the live version it was 1.500 times, and 5.0% less "
                "is tolerated"
            ),
        )

    @pytest.mark.parametrize(
        "live",
        [
            replace(LIVE, horizon_days=14),
            replace(LIVE, n_customers=MIN_CUSTOMERS - 1),
            replace(LIVE, scores={}),
            evaluation_of((0.3, 0.6), (0.1, 0.1), (0.0, None)),
        ],
    )
    def test_what_was_judged_otherwise_is_no_comparison(self, live):
        now = evaluation_of((0.1, 0.1), (0.01, 0.01), (0.1, 0.1))
        assert judge(now, 0.05, live_of(live)).verdict == "passed"

    def test_a_live_version_without_figures_is_no_comparison(self):
        live = Manifest("v0", "2026-09-20T00:00:00+00:00", "", {})
        assert judge(evaluation_of((0.1, 0.1), (0.01, 0.01), (0.1, 0.1)), 0.05, live).verdict == "passed"


@pytest.fixture
def make(make_publication):
    """Builds the good version with some tables exchanged."""
    return lambda **lists: make_publication("v1", {**GOOD, **lists}, n_products=3)


def with_table(publication: Publication, name: str, **changes) -> Publication:
    table = replace(publication.tables[name], **changes)
    return replace(publication, tables={**publication.tables, name: table})


class TestCheckLists:
    def test_finds_nothing_in_good_lists(self, make):
        assert check_lists(make()) == ()

    @pytest.mark.parametrize(
        ("lists", "reason"),
        [
            ({"similar": {"p0": [1], "p1": [0]}}, "similar: 1 of 3 products have no list, 'p2' among them"),
            ({"together": {}}, "together: 3 of 3 products have no list, 'p0' among them"),
            ({"similar": {"p0": [0], "p1": [1], "p2": [1]}}, "similar: 2 lists of a product hold that product"),
            ({"discover": {"ann": [2]}}, "discover: 1 customers have a list, the manifest counts 2"),
            ({"popular": {"dairy": [0]}}, "popular: there is no list for the whole shop"),
            ({"trending": {"": [3]}}, "trending: 1 records point to no product (there are 3)"),
            ({"buy_again": {"ann": [-1], "ben": [9]}}, "buy_again: 2 records point to no product (there are 3)"),
            ({"discover": {"ann": [1, 1], "ben": [1]}}, "discover: 1 records repeat a product of the same list"),
        ],
    )
    def test_names_the_fault(self, make, lists, reason):
        assert check_lists(make(**lists)) == (reason,)

    @pytest.mark.parametrize(("score", "faults"), [(0, 0), (1, 0), (np.nan, 0), (-0.1, 1), (1.1, 1), (np.inf, 1)])
    def test_probabilities(self, make, score, faults):
        publication = make()
        records = publication.tables["discover"].records.copy()
        records["score"][0] = score
        reasons = check_lists(with_table(publication, "discover", records=records))
        assert reasons == ("discover: 1 scores are no probability in [0, 1]",) * faults

    def test_repeated_owners(self, make):
        reasons = check_lists(with_table(make(), "discover", owner_ids=["ann", "ann"]))
        assert reasons == ("discover: 1 owners are repeated",)

    def test_starts_that_go_back(self, make):
        starts = np.array([0, 3, 1, 3])
        assert check_lists(with_table(make(), "similar", starts=starts)) == (
            "similar: lists overlap or leave records out",
        )

    def test_records_of_another_table(self, make):
        publication = make()
        reasons = check_lists(with_table(publication, "trending", records=publication.tables["buy_again"].records[:1]))
        assert len(reasons) == 1
        assert reasons[0].startswith("trending: records are")

    def test_a_missing_table(self, make):
        publication = make()
        tables = {name: table for name, table in publication.tables.items() if name != "together"}
        assert check_lists(replace(publication, tables=tables)) == ("the table 'together' is missing",)

    def test_an_empty_shop_has_no_faults_but_the_missing_best_sellers(self, make_publication):
        publication = make_publication("v1", {}, n_products=0)
        publication = replace(publication, manifest=replace(publication.manifest, counts={"customers": 0}))
        empty = ListTable([""], np.array([0, 0]), np.zeros(0, RECORDS["popular"]), np.zeros(1, np.uint8))
        whole_shop = {name: empty for name in LIST_NAMES if name in ("popular", "trending")}
        assert check_lists(publication) == (
            "popular: there is no list for the whole shop",
            "trending: there is no list for the whole shop",
        )
        assert check_lists(replace(publication, tables={**publication.tables, **whole_shop})) == ()
