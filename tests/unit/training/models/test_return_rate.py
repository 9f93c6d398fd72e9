import numpy as np
import pytest

from recommender.publication.lists import Own
from recommender.slate.due import HORIZONS_DAYS, due
from tests.support.worlds import AS_OF, empty_shop, ledger_of
from training.dataset.pair_history import build_history
from training.dataset.snapshot import build_snapshot
from training.models.return_rate import bought_since, bought_within, fit_odds, look_back, shift_odds


def pairs(n: int, share: float) -> tuple[np.ndarray, ...]:
    """Elapsed days, log gap, its spread and the share of n pairs, of all stages of a monthly rhythm."""
    return np.linspace(1, 200, n), np.full(n, np.log(30)), np.full(n, 0.5), np.full(n, share)


def test_the_chance_is_the_one_that_the_service_states():
    for share in (0.0, 0.3, 0.99):
        own = Own(0, 0.5, int(AS_OF.timestamp() // 86_400) - 20, 3, 3.0, 0.5, share)
        elapsed = np.array([AS_OF.timestamp() / 86_400 - own.last_day])
        for days in HORIZONS_DAYS:
            chance = bought_within(days, elapsed, np.array([3.0]), np.array([0.5]), np.array([share]))
            assert chance[0] == pytest.approx(due(own, AS_OF).probability[days])


def test_odds_are_multiplied():
    assert shift_odds(np.array([0.5, 0.2]), np.log(2)) == pytest.approx([2 / 3, 1 / 3])


def test_certain_shares_stay_shares():
    shifted = shift_odds(np.array([0.0, 1.0]), 1.0)
    assert 0 < shifted[0] < shifted[1] < 1


def test_the_shift_makes_as_many_buy_as_did():
    elapsed, log_gap, sd, share = pairs(20_000, 0.4)
    chance = bought_within(30, elapsed, log_gap, sd, shift_odds(share, -0.8))
    bought = np.random.default_rng(7).random(len(chance)) < chance
    assert fit_odds(elapsed, log_gap, sd, share, bought) == pytest.approx(-0.8, abs=0.1)


def test_a_tiny_shop_keeps_its_own_shares():
    assert abs(fit_odds(*pairs(3, 0.4), np.zeros(3, dtype=bool))) < 0.1


def test_without_pairs_nothing_moves():
    assert fit_odds(*pairs(0, 0.4), np.zeros(0, dtype=bool)) == 0


def test_the_shift_has_an_end():
    assert fit_odds(*pairs(5_000, 0.4), np.ones(5_000, dtype=bool)) == 4
    assert fit_odds(*pairs(50_000, 0.99), np.zeros(50_000, dtype=bool)) == -4


def test_the_look_back_knows_what_was_known_then_and_what_came():
    ledger = ledger_of([("ANNA", "MILK", 40.5), ("ANNA", "MILK", 5.5), ("BEN", "MILK", 50.5), ("CARL", "MILK", 2.5)])
    snapshot = build_snapshot(ledger, AS_OF)
    then = look_back(snapshot)
    history = build_history(then)
    assert then.as_of_day == int(AS_OF.timestamp() // 86_400) - 30
    assert history.customer_index.tolist() == [0, 1]
    assert (history.day < then.as_of_day).all()
    assert bought_since(snapshot, history).tolist() == [True, False]


def test_an_empty_shop():
    snapshot = build_snapshot(empty_shop(), AS_OF)
    history = build_history(look_back(snapshot))
    assert bought_since(snapshot, history).tolist() == []
