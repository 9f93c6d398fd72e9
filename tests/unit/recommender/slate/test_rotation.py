import math

import pytest

from recommender.publication.lists import PublishedList, Ranked
from recommender.slate.customer_view import SPREAD, rotate
from tests.support.small_shop import model, table


def listed(*scores: float) -> PublishedList:
    ((_, wire),) = table("discover", {"ANNA": model(*enumerate(scores))}).encode(0, 1)
    return PublishedList("discover", wire)


ALIKE = listed(*[0.5] * 20)


def test_the_same_day_gives_the_same_order():
    assert rotate(ALIKE, "ANNA", 7) == rotate(ALIKE, "ANNA", 7)


@pytest.mark.parametrize(("person", "day"), [("ANNA", 8), ("BEN", 7)])
def test_another_day_or_person_gives_another(person, day):
    turned = rotate(ALIKE, person, day)
    assert turned != rotate(ALIKE, "ANNA", 7)
    assert sorted(turned.records) == ALIKE.records


def test_every_product_leads_on_some_day():
    first = {next(iter(rotate(listed(0.5, 0.4, 0.3), "ANNA", day))).product_index for day in range(200)}
    assert first == {0, 1, 2}


def test_none_passes_one_that_is_over_twice_as_likely():
    scores = [0.8, 0.7, 0.6, 0.39, 0.3, 0.19, 0.1]
    for day in range(300):
        turned = [record.score for record in rotate(listed(*scores), "ANNA", day)]
        assert all(one * SPREAD > later for i, one in enumerate(turned) for later in turned[i:])


@pytest.mark.parametrize("published", [listed(), listed(0.5), listed(0.5, math.nan, math.nan)])
def test_what_has_no_order_to_change_stays(published):
    assert rotate(published, "ANNA", 7).wire == published.wire


def test_probabilities_stay_with_their_products():
    published = listed(0.5, 0.4, 0.3)
    assert all(record in published.records for record in rotate(published, "ANNA", 7))
    assert isinstance(rotate(published, "ANNA", 7).records[0], Ranked)
