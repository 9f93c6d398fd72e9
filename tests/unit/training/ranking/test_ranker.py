from dataclasses import replace
from functools import cache

import numpy as np
import polars as pl
import pytest

from training.ranking.examples.training_examples import Examples
from training.ranking.feature_table import FeatureTable
from training.ranking.ranker import fit_ranker


def examples_of(n=8000, seed=0):
    """Own products are bought with their `signal` as probability, new ones with a tenth of `taste`.

    Customers return with their `tempo` as probability.
    """
    rng = np.random.default_rng(seed)
    own, signal, taste, tempo = rng.random(n) < 0.5, rng.random(n), rng.random(n), rng.random(n)
    features = pl.DataFrame(
        {
            "pair_orders": own.astype(np.float32),
            "signal": np.where(own, signal, np.nan).astype(np.float32),
            "taste": taste.astype(np.float32),
            "nothing": np.full(n, np.nan, np.float32),
            "constant": np.ones(n, np.float32),
        }
    )
    return Examples(
        customers=pl.DataFrame({"customer_tempo": tempo.astype(np.float32)}),
        returned=rng.random(n) < tempo,
        features=features,
        bought=rng.random(n) < np.where(own, signal, taste / 5),
        share=np.ones(n, np.float32),
        weight=np.ones(n, np.float32),
        n_bought=n,
    )


@cache
def fitted():
    """What `examples_of()` teach; nobody changes it."""
    return fit_ranker([examples_of()], 0)


def are_own(features):
    return features["pair_orders"].to_numpy() > 0


def keep(examples, kept, share=1.0):
    shares = np.full(np.count_nonzero(kept), share, np.float32)
    return replace(
        examples,
        features=examples.features.filter(kept),
        bought=examples.bought[kept],
        share=shares,
        weight=examples.weight[kept],
    )


def test_learns_what_matters_for_each_kind():
    examples = examples_of()
    score = fitted().score(FeatureTable.of(examples.features))
    own, features = are_own(examples.features), examples.features
    assert np.corrcoef(score[own], features["signal"].to_numpy()[own])[0, 1] > 0.9
    assert np.corrcoef(score[~own], features["taste"].to_numpy()[~own])[0, 1] > 0.6


def test_learns_who_returns():
    later = examples_of(seed=1)
    returning = fitted().returning(FeatureTable.of(later.customers))
    assert np.corrcoef(returning, later.customers["customer_tempo"].to_numpy())[0, 1] > 0.9
    assert returning.mean() == pytest.approx(later.returned.mean(), abs=0.02)


@pytest.mark.parametrize("returned", [True, False])
def test_where_all_or_none_return(returned):
    examples = replace(examples_of(), returned=np.full(8000, returned))
    assert set(fit_ranker([examples], 0).returning(FeatureTable.of(examples.customers))) == {float(returned)}


def test_probabilities_are_as_often_right_as_they_say_on_new_examples():
    later = examples_of(seed=1)
    probability = fitted().score(FeatureTable.of(later.features))
    assert probability.mean() == pytest.approx(later.bought.mean(), abs=0.02)
    high = probability > np.quantile(probability, 0.9)
    assert probability[high].mean() == pytest.approx(later.bought[high].mean(), abs=0.1)


def test_a_sample_of_what_was_not_bought_gives_the_same_probabilities():
    examples = examples_of(20_000)
    kept = examples.bought | (np.random.default_rng(2).random(20_000) < 0.25)
    probability = fit_ranker([keep(examples, kept, 0.25)], 0).score(FeatureTable.of(examples.features))
    assert probability.mean() == pytest.approx(examples.bought.mean(), abs=0.02)


def test_windows_of_different_samples_give_the_same_probabilities():
    one, other = examples_of(20_000), examples_of(20_000, seed=1)
    kept = other.bought | (np.random.default_rng(2).random(20_000) < 0.25)
    probability = fit_ranker([one, keep(other, kept, 0.25)], 0).score(FeatureTable.of(one.features))
    assert probability.mean() == pytest.approx(one.bought.mean(), abs=0.02)


def test_the_same_examples_and_seed_give_the_same_bytes():
    examples = examples_of()
    again = fit_ranker([examples], 0).score(FeatureTable.of(examples.features))
    assert again.tobytes() == fitted().score(FeatureTable.of(examples.features)).tobytes()


def test_windows_are_learned_together():
    one, other = examples_of(300, seed=3), examples_of(300, seed=4)
    assert len(fit_ranker([one, other], 0).score(FeatureTable.of(one.features))) == 300


def test_a_kind_with_too_few_purchases_is_ranked_by_what_both_teach():
    examples = examples_of()
    few = keep(examples, are_own(examples.features) | ~examples.bought)
    score = fit_ranker([few], 0).score(FeatureTable.of(few.features))
    assert score[~are_own(few.features)].max() < 0.1


def test_too_little_to_learn_from():
    assert fit_ranker([], 0) is None
    assert fit_ranker([examples_of(100)], 0) is None


def test_nobody_to_score():
    assert fitted().score(FeatureTable.of(examples_of().features.clear())).shape == (0,)
    assert fitted().returning(FeatureTable.of(examples_of().customers.clear())).shape == (0,)
