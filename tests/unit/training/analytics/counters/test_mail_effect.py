"""What mails brought, against those who were held out."""

from datetime import date

import numpy as np
import pytest

from recommender.results.campaigns import VariantResults
from training.analytics.counters.mail_effect import Side, add_up, measure_effect
from training.analytics.experiments.estimates import estimate_mean

UNTIL, BEFORE, AFTER = date(2026, 12, 1), date(2026, 11, 28), date(2026, 12, 1)


def variants(mailed=(9_500, 3_000), held=(500, 150)):
    """Customers and how many of them ordered once, of each side."""
    return [
        VariantResults(name, took_part=n, orders=orders, orders_squared=orders, ordered=orders)
        for name, (n, orders) in (("mailed", mailed), ("holdout", held))
    ]


def test_sums_give_the_mean_and_the_error_that_customers_one_by_one_give():
    orders = np.random.default_rng(1).poisson(0.7, 900).astype(float)
    side = Side(len(orders), int(orders.sum()), int((orders**2).sum()))
    assert side.mean == pytest.approx(estimate_mean(orders))


def test_more_orders_are_said_with_their_interval():
    effect = measure_effect(variants((95_000, 33_000), (5_000, 1_500)), UNTIL, AFTER)
    assert effect.verdict == "more"
    assert effect.lift == pytest.approx(33 / 95 / 0.3 - 1)
    assert effect.sentence == "Brought 15.8 % more orders; between 11.0 and 21.0"
    assert effect.extra_orders == pytest.approx(33_000 - 0.3 * 95_000)


def test_fewer_orders_are_said_too():
    effect = measure_effect(variants((95_000, 25_000), (5_000, 1_500)), UNTIL, AFTER)
    assert (effect.verdict, effect.sentence.partition(";")[0]) == ("fewer", "Cost 12.3 % of the orders")


def test_what_is_not_decided_says_how_many_weeks_it_takes():
    effect = measure_effect(variants((9_500, 3_000), (500, 150)), UNTIL, AFTER)
    assert (effect.verdict, effect.more_weeks) == ("undecided", 15)
    assert effect.sentence == "Not decided yet: about 15 more weeks at this size"
    sixteen = measure_effect(variants((16 * 9_500, 16 * 3_000), (16 * 500, 16 * 150)), UNTIL, AFTER)
    assert sixteen.verdict == "more", "5.3 % more are found then"
    none = measure_effect(variants((16 * 9_500, 16 * 2_850), (16 * 500, 16 * 150)), UNTIL, AFTER)
    assert (none.verdict, none.more_weeks) == ("no_difference", 0)


def test_before_the_end_only_what_holds_at_every_look_is_said():
    close = variants((95_000, 30_100), (5_000, 1_500))
    assert measure_effect(close, UNTIL, AFTER).verdict == "more"
    effect = measure_effect(close, UNTIL, BEFORE)
    assert (effect.verdict, effect.sentence) == ("running", "Not clear yet: orders count until 2026-12-01")
    assert measure_effect(variants((95_000, 33_000), (5_000, 1_500)), UNTIL, BEFORE).verdict == "more"


@pytest.mark.parametrize(
    ("mailed", "held", "verdict"),
    [
        ((100, 9), (100, 30), "undecided"),
        ((1_000, 300), (20, 0), "undecided"),
        ((1_000, 300), (0, 0), "no_holdout"),
        ((0, 0), (1_000, 300), "no_holdout"),
        ((1_000, 300), (1, 1), "undecided"),
    ],
)
def test_too_few_are_not_compared(mailed, held, verdict):
    effect = measure_effect(variants(mailed, held), UNTIL, AFTER)
    assert (effect.verdict, effect.lift) == (verdict, None)
    assert effect.sentence


def test_where_nobody_tells_of_orders_that_is_said():
    effect = measure_effect(variants((1_000, 0), (100, 0)), UNTIL, AFTER, orders_known=False)
    assert "POST /v1/events" in effect.sentence


def test_variants_of_an_experiment_count_together_against_the_holdout():
    three = [*variants((10, 4), (5, 1)), VariantResults("short", took_part=6, orders=2, orders_squared=2)]
    assert add_up(three, held_out=False) == Side(16, 6, 6)
    assert add_up(three, held_out=True) == Side(5, 1, 1)


def test_campaigns_add_up():
    one, other = variants((9_500, 3_300), (500, 150)), variants((4_750, 1_650), (250, 75))
    assert add_up([*one, *other], held_out=False) == Side(14_250, 4_950, 4_950)
    both, single = measure_effect([*one, *other], UNTIL, AFTER), measure_effect(one, UNTIL, AFTER)
    assert both.lift == pytest.approx(single.lift)
    assert both.high - both.low < 0.83 * (single.high - single.low)
