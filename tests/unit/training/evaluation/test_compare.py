"""The long comparison on a made-up shop: everything is there, and it is the same every time."""

import json
from datetime import timedelta

import polars as pl
import pytest

from recommender.cli.progress import Progress
from recommender.errors import UsageError
from recommender.settings import AlsSettings, Settings
from tests.support.worlds import AS_OF, ledger_of
from tests.unit.training.evaluation.test_last_window import NO_PRODUCTS
from training.dataset.split import last_cuts
from training.evaluation.compare import KS, Comparison, compare
from training.evaluation.scores import MEASURES, SLICES

SETTINGS = Settings(list_length=20, als=AlsSettings(factors=4, iterations=2))
RANKINGS = [
    "reprise",
    "popular",
    "trending",
    "own_counts",
    "decayed_own",
    "tifu_knn",
    "item_cosine",
    "sar",
    "als",
    "bpr",
    "boosted_counts",
]


def weekly_shop() -> pl.DataFrame:
    """Thirty customers buy three of nine products each, every fortnight; a newcomer joins in each month."""
    regulars = [
        (f"C{n:02}", f"P{(n + i) % 9}", 14 * k + n % 14 + 0.5) for n in range(30) for i in range(3) for k in range(16)
    ]
    newcomers = [(f"NEW{k}", "P0", 30 * k + 3) for k in range(6)]
    return ledger_of([*regulars, *newcomers])


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    return run()


def run() -> Comparison:
    ledger = weekly_shop()
    return compare(ledger, NO_PRODUCTS, last_cuts(ledger, 2, 30), SETTINGS, Progress(show=False))


def test_all_rankings_are_judged_by_all_measures(comparison):
    assert comparison.rankings == RANKINGS
    expected = {f"{piece}{name}@{k}" for piece in SLICES for name in MEASURES for k in KS}
    assert set(comparison.resampled.measures) == expected


def test_baselines_are_tuned_before_the_first_window(comparison):
    assert comparison.chosen_cut == comparison.windows[0].window.cut - timedelta(days=30)
    assert comparison.chosen.ndcg["decayed_own"] > 0.9


def test_the_lead_is_over_the_best_baseline_of_the_measure(comparison):
    best = comparison.best_baseline("ndcg@10")
    means = {name: comparison.resampled.interval(name, "ndcg@10").mean for name in RANKINGS}
    assert means[best] == max(mean for name, mean in means.items() if name != "reprise")
    lead = comparison.lead("ndcg@10")
    assert lead.mean == pytest.approx(means["reprise"] - means[best])
    assert lead.low <= lead.mean <= lead.high


def test_the_document_is_json_and_whole(comparison):
    document = comparison.to_dict()
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert [len(document["mean"]), len(document["lead"])] == [len(RANKINGS), len(SLICES) * len(MEASURES) * len(KS)]
    first = document["windows"][0]
    assert (first["n_customers"], first["n_newcomers"]) == (30, 1)
    assert 0.9 < first["truth_repeat_share"] <= 1
    assert set(first["lists"]) == {"similar", "together"}
    assert set(first["scores"]["reprise"]) > {"recall@5", "orders_0_map@20", "coverage@10", "novelty@10"}
    assert document["mean"]["popular"]["orders_0_hit_rate@20"][0] == first["scores"]["popular"]["orders_0_hit_rate@20"]


def test_the_same_input_gives_the_same_document(comparison):
    assert run().to_dict() == comparison.to_dict()


def test_the_last_as_of_is_not_looked_behind(comparison):
    """What is bought after the last window changes nothing."""
    ledger = weekly_shop()
    cuts = last_cuts(ledger, 2, 30)
    later = ledger_of([("C00", "P8", -5), ("C01", "SECRET", -1)])
    longer = compare(pl.concat([ledger, later]), NO_PRODUCTS, cuts, SETTINGS, Progress(show=False))
    assert longer.to_dict() == comparison.to_dict()
    assert cuts[-1] < AS_OF


def test_another_models_lists_are_judged_beside_ours_by_the_same_customers():
    ledger = weekly_shop()
    cuts = last_cuts(ledger, 1, 30)
    perfect = ledger.filter(pl.col("ordered_at") >= cuts[0]).select("customer_id", "product_id").unique()
    place = pl.int_range(1, pl.len() + 1).over("customer_id").alias("rank")
    oracle = perfect.sort("customer_id", "product_id").with_columns(place)
    made = compare(ledger, NO_PRODUCTS, cuts, SETTINGS, Progress(show=False), also={"oracle": oracle})
    assert made.rankings == [*RANKINGS, "oracle"]
    document = made.to_dict()
    assert document["mean"]["oracle"]["ndcg@10"][0] == 1
    difference = document["also"]["oracle"]["ndcg@10"]
    assert difference[0] == pytest.approx(document["mean"]["reprise"]["ndcg@10"][0] - 1)


def test_another_models_lists_need_one_cut_and_a_name_that_is_free():
    ledger, lists = weekly_shop(), pl.DataFrame({"customer_id": ["C00"], "product_id": ["P0"], "rank": [1]})
    with pytest.raises(UsageError, match="give the --cut that they were made for, not 2"):
        compare(ledger, NO_PRODUCTS, last_cuts(ledger, 2, 30), SETTINGS, Progress(show=False), also={"mine": lists})
    for name in RANKINGS:
        with pytest.raises(UsageError, match=f"'{name}' is the name of a ranking of ours"):
            compare(ledger, NO_PRODUCTS, last_cuts(ledger, 1, 30), SETTINGS, Progress(show=False), also={name: lists})
