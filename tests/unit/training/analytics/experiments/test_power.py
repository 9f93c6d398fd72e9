import pytest

from recommender.errors import UsageError
from training.analytics.experiments.power import customers_needed


def test_a_share_of_customers():
    """20 % to 25 %: (1.960 + 0.842)² · (.16 + .1875) / .05² = 1,091."""
    assert customers_needed(0.2, 0.25) == 1_091


def test_a_mean_whose_spread_grows_with_it():
    """(1.960 + 0.842)² · (1 + 1.1²) / .1² = 1,735; the rule of thumb, 16 / .1², takes one spread for both."""
    assert customers_needed(1.0, 0.1, sd=1.0) == 1_735


def test_cuped_spares_the_share_that_the_past_foretells():
    assert customers_needed(1.0, 0.1, sd=1.0, correlation=0.6) == pytest.approx(0.64 * 1_735, abs=1)


def test_more_power_needs_more_customers():
    assert customers_needed(0.2, 0.25, power=0.9) > customers_needed(0.2, 0.25)


def test_a_loss_may_be_looked_for():
    """With a smaller spread: 7.849 · (1 + .9²) / .1²."""
    assert customers_needed(1.0, -0.1, sd=1.0) == 1_421


def test_a_small_holdout_needs_more_customers_in_all_than_two_equal_halves():
    """7.849 · (.16 / .05 + .1875 / .95) / .05² = 10,667; halves of it: twice 1,091."""
    assert customers_needed(0.2, 0.25, holdout=0.05) == 10_667
    assert customers_needed(0.2, 0.25, holdout=0.5) == pytest.approx(2 * 1_091, abs=2)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"baseline": 0.0, "lift": 0.1}, "baseline of 0 has no lift"),
        ({"baseline": 0.2, "lift": 0.0}, "smallest that would matter"),
        ({"baseline": 1.4, "lift": 0.1}, "give --sd for a mean"),
        ({"baseline": 0.9, "lift": 0.2}, "lifted by 20.0% is no share"),
        ({"baseline": 1.4, "lift": 0.1, "sd": 0.0}, "one above 0"),
        ({"baseline": 0.2, "lift": 0.1, "correlation": 1.0}, "between -1 and 1"),
        ({"baseline": 0.2, "lift": 0.1, "power": 1.0}, "between 0.05 and 1"),
        ({"baseline": 0.2, "lift": 0.1, "holdout": 0.0}, "compares nobody"),
        ({"baseline": 0.2, "lift": 0.1, "holdout": 1.0}, "compares nobody"),
    ],
)
def test_numbers_out_of_range_are_refused(arguments, said):
    with pytest.raises(UsageError, match=said):
        customers_needed(**arguments)
