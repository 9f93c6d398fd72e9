"""Whoever buys for the first time has a list a moment later."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from recommender.events.event import Event
from recommender.person import digest_of_person
from recommender.publication.factors import ProductFactors
from recommender.publication.lists import unfold
from tests.conftest import build_publication
from tests.fakes.versions import MemoryVersionStore
from training.events.fold_in import FoldIn

NOW = datetime(2026, 11, 21, tzinfo=UTC)
VERSION = "20261120T020000Z-3f2a"
TASTES = ProductFactors(np.repeat(np.eye(2, dtype=np.float32), 5, axis=0), 0.1, 2.0)
"""Ten products: p0 to p4 belong together, and so do p5 to p9."""


@pytest.fixture
def store() -> MemoryVersionStore:
    store = MemoryVersionStore()
    store.publish(replace(build_publication(VERSION, {"discover": {"ann": [1]}}), factors=TASTES), keep=3)
    return store


@pytest.fixture
def act(store):
    """A function that accepts events of a customer and folds in."""

    def act(customer_id: str, *bought: str, event_type="purchase", event_id="") -> None:
        events = [
            Event(
                event_id=f"{event_id}{customer_id}-{product_id}-{event_type}",
                event_type=event_type,
                customer_id=customer_id,
                product_id=product_id,
                occurred_at=NOW,
            )
            for product_id in bought
        ]
        store.event_log.accept(events, NOW, 1000)
        FoldIn(store, store.event_log, lambda: NOW, list_length=3)(events)

    return act


def folded(store, customer_id: str) -> list[int] | None:
    kept = store.event_log.folded.get(digest_of_person(customer_id, None))
    return None if kept is None else [record.product_index for record in unfold(kept, VERSION)]


def test_a_first_purchase_leads_to_products_of_the_same_taste(store, act):
    act("new", "p6")
    assert set(folded(store, "new")) < {5, 7, 8, 9}
    assert len(folded(store, "new")) == 3


def test_all_purchases_count_not_only_the_last(store, act):
    act("new", "p6")
    act("new", "p5", "p7", "p8")
    assert folded(store, "new") == [9]


def test_a_second_time_makes_the_same_list(store, act):
    act("new", "p6")
    before = dict(store.event_log.folded)
    act("new", "p6")
    assert store.event_log.folded == before


def test_who_has_a_list_of_the_training_keeps_it(store, act):
    act("ann", "p6")
    assert folded(store, "ann") is None


@pytest.mark.parametrize("event_type", ["view", "click", "impression"])
def test_looking_is_not_buying(store, act, event_type):
    act("new", "p6", event_type=event_type)
    assert folded(store, "new") is None


def test_a_product_that_the_version_does_not_know_says_nothing(store, act):
    act("new", "unheard of")
    assert folded(store, "new") == []


def test_a_version_without_factors_and_an_empty_store_are_left_alone(act):
    empty = MemoryVersionStore()
    FoldIn(empty, empty.event_log, lambda: NOW, 3)([])
    empty.publish(build_publication(VERSION, {}), keep=3)
    act("new", "p6")
    FoldIn(empty, empty.event_log, lambda: NOW, 3)([])
    assert empty.event_log.folded == {}
