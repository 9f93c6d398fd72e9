"""What the console reads and keeps, in memory and on real servers: insights, the due board, actions, sessions."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from recommender.errors import ChangedMeanwhileError
from recommender.experiments.looks import ExperimentLook, VariantLook
from recommender.redis import publish
from recommender.redis.keys import Keys, ended_session
from recommender.slate.placements import Placement
from recommender.storage.shops import MOST_ACTION_BYTES, MOST_ACTIONS, Action, ShopStorage
from tests.support.console import DOCUMENT, INSIGHTS, OLDER, publication
from tests.support.small_shop import NOW, VERSION


def test_a_version_tells_its_insights_and_one_of_an_earlier_release_tells_none(storage: ShopStorage, shop: str) -> None:
    store = storage.store(shop)
    store.publish(publication(OLDER, None), keep=3)
    store.publish(publication(), keep=3)
    assert store.insights(VERSION) == DOCUMENT
    assert store.due_board(VERSION) == INSIGHTS.due
    assert (store.insights(OLDER), store.due_board(OLDER)) == (None, {})
    assert (store.insights("no such"), store.due_board("no such")) == (None, {})


def test_insights_go_with_their_version(storage: ShopStorage, shop: str) -> None:
    store = storage.store(shop)
    store.publish(publication(OLDER), keep=3)
    newer = publication()
    store.publish(replace(newer, manifest=replace(newer.manifest, created_at="2026-11-21T02:05:00Z")), keep=1)
    assert (store.insights(OLDER), store.due_board(OLDER)) == (None, {})


def test_an_erased_customer_leaves_every_board_and_none_that_comes_later(storage: ShopStorage, shop: str) -> None:
    store = storage.store(shop)
    for version in (OLDER, VERSION):
        store.publish(publication(version), keep=3)
    store.erase("ANNA", NOW)
    assert [set(store.due_board(version)) for version in (OLDER, VERSION)] == [{"x/y"}, {"x/y"}]


def test_a_version_that_was_published_without_insights_gets_them_when_it_is_published_again(
    storage: ShopStorage, shop: str
) -> None:
    store = storage.store(shop)
    store.publish(publication(insights=None), keep=3)
    store.publish(publication(), keep=3)
    assert (store.insights(VERSION), store.due_board(VERSION)) == (DOCUMENT, INSIGHTS.due)


def test_a_board_of_many_customers_comes_back_whole(storage: ShopStorage, shop: str) -> None:
    due = {f"c{i}": INSIGHTS.due["ANNA"] for i in range(2_500)}
    storage.store(shop).publish(publication(insights=replace(INSIGHTS, due=due)), keep=3)
    assert storage.store(shop).due_board(VERSION) == due


def test_the_memory_that_is_reckoned_with_counts_the_board() -> None:
    due = {f"c{i}": INSIGHTS.due["ANNA"] for i in range(1_000)}
    larger = publish.estimated_bytes(publication(insights=replace(INSIGHTS, due=due)))
    assert larger > publish.estimated_bytes(publication(insights=None)) + 1_000 * len('[["MILK",1,0.8]]')


def test_a_placement_is_read_as_it_stands_now(storage: ShopStorage, shop: str) -> None:
    store = storage.store(shop)
    assert store.placement("home") is None
    placement = Placement(cap=7, default_limit=3)
    store.place("home", placement)
    assert store.placement("home") == placement


def test_of_many_who_replace_a_placement_at_once_one_does(storage: ShopStorage, shop: str) -> None:
    store = storage.store(shop)
    for before in (None, Placement(cap=9, default_limit=1)):
        if before is not None:
            store.place("home", before)

        def replace_with(cap: int, before: Placement | None = before) -> int | None:
            try:
                storage.store(shop).replace_placement("home", before, Placement(cap=cap, default_limit=1))
            except ChangedMeanwhileError:
                return None
            return cap

        with ThreadPoolExecutor(8) as threads:
            done = [cap for cap in threads.map(replace_with, range(10, 26)) if cap is not None]
        found = store.placement("home")
        assert found is not None
        assert done == [found.cap]


def test_a_placement_that_is_as_it_was_is_replaced(storage: ShopStorage, shop: str) -> None:
    store = storage.store(shop)
    first, second = Placement(cap=7, default_limit=3), Placement(cap=8, default_limit=3)
    store.replace_placement("home", None, first)
    store.replace_placement("home", first, second)
    assert store.placement("home") == second
    with pytest.raises(ChangedMeanwhileError):
        store.replace_placement("home", first, first)
    with pytest.raises(ChangedMeanwhileError):
        store.replace_placement("new", first, first)


def test_actions_are_kept_newest_first_and_only_so_many(storage: ShopStorage, shop: str) -> None:
    at = f"{datetime(2026, 11, 20, tzinfo=UTC):%Y-%m-%dT%H:%M:%SZ}"
    for number in range(MOST_ACTIONS + 5):
        storage.note_action(shop, Action(str(number), at, "k1", "place", "home", {"cap": 1}, {"cap": number}))
    kept = storage.actions(shop)
    assert [one.action_id for one in kept[:2]] == ["1004", "1003"]
    assert len(kept) == MOST_ACTIONS
    assert (kept[0].before, kept[0].after, kept[0].key_id) == ({"cap": 1}, {"cap": 1004}, "k1")
    assert len(storage.actions(shop, 3)) == 3
    assert storage.actions(f"{shop}-b") == []


def test_of_a_huge_action_it_is_kept_that_it_was_done(storage: ShopStorage, shop: str) -> None:
    storage.note_action(shop, Action("1", "2026-11-20T00:00:00Z", None, "place", "home", "x" * MOST_ACTION_BYTES, 1))
    (kept,) = storage.actions(shop)
    assert (kept.subject, kept.before, kept.after) == ("home", None, None)


def test_looks_at_experiments_are_kept_newest_first(storage: ShopStorage, shop: str) -> None:
    looks = [
        ExperimentLook("cap-6", f"2026-11-{day}T06:00:00Z", "control", False, (VariantLook("control", 5, 5.0, 1.5),))
        for day in (18, 19)
    ]
    for look in looks:
        storage.note_look(shop, look)
    assert storage.looks(shop) == looks[::-1]
    assert storage.looks(f"{shop}-b") == []


def test_a_session_that_has_ended_is_known_until_it_would_have(storage: ShopStorage, shop: str) -> None:
    session = f"session-{shop}"
    assert not storage.has_ended(session)
    storage.end_session(session, 100)
    assert storage.has_ended(session)
    assert Keys(shop).actions not in ended_session(session)
