"""A person's answer is made again only where something that it was made of has changed."""

from datetime import timedelta
from itertools import count

import pytest

from api import create_app
from api.serving import slates
from recommender.experiments.experiment import Experiment
from recommender.settings import Settings
from recommender.slate.placements import Placement
from tests.fakes.shops import MemoryShopStorage
from tests.fakes.versions import MemoryVersionStore
from tests.support import small_shop
from tests.support.small_shop import NOW

ANNA = "/v1/customers/ANNA/recommendations"


class Shop:
    """A shop whose slates are counted as they are built, at a moment that the test sets."""

    def __init__(self, monkeypatch, **settings):
        self.now, self.built, self._ids = NOW, 0, count()
        self.store = MemoryVersionStore()
        self.store.publish(small_shop.publication(), keep=3)
        self.app = create_app(Settings(**settings), MemoryShopStorage({"default": self.store}), lambda: self.now)
        self.client = self.app.test_client()
        build = slates.build_slate

        def build_and_count(*given, **named):
            self.built += 1
            return build(*given, **named)

        monkeypatch.setattr(slates, "build_slate", build_and_count)

    def ask(self, path=ANNA):
        """An answer, without its own id."""
        answer = self.client.get(path)
        assert answer.status_code == 200, answer.text
        return {name: value for name, value in answer.json.items() if name != "recommendation_id"}

    def built_by(self, *paths):
        """Slates that are built to answer these."""
        before = self.built
        for path in paths:
            self.ask(path)
        return self.built - before

    def tell(self, event_type, product_id, customer_id="ANNA"):
        event = {"event_id": f"e{next(self._ids)}", "event_type": event_type, "product_id": product_id}
        event |= {"occurred_at": (self.now - timedelta(hours=1)).isoformat(), "customer_id": customer_id}
        assert self.client.post("/v1/events", json={"events": [event]}).json["accepted"] == 1

    def follow(self):
        self.app.extensions["reprise"].shops.follow()


@pytest.fixture
def shop(monkeypatch) -> Shop:
    return Shop(monkeypatch)


def test_the_same_question_gets_the_same_answer_under_an_id_of_its_own(shop: Shop):
    first, again = shop.client.get(ANNA), shop.client.get(ANNA)
    own_ids = [answer.json["recommendation_id"] for answer in (first, again)]
    assert own_ids[0] != own_ids[1]
    assert again.data == first.data.replace(own_ids[0].encode(), own_ids[1].encode())
    assert {name for name, _ in again.headers} == {name for name, _ in first.headers}
    assert shop.built == 1


@pytest.mark.parametrize("path", [f"{ANNA}?limit=1", "/v1/customers/ANNA/buy-again", "/v1/customers/nobody/buy-again"])
def test_another_question_is_another_answer(shop: Shop, path: str):
    assert shop.built_by(ANNA, path, path) == 2


def test_it_is_counted_like_any_other(shop: Shop):
    def shown() -> float:
        lines = shop.client.get("/metrics").text.splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.startswith("reprise_slate_items_total"))

    before, n_items = shown(), len(shop.ask()["items"])
    shop.ask()
    assert shown() - before == 2 * n_items > 0


@pytest.mark.parametrize(
    ("event_type", "product_id"), [("view", "COFFEE"), ("purchase", "MILK"), ("add_to_cart", "COFFEE")]
)
def test_an_event_of_the_person_is_another_answer_at_once(shop: Shop, event_type: str, product_id: str):
    shop.ask()
    shop.tell(event_type, product_id)
    assert shop.built_by(ANNA) == 1


def test_the_events_that_it_was_made_of_count_in_its_memory(shop: Shop):
    def n_bytes_of_an_answer() -> int:
        repeats = shop.app.extensions["reprise"].shops.cache("default").state.repeats
        before = repeats.n_bytes
        shop.ask(f"{ANNA}?exclude=x{next(shop._ids)}")
        return repeats.n_bytes - before

    without = n_bytes_of_an_answer()
    for _ in range(20):
        shop.tell("view", "COFFEE")
    assert n_bytes_of_an_answer() > without + 20 * 2 * len('{"event_id":"e1","event_type":"view"}')


def test_all_of_whom_nothing_is_known_get_the_same(shop: Shop):
    strangers = [f"/v1/customers/stranger-{i}/recommendations" for i in range(3)]
    assert shop.built_by(*strangers, ANNA, *strangers) == 2
    assert shop.ask(strangers[0]) == shop.ask(strangers[1]) != shop.ask()
    assert shop.built_by(f"{strangers[0]}?limit=1", strangers[0].replace("recommendations", "buy-again")) == 2


def test_until_they_do_something(shop: Shop):
    strangers = [f"/v1/customers/stranger-{i}/recommendations" for i in range(2)]
    alike = shop.ask(strangers[0])
    shop.tell("add_to_cart", alike["items"][0]["product_id"], "stranger-1")
    assert shop.ask(strangers[1])["suppressed"] == {"in_cart": 1}
    assert shop.ask(strangers[0]) == alike


def test_a_customer_named_like_the_route_is_still_one_of_their_own(shop: Shop):
    rule = "/v1/customers/<shop_id:customer_id>/recommendations"
    alike = shop.ask("/v1/customers/stranger/recommendations")
    shop.tell("add_to_cart", alike["items"][0]["product_id"], "<shop_id:customer_id>")
    assert shop.ask(rule)["suppressed"] == {"in_cart": 1}
    assert shop.ask("/v1/customers/stranger/recommendations") == alike


def test_a_minute_later_it_is_made_anew(shop: Shop):
    assert shop.built_by(ANNA) == 1
    shop.now += timedelta(seconds=59)
    assert shop.built_by(ANNA) == 0
    shop.now += timedelta(seconds=1)
    assert shop.built_by(ANNA) == 1


def test_a_rule_that_begins_within_the_minute_counts_from_then_on(monkeypatch):
    begins = NOW + timedelta(seconds=30)
    pin = {"product_id": "KETTLE", "position": 1, "from": begins.isoformat()}
    placements = {"home": Placement.model_validate({"cap": 3, "default_limit": 3, "pins": [pin]})}
    shop = Shop(monkeypatch, placements=placements)
    assert shop.ask()["items"][0]["product_id"] != "KETTLE"
    shop.now = begins
    assert shop.ask()["items"][0]["product_id"] == "KETTLE"


def test_so_is_it_for_another_placement_version_or_product(shop: Shop):
    shop.ask()
    changes = [
        lambda: shop.store.place("home", Placement(cap=1, default_limit=1)),
        lambda: shop.store.publish(small_shop.publication(version="20261121T020000Z-0001"), keep=3),
        lambda: shop.client.patch("/v1/products/COFFEE", json={"in_stock": False}),
    ]
    for change in changes:
        change()
        shop.follow()
        assert shop.built_by(ANNA, ANNA) == 1


def test_an_answer_that_is_noted_is_always_made(monkeypatch):
    assert Shop(monkeypatch, log_impressions=True).built_by(ANNA, ANNA) == 2
    tried = Experiment(name="x", variants={"a": 1, "b": 1})
    assert Shop(monkeypatch, experiments=[tried]).built_by(ANNA, ANNA) == 2


def test_a_last_copy_is_not_taken_for_what_redis_says(shop: Shop):
    cache = shop.app.extensions["reprise"].shops.cache("default")
    shop.ask()
    cache.answering = False
    assert shop.ask()["fallback"]["reason"] == "store_unavailable"
    cache.answering = True
    assert shop.ask()["fallback"] is None
