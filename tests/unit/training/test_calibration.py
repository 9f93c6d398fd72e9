import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from training.calibration import fit_calibrator


def test_learns_the_share_that_was_bought():
    scores = np.repeat(np.array([0.1, 0.9], np.float32), 100)
    bought = np.concatenate([np.arange(100) < 20, np.arange(100) < 60])
    calibrate = fit_calibrator(scores, bought)
    assert calibrate(np.array([0.1, 0.5, 0.9], np.float32)) == pytest.approx([0.2, 0.4, 0.6], abs=1e-6)


def test_is_constant_beyond_what_it_saw():
    scores = np.repeat(np.array([0.1, 0.9], np.float32), 100)
    calibrate = fit_calibrator(scores, np.concatenate([np.arange(100) < 20, np.arange(100) < 60]))
    assert calibrate(np.array([-5, 5], np.float32)) == pytest.approx([0.2, 0.6], abs=1e-6)


def test_a_higher_score_has_a_higher_probability_within_a_step_too():
    """Where the shares fall from one score to the next, isotonic regression pools the two."""
    scores = np.repeat(np.array([1, 2, 3, 4], np.float32), 100)
    bought = np.concatenate([np.arange(100) < n for n in (10, 30, 20, 50)])
    probabilities = fit_calibrator(scores, bought)(np.array([1, 2, 3, 4], np.float32))
    # 2 and 3 share the step .25, whose middle is 2.5
    assert probabilities == pytest.approx([0.1, 0.2, 1 / 3, 0.5])


def test_a_few_lucky_scores_at_the_top_are_no_certainty():
    scores = np.linspace(0, 1, 1_000, dtype=np.float32)
    bought = (np.arange(1_000) % 10 == 0) | (np.arange(1_000) >= 997)
    assert fit_calibrator(scores, bought)(np.float32([1.0])) < 0.2


@pytest.mark.parametrize(("n_bought", "is_known"), [(0, False), (49, False), (50, True)])
def test_too_few_purchases_give_no_probability(n_bought, is_known):
    scores = np.linspace(0, 1, 200, dtype=np.float32)
    assert (fit_calibrator(scores, np.arange(200) < n_bought) is not None) == is_known


def test_nothing_to_learn_from():
    assert fit_calibrator(np.zeros(0, np.float32), np.zeros(0, bool)) is None


def test_a_score_that_says_nothing_gives_the_overall_share():
    calibrate = fit_calibrator(np.ones(400, np.float32), np.arange(400) < 100)
    assert calibrate(np.array([0, 1, 2], np.float32)) == pytest.approx([0.25] * 3)


def test_a_missing_score_stays_missing():
    calibrate = fit_calibrator(np.linspace(0, 1, 200, dtype=np.float32), np.arange(200) > 100)
    assert np.isnan(calibrate(np.array([np.nan], np.float32))).all()


@given(
    arrays(np.float32, 120, elements=st.floats(0, 1, width=32)),
    arrays(np.bool_, 120, elements=st.booleans()),
)
def test_probabilities_are_between_0_and_1_and_never_fall(scores, bought):
    bought[:50] = True
    probabilities = fit_calibrator(scores, bought)(np.sort(scores))
    assert ((probabilities >= 0) & (probabilities <= 1)).all()
    assert (np.diff(probabilities) >= 0).all()
