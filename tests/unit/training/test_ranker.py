from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from recommender.errors import UsageError
from training.examples import Examples
from training.ranker import fit_ranker, is_own


def examples_of(n=8000, seed=0):
    """Own products are bought with their `signal` as probability, new ones with a tenth of `taste`."""
    rng = np.random.default_rng(seed)
    own, signal, taste = rng.random(n) < 0.5, rng.random(n), rng.random(n)
    bought = rng.random(n) < np.where(own, signal, taste / 5)
    features = pl.DataFrame(
        {
            "pair_orders": own.astype(np.float32),
            "signal": np.where(own, signal, np.nan).astype(np.float32),
            "taste": taste.astype(np.float32),
            "nothing": np.full(n, np.nan, np.float32),
            "constant": np.ones(n, np.float32),
        }
    )
    wait = np.where(bought, rng.random(n) * 30, np.inf).astype(np.float32)
    return Examples(features, wait, np.ones(n, np.float32), int(bought.sum()), 30)


def test_learns_what_matters_for_each_kind():
    examples = examples_of()
    score = fit_ranker([examples], 0).score(examples.features)
    own, features = is_own(examples.features), examples.features
    assert np.corrcoef(score[own], features["signal"].to_numpy()[own])[0, 1] > 0.9
    assert np.corrcoef(score[~own], features["taste"].to_numpy()[~own])[0, 1] > 0.6


@pytest.mark.parametrize("horizon_days", [7, 14, 30])
def test_probabilities_are_as_often_right_as_they_say_on_new_examples(horizon_days):
    later = examples_of(seed=1)
    probability = fit_ranker([examples_of()], 0).predict(later.features, horizon_days)
    assert probability.mean() == pytest.approx((later.wait_days < horizon_days).mean(), abs=0.02)
    high = probability > np.quantile(probability, 0.9)
    assert probability[high].mean() == pytest.approx((later.wait_days < horizon_days)[high].mean(), abs=0.1)


def test_a_sample_of_what_was_not_bought_gives_the_same_probabilities():
    examples = examples_of(20_000)
    kept = examples.bought | (np.random.default_rng(2).random(20_000) < 0.25)
    sample = replace(
        examples,
        features=examples.features.filter(kept),
        wait_days=examples.wait_days[kept],
        weight=np.where(examples.bought, 1, 4)[kept].astype(np.float32),
    )
    probability = fit_ranker([sample], 0).predict(examples.features, 30)
    assert probability.mean() == pytest.approx(examples.bought.mean(), abs=0.02)


def test_the_same_examples_and_seed_give_the_same_bytes():
    examples = examples_of()
    scores = [fit_ranker([examples], 0).score(examples.features).tobytes() for _ in range(2)]
    assert scores[0] == scores[1]


def test_windows_are_learned_together():
    one, other = examples_of(300, seed=3), examples_of(300, seed=4)
    assert len(fit_ranker([one, other], 0).score(one.features)) == 300


def test_a_kind_with_too_few_purchases_is_ranked_by_what_both_teach():
    examples = examples_of()
    kept = is_own(examples.features) | ~examples.bought
    few = replace(
        examples,
        features=examples.features.filter(kept),
        wait_days=examples.wait_days[kept],
        weight=examples.weight[kept],
    )
    score = fit_ranker([few], 0).score(few.features)
    assert score[~is_own(few.features)].max() < 0.1


def test_too_little_to_learn_from():
    assert fit_ranker([], 0) is None
    assert fit_ranker([examples_of(100)], 0) is None


def test_a_horizon_that_was_not_learned():
    examples = examples_of()
    with pytest.raises(UsageError, match=r"90 days .* 7, 14, 30"):
        fit_ranker([examples], 0).predict(examples.features, 90)


def test_nobody_to_score():
    ranker = fit_ranker([examples_of()], 0)
    assert ranker.score(examples_of().features.clear()).shape == (0,)
