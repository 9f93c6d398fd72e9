"""Chosen parameters suit the window they are chosen on, and only that one."""

from datetime import timedelta

from tests.support.worlds import AS_OF, ledger_of
from training.dataset.split import split_window
from training.evaluation.baseline_parameters import Chosen, tune_baselines, tune_half_life
from training.evaluation.tifu_knn import Tifu

CUT = AS_OF - timedelta(days=30)


def test_fading_is_chosen_where_old_orders_mean_nothing():
    """Everybody bought OLD often a year ago and NEW once lately, and goes on with NEW; what is popular is neither."""
    customers = [f"C{n}" for n in range(12)]
    old = [(who, f"OLD {who} {i}", day) for who in customers for i in range(10) for day in (400, 407, 414)]
    new = [(who, f"NEW {who}", day) for who in customers for day in (40, 10)]
    noise = [(f"D{n}", "HIT", 35) for n in range(30)]
    chosen = tune_baselines(split_window(ledger_of([*old, *new, *noise]), CUT, 30))
    assert chosen.half_life_days == 30
    assert chosen.popularity == 0
    assert chosen.ndcg["decayed_own"] == 1


def test_the_half_life_alone_is_chosen_on_the_same_window():
    """What was bought often long ago is not wanted any more, or it is all that is."""
    customers = [f"C{n}" for n in range(12)]
    old = [(who, f"OLD {who} {i}", day) for who in customers for i in range(10) for day in (150, 157, 164)]
    new = [(who, f"NEW {who} {i}", 40) for who in customers for i in range(10)]
    chosen = {"NEW": 30, "OLD": 90}
    for kind, days in chosen.items():
        later = [(who, f"{kind} {who} {i}", 10) for who in customers for i in range(10)]
        assert tune_half_life(split_window(ledger_of([*old, *new, *later]), CUT, 30), 0.0) == days
    assert tune_half_life(split_window(ledger_of([("ANNA", "MILK", 10)]), CUT, 30), 0.5) == 180


def test_defaults_stand_where_nothing_can_be_tuned():
    chosen = tune_baselines(split_window(ledger_of([("ANNA", "MILK", 10)]), CUT, 30))
    assert chosen == Chosen(180, 0.5, Tifu(), {})


def test_becomes_plain_json():
    assert Chosen(ndcg={"tifu_knn": 0.1}).to_dict() == {
        "decayed_own": {"half_life_days": 180, "popularity": 0.5},
        "tifu_knn": {"group_size": 7, "within": 0.9, "between": 0.7, "neighbours": 300, "own": 0.7},
        "ndcg@10": {"tifu_knn": 0.1},
    }
