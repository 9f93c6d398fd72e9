"""Reading lists as candidates and merging them."""

import math
from collections.abc import Iterable

import numpy as np
import pytest

from recommender.catalogue.catalogue import Catalogue
from recommender.publication.lists import RECORDS, Basis, ListKey, ListName, Own, PublishedList
from recommender.publication.product import Product
from recommender.slate.candidates import (
    Candidate,
    candidates_of,
    candidates_of_all,
    merge_by_probability,
    with_probability,
)
from recommender.slate.reading import FetchedLists

MILK, COFFEE = Product("milk"), Product("coffee")


def read(key: ListKey, published: PublishedList | None) -> FetchedLists:
    return FetchedLists("v1", {key: published}, Catalogue({0: MILK.to_json(), 1: COFFEE.to_json()}))


def publish(name: ListName, *records: tuple[float, ...], basis: Basis = Basis.MODEL) -> PublishedList:
    return PublishedList(name, bytes([basis]) + np.array(list(records), RECORDS[name]).tobytes())


def names(candidates: Iterable[Candidate]) -> list[str]:
    return [candidate.product.product_id for candidate in candidates]


def make(product_id: str, probability: float | None) -> Candidate:
    return Candidate(Product(product_id), "discover", probability)


class TestCandidatesOfAll:
    """Lists of several categories, of which 2 is a product that was lost and what has no score is new."""

    KEYS = (ListKey("popular", "tea"), ListKey("popular", "milk"), ListKey("popular", "gone"))

    def read(self, tea: PublishedList, milk: PublishedList) -> FetchedLists:
        texts = {index: Product(str(index)).to_json() for index in (0, 1, 3, 4, 5)}
        return FetchedLists("v1", dict(zip(self.KEYS, (tea, milk, None), strict=True)), Catalogue(texts))

    def test_stand_in_one_order_of_score(self):
        tea = publish("popular", (0, 9.0), (2, 8.0), (1, 3.0), (4, math.nan))
        milk = publish("popular", (3, 5.0), (5, 1.0))
        assert names(candidates_of_all(self.read(tea, milk), self.KEYS, "popular")) == ["0", "3", "1", "5", "4"]

    def test_the_new_of_one_stand_behind_what_sells_of_another(self):
        tea, milk = publish("popular", (0, math.nan), (1, math.nan)), publish("popular", (3, 5.0), (4, 0.5))
        assert names(candidates_of_all(self.read(tea, milk), self.KEYS, "popular")) == ["3", "4", "0", "1"]

    def test_one_list_keeps_its_order(self):
        reading = self.read(publish("popular", (1, 1.0), (0, 2.0)), publish("popular"))
        assert names(candidates_of_all(reading, self.KEYS[:1], "popular")) == ["1", "0"]


class TestCandidatesOf:
    def test_keeps_the_order_of_the_list(self):
        key = ListKey("discover", "ann")
        reading = read(key, publish("discover", (1, 0.5), (0, 0.25)))
        assert list(candidates_of(reading, key, "discover")) == [
            Candidate(COFFEE, "discover", probability=0.5, source="discover"),
            Candidate(MILK, "discover", probability=0.25, source="discover"),
        ]

    def test_an_owner_without_a_list_has_no_candidates(self):
        key = ListKey("discover", "nobody")
        assert list(candidates_of(read(key, None), key, "discover")) == []

    def test_an_empty_list_has_no_candidates(self):
        key = ListKey("buy_again", "new")
        assert list(candidates_of(read(key, publish("buy_again")), key, "buy_again")) == []

    def test_a_list_that_was_not_asked_for_is_a_mistake_of_the_caller(self):
        with pytest.raises(KeyError):
            list(candidates_of(read(ListKey("similar", "milk"), None), ListKey("similar", "coffee"), "similar"))

    def test_nan_is_no_probability(self):
        key = ListKey("discover", "ann")
        (candidate,) = candidates_of(read(key, publish("discover", (0, math.nan))), key, "discover")
        assert candidate.probability is None

    def test_own_products_bring_their_history(self):
        key, own = ListKey("buy_again", "ann"), Own(0, 0.75, 20_000, 6, 1.875, 0.25, 0.875)
        (candidate,) = candidates_of(read(key, publish("buy_again", own)), key, "buy_again")
        assert candidate.own == own
        assert candidate.probability == 0.75

    @pytest.mark.parametrize(
        ("name", "kind"), [("similar", "similar"), ("together", "complement"), ("popular", "popular")]
    )
    def test_the_scores_of_other_lists_are_no_probabilities(self, name, kind):
        key = ListKey(name, "milk")
        (candidate,) = candidates_of(read(key, publish(name, (1, 0.5))), key, kind, because="Milk")
        assert candidate == Candidate(COFFEE, kind, probability=None, because="Milk", source=name)

    @pytest.mark.parametrize("basis", [Basis.CATEGORY, Basis.POPULAR])
    def test_best_sellers_that_fill_a_cold_list_are_not_called_similar(self, basis):
        key = ListKey("similar", "milk")
        (candidate,) = candidates_of(
            read(key, publish("similar", (1, 0.5), basis=basis)), key, "similar", because="Milk"
        )
        assert (candidate.kind, candidate.because) == ("popular", None)


class TestMergeByProbability:
    def test_the_likelier_comes_first(self):
        merged = merge_by_probability(
            [make("a", 0.9), make("b", 0.2)], with_probability([make("x", 0.5), make("y", 0.1)])
        )
        assert names(merged) == ["a", "x", "b", "y"]

    def test_a_tie_goes_to_buy_again(self):
        assert names(merge_by_probability([make("a", 0.5)], with_probability([make("x", 0.5)]))) == ["a", "x"]

    @pytest.mark.parametrize(("own", "new"), [(None, 0.9), (0.1, None), (None, None)])
    def test_a_missing_probability_goes_to_buy_again(self, own, new):
        assert names(merge_by_probability([make("a", own)], with_probability([make("x", new)]))) == ["a", "x"]

    def test_the_order_within_a_list_is_kept_even_if_it_is_not_by_probability(self):
        merged = merge_by_probability([make("a", 0.1), make("b", 0.9)], with_probability([make("x", 0.5)]))
        assert names(merged) == ["x", "a", "b"]

    def test_one_list_alone_stays_as_it_is(self):
        alone = [make("a", 0.1), make("b", 0.9)]
        assert list(merge_by_probability(alone, [])) == alone
        assert list(merge_by_probability([], with_probability(alone))) == alone
        assert list(merge_by_probability([], [])) == []
