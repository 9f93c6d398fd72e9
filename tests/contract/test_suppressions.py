"""What a store and the list beside it know of who is not written to and who was erased, and how they agree again."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from recommender.campaigns.suppressions import collect, erase, refuse_loss, restore, watch_loss
from recommender.data_dir import DataDirectory
from recommender.days import SECONDS_PER_DAY, to_us
from recommender.errors import StoreError
from recommender.person import digest_of_person
from recommender.publication.lists import ListKey
from recommender.publication.manifest import Publication
from recommender.redis.keys import Keys
from recommender.redis.shops import RedisShopStorage
from recommender.retention import STANDING_KEPT_S
from recommender.storage.shops import ShopStorage
from recommender.storage.versions import ListQuery
from recommender.suppression_list import ERASED, Suppression, SuppressionList
from tests.support.governed import DAY, NOW, Governed
from tests.support.profiles import make_profile, make_table

REFUSALS = {
    "unsubscribe": "unsubscribed",
    "mail_bounce": "bounced",
    "mail_complaint": "quiet_after_complaint",
    ERASED: "erased",
}
LISTS = {"discover": {"ANN": [1], "BEN": [2]}, "buy_again": {"ANN": [3]}}


@pytest.fixture
def home(tmp_path: Path) -> DataDirectory:
    return DataDirectory(tmp_path / "home")


@pytest.fixture
def remember(home: DataDirectory, shop: str) -> Callable[..., None]:
    """Adds to the list what a store that is gone knew."""

    def remember(customer_id: str, mark: str, at=NOW) -> None:
        known = Suppression(digest_of_person(customer_id, None), mark, to_us(at))
        SuppressionList(home.suppressions(shop)).add([known])

    return remember


@pytest.mark.parametrize("mark", REFUSALS)
def test_what_a_store_has_lost_comes_back(storage: ShopStorage, home, shop, remember, mark):
    governed = Governed(storage.event_log(shop), storage.contacts(shop))
    remember("ANN", mark)
    with pytest.raises(StoreError, match=r"Redis has lost 1 .* run `reprise publish`"):
        refuse_loss(storage, shop, home)
    assert restore(storage, shop, home) == 1
    assert governed.claim("A") == REFUSALS[mark]
    assert governed.claim("A", customer_id="BEN") is None
    refuse_loss(storage, shop, home)
    assert restore(storage, shop, home) == 0


def test_the_later_moment_wins_in_both_directions(storage: ShopStorage, governed: Governed, home, shop, remember):
    governed.tell("subscribe", NOW + DAY, "ANN")
    governed.tell("unsubscribe", NOW + DAY, "BEN")
    governed.tell("unsubscribe", NOW - DAY, "CAT")
    remember("ANN", "unsubscribe")
    remember("BEN", "subscribe")
    remember("CAT", "subscribe")
    assert restore(storage, shop, home) == 3
    assert [governed.standing(one).unsubscribed for one in ("ANN", "BEN", "CAT")] == [False, True, False]


def test_consent_that_may_have_ended_is_not_lost_and_does_not_come_back(storage: ShopStorage, home, shop, remember):
    ended = datetime.now(UTC) - timedelta(seconds=STANDING_KEPT_S, days=1)
    remember("ANN", "subscribe", ended)
    refuse_loss(storage, shop, home)
    assert restore(storage, shop, home) == 0
    for one in ("unsubscribe", "mail_bounce", "mail_complaint"):
        remember("BEN", one, ended)
    assert restore(storage, shop, home) == 3


def test_what_comes_back_ends_when_it_would_have_ended_and_an_objection_never(redis_url, connect, home, shop, remember):
    def life(customer_id: str) -> int:
        key = Keys(shop).of("standing", digest_of_person(customer_id, None))
        return int(connect(redis_url).call("TTL", key))

    remember("ANN", "subscribe", datetime.now(UTC) - timedelta(days=1_000))
    for one in ("subscribe", "unsubscribe"):
        remember("BEN", one)
    with closing(RedisShopStorage(redis_url, 5_000)) as storage:
        assert restore(storage, shop, home) == 3
    left = STANDING_KEPT_S - 1_000 * SECONDS_PER_DAY
    assert left - 60 < life("ANN") <= left + 1
    assert life("BEN") == -1


def test_an_older_mark_of_the_list_changes_nothing(storage: ShopStorage, governed: Governed, home, shop, remember):
    governed.tell("unsubscribe", NOW)
    remember("ANN", "unsubscribe", NOW - DAY)
    assert restore(storage, shop, home) == 0
    assert governed.standing().unsubscribed_at == NOW


def test_an_erased_customer_goes_from_every_version_and_later_ones(storage, home, shop, remember, make_publication):
    def publication(version: str) -> Publication:
        return replace(make_publication(version, LISTS), profiles=make_table(make_profile("ANN"), make_profile("DAN")))

    store = storage.store(shop)
    for version in ("v1", "v2"):
        store.publish(publication(version), keep=3)
    for gone in ("ANN", "DAN", "NOBODY"):
        remember(gone, ERASED)
    assert restore(storage, shop, home) == 3
    keys = [ListKey("discover", "ANN"), ListKey("buy_again", "ANN"), ListKey("discover", "BEN")]
    for version in ("v1", "v2"):
        read = store.read(ListQuery(keys, version))
        assert read is not None
        assert [one is not None for one in read.lists.values()] == [False, False, True]
        assert [store.profile(version, one) for one in ("ANN", "DAN")] == [None, None]
    store.publish(publication("v3"), keep=3)
    assert store.profile("v3", "ANN") is None
    assert len(storage.event_log(shop).erased()) == 3


def test_nothing_that_is_known_here_of_somebody_erased_comes_back(storage, governed: Governed, home, shop, remember):
    remember("ANN", "unsubscribe")
    erase(storage, shop, "ANN", NOW)
    assert restore(storage, shop, home) == 0
    assert governed.standing().unsubscribed_at is None


def test_the_list_collects_what_the_store_knows_and_a_store_that_is_empty_gets_all_of_it(
    storage: ShopStorage, governed: Governed, home, shop, connect
):
    customers = [f"c{number}" for number in range(1_200)]
    for number, customer_id in enumerate(customers):
        governed.tell(("unsubscribe", "subscribe", "mail_bounce", "mail_complaint")[number % 4], NOW, customer_id)
    governed.tell("subscription_start", NOW, "c0")
    erase(storage, shop, "gone", NOW)
    collect(storage, shop, home)
    known = list(SuppressionList(home.suppressions(shop)))
    assert len(known) == 1_201
    assert Suppression(digest_of_person("gone", None), ERASED, to_us(NOW)) in known
    other = f"{shop}-b"
    home.suppressions(shop).rename(home.suppressions(other))
    assert restore(storage, other, home) == 1_201
    assert Governed(storage.event_log(other), storage.contacts(other)).standing("c4").unsubscribed_at == NOW
    refuse_loss(storage, other, home)


def test_a_watch_looks_again_where_another_server_answers(storage: ShopStorage, home, shop, remember, monkeypatch):
    servers, contacts = ["a", "a", "b"], storage.contacts(shop)
    monkeypatch.setattr(contacts, "server", lambda: servers.pop(0))
    monkeypatch.setattr(storage, "contacts", lambda _: contacts)
    check = watch_loss(storage, shop, home)
    check()
    remember("ANN", "unsubscribe")
    check()
    with pytest.raises(StoreError, match="Redis has lost 1"):
        check()


def test_without_a_list_nothing_is_lost(storage: ShopStorage, home, shop):
    refuse_loss(storage, shop, home)
    assert restore(storage, shop, home) == 0
    assert not home.root.exists()
