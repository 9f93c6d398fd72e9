import math

import pytest

from recommender.slate.customer_view import SPREAD, order_of_day

ALIKE = [0.5] * 20


def test_the_same_day_gives_the_same_order():
    assert order_of_day(ALIKE, "ANNA", 7) == order_of_day(ALIKE, "ANNA", 7)


@pytest.mark.parametrize(("person", "day"), [("ANNA", 8), ("BEN", 7)])
def test_another_day_or_person_gives_another(person, day):
    order = order_of_day(ALIKE, person, day)
    assert order != order_of_day(ALIKE, "ANNA", 7)
    assert sorted(order) == list(range(20))


def test_every_product_leads_on_some_day():
    assert {order_of_day([0.5, 0.4, 0.3], "ANNA", day)[0] for day in range(200)} == {0, 1, 2}


def test_none_passes_one_that_is_over_twice_as_likely():
    scores = [0.8, 0.7, 0.6, 0.39, 0.3, 0.19, 0.1]
    for day in range(300):
        turned = [scores[place] for place in order_of_day(scores, "ANNA", day)]
        assert all(one * SPREAD > later for i, one in enumerate(turned) for later in turned[i:])


def test_an_order_once_given_stays():
    """Customers of a shop that is upgraded see what they saw before, on the same day."""
    assert order_of_day([0.5, 0.4, 0.3, 0.2, 0.1], "ANNA", 20_777) == [0, 2, 1, 3, 4]


@pytest.mark.parametrize("scores", [[], [0.5], [0.5, math.nan, math.nan]])
def test_what_has_no_order_to_change_stays(scores):
    assert list(order_of_day(scores, "ANNA", 7)) == list(range(len(scores)))
