"""What events change in the next answer, through the API: small_shop.py says what ANNA gets without them."""

from datetime import timedelta
from itertools import count

import pytest
from prometheus_client import REGISTRY

from api import create_app
from recommender.events.event import Event
from recommender.person import digest_of_person
from recommender.publication.lists import fold
from recommender.settings import Settings
from recommender.slate.placements import DEFAULT_PLACEMENTS
from tests.fakes.shops import MemoryShopStorage
from tests.support import small_shop
from tests.support.small_shop import NOW

ids = count()


class Shop:
    """A shop of small_shop's version, at a moment that the test sets."""

    def __init__(self, store, **settings):
        self.now = NOW
        self.store = store
        self.app = create_app(Settings(**settings), MemoryShopStorage({"default": store}), lambda: self.now)
        self.client = self.app.test_client()

    def tell(self, event_type, product_id="MILK", hours_ago=1.0, **fields):
        """One event of ANNA, or of whom `fields` name."""
        person = {} if "session_id" in fields else {"customer_id": "ANNA"}
        at = (self.now - timedelta(hours=hours_ago)).isoformat()
        known = {"event_id": f"e{next(ids)}", "event_type": event_type, "product_id": product_id, "occurred_at": at}
        answer = self.client.post("/v1/events", json={"events": [{**known, **person, **fields}]})
        assert answer.json["accepted"] == 1, answer.json

    def ask(self, customer="ANNA", rest="recommendations"):
        """A personal answer."""
        return self.client.get(f"/v1/customers/{customer}/{rest}").json

    def ask_session(self, **body):
        """A session's answer."""
        return self.client.post("/v1/recommendations", json={"placement": "home", **body}).json


@pytest.fixture
def shop(store):
    return Shop(store)


def lost_impressions():
    return REGISTRY.get_sample_value("reprise_impressions_lost_total")


def shown(answer):
    return [item["product_id"] for item in answer["items"]]


def item_of(answer, product_id):
    return next(item for item in answer["items"] if item["product_id"] == product_id)


class TestPurchase:
    def test_of_what_is_due_makes_it_not_due_with_a_new_date(self, shop):
        assert shown(shop.ask())[0] == "MILK"
        shop.tell("purchase")
        answer = shop.ask()
        assert "MILK" not in shown(answer)
        assert answer["suppressed"]["not_due"] == 2  # with BREAD
        shop.now += timedelta(days=4)
        milk = item_of(shop.ask(rest="buy-again"), "MILK")
        assert milk["due"]["at"] == "2026-11-27"
        assert milk["reason"]["evidence"]["purchases"] == 21

    def test_of_a_new_product_makes_it_the_customers_own(self, shop):
        assert item_of(shop.ask(), "COFFEE")["kind"] == "discover"
        shop.tell("purchase", "COFFEE")
        assert "COFFEE" not in shown(shop.ask())
        shop.now += timedelta(days=20)
        assert item_of(shop.ask(), "COFFEE")["kind"] == "buy_again"

    def test_it_is_not_shown_as_a_best_seller_either(self, shop):
        shop.tell("purchase", "COFFEE", customer_id="nobody")
        assert shown(shop.ask("nobody")) == ["MILK", "BREAD"]

    def test_refunded_it_is_as_it_was(self, shop):
        before = shop.ask()["items"]
        shop.tell("purchase", order_id="o1", hours_ago=2)
        shop.tell("refund", order_id="o1")
        assert shop.ask()["items"] == before

    def test_a_refund_of_the_only_purchase_ends_it(self, shop):
        shop.tell("purchase", "KETTLE", customer_id="x/y", hours_ago=2)
        shop.tell("refund", "KETTLE", customer_id="x/y")
        shop.now += timedelta(days=40)
        assert shown(shop.ask("x/y", "buy-again")) == ["COFFEE"]

    def test_one_before_the_training_changes_nothing(self, shop):
        before = shop.ask()["items"]
        shop.tell("purchase", hours_ago=11)
        assert shop.ask()["items"] == before


class TestNewCustomer:
    def test_the_first_basket_gives_complements_and_no_fallback_reason_of_an_unknown_one(self, shop):
        shop.tell("purchase", "BREAD", customer_id="NEW")
        answer = shop.ask("NEW")
        assert shown(answer) == ["BUTTER", "MILK", "COFFEE"]
        assert answer["items"][0]["reason"]["text"] == "Often bought together with Rye bread"
        assert answer["fallback"] == {"reason": "too_few_candidates", "used": "trending"}

    def test_what_was_folded_in_is_discovered(self, shop, store):
        shop.tell("purchase", "BREAD", customer_id="NEW")
        wire = b"\0" + b"".join(index.to_bytes(4, "little") + b"\0\x38" for index in (7, 6, 2))
        store.event_log.folded[digest_of_person("NEW", None)] = fold(small_shop.VERSION, wire)
        answer = shop.client.get("/v1/customers/NEW/recommendations?limit=5").json
        assert shown(answer) == ["BUTTER", "MILK", "käse 🧀", "a/b c", "COFFEE"]
        assert [item["kind"] for item in answer["items"]] == ["complement"] * 2 + ["discover"] * 3
        assert answer["fallback"] is None

    def test_bought_products_come_back_when_due(self, shop):
        shop.tell("purchase", "BREAD", customer_id="NEW")
        shop.now += timedelta(days=25)
        bread = item_of(shop.ask("NEW", "buy-again"), "BREAD")
        assert (bread["due"]["at"], bread["due"]["interval_days"]) == ("2026-12-20", 30)


class TestComplements:
    def test_of_the_last_order_lead(self, shop):
        assert shown(shop.ask()) == ["MILK", "COFFEE", "BUTTER"]
        shop.tell("purchase", "BREAD")
        answer = shop.ask()
        assert shown(answer) == ["BUTTER", "MILK", "COFFEE"]
        assert answer["items"][0]["kind"] == "complement"

    def test_of_the_cart_lead_and_the_cart_is_not_shown(self, shop):
        shop.tell("add_to_cart", "COFFEE", customer_id="x/y")
        answer = shop.ask("x/y")
        assert shown(answer) == ["MILK", "BREAD"]
        assert answer["items"][0]["reason"]["code"] == "BOUGHT_TOGETHER"
        assert answer["suppressed"] == {"in_cart": 1}

    def test_no_longer_when_taken_out_again(self, shop):
        before = shop.ask()["items"]
        shop.tell("add_to_cart", "BREAD", hours_ago=2)
        shop.tell("remove_from_cart", "BREAD")
        assert shop.ask()["items"] == before

    def test_only_own_products_stay_only_own_products(self, shop):
        shop.tell("add_to_cart", "BREAD")
        assert shown(shop.ask(rest="buy-again")) == ["MILK"]

    def test_a_live_cart_counts_as_one_in_the_body(self, shop):
        shop.tell("add_to_cart", "BREAD", session_id="s1")
        assert shown(shop.ask_session(placement="cart", session_id="s1"))[:2] == ["BUTTER", "MILK"]
        both = shop.ask_session(placement="cart", session_id="s1", cart=["COFFEE"])
        assert shown(both) == ["MILK", "BUTTER"]
        assert both["suppressed"] == {"in_cart": 2}


class TestSession:
    def test_a_view_leads_to_what_resembles_it(self, shop):
        assert shown(shop.ask_session(session_id="s1"))[0] == "COFFEE"
        shop.tell("view", "MILK", session_id="s1")
        answer = shop.ask_session(session_id="s1")
        assert shown(answer)[:2] == ["BUTTER", "käse 🧀"]
        assert answer["items"][0]["reason"]["text"] == "Similar to Whole milk, 1 l"

    def test_another_session_is_not_touched(self, shop):
        shop.tell("view", "MILK", session_id="s1")
        assert shown(shop.ask_session(session_id="s2")) == shown(shop.ask_session())

    def test_a_customers_session_counts_with_the_customer(self, shop):
        shop.tell("add_to_cart", "BREAD", session_id="s1")
        assert shown(shop.ask_session(session_id="s1", customer_id="ANNA")) == ["BUTTER", "MILK", "COFFEE"]


class TestNotInterested:
    def test_hides_at_once_and_for_good(self, shop):
        shop.tell("not_interested")
        answer = shop.ask()
        assert shown(answer) == ["COFFEE", "BUTTER"]
        assert answer["suppressed"] == {"not_interested": 1, "not_due": 1}
        shop.now += timedelta(days=300)
        assert "MILK" not in shown(shop.ask())

    def test_for_that_customer_alone(self, shop):
        shop.tell("not_interested", customer_id="x/y")
        assert shown(shop.ask())[0] == "MILK"
        assert "MILK" not in shown(shop.ask("x/y"))


class TestImpressions:
    def test_what_is_new_and_was_shown_on_three_days_in_vain_sinks(self, shop):
        for days in (3, 2, 1):
            assert shown(shop.ask()) == ["MILK", "COFFEE", "BUTTER"]
            shop.tell("impression", "COFFEE", hours_ago=24 * days)
        assert shown(shop.ask()) == ["MILK", "BUTTER", "COFFEE"]
        shop.tell("click", "COFFEE", hours_ago=0.5)
        assert shown(shop.ask()) == ["MILK", "COFFEE", "BUTTER"]

    def test_it_comes_back_after_a_week(self, shop):
        for days in (3, 2, 1):
            shop.tell("impression", "COFFEE", hours_ago=24 * days)
        shop.now += timedelta(days=7)
        assert [one for one in shown(shop.ask()) if one in ("COFFEE", "BUTTER")] == ["COFFEE", "BUTTER"]

    def test_what_is_due_does_not_sink(self, shop):
        for hours in range(1, 100):
            shop.tell("impression", hours_ago=hours)
        assert shown(shop.ask()) == ["MILK", "COFFEE", "BUTTER"]

    def test_a_placement_may_do_without(self, store):
        shop = Shop(store, placements={"home": {"tire": False}})
        for days in (3, 2, 1):
            shop.tell("impression", "COFFEE", hours_ago=24 * days)
        assert shown(shop.ask()) == ["MILK", "COFFEE", "BUTTER"]

    def test_where_it_is_a_setting_the_server_notes_what_it_shows(self, store):
        shop = Shop(store, log_impressions=True)
        for _ in range(3):
            assert shown(shop.ask()) == ["MILK", "COFFEE", "BUTTER"]
            shop.app.extensions["reprise"].impressions.flush()
        noted = [event for (part, _), events in store.event_log.recent.items() if part == "shown" for event in events]
        assert sorted(event.product_id for event in noted) == ["BUTTER", "COFFEE", "MILK"]
        archived = [Event.from_json(entry.wire) for entry in store.event_log.queue.entries.values()]
        assert {event.placement for event in archived} == {"home"}
        assert len({event.recommendation_id for event in archived}) == 3

    def test_a_session_without_a_name_is_not_noted(self, store):
        shop = Shop(store, log_impressions=True)
        shop.tell("view", session_id="s1")
        shop.ask_session(cart=["BREAD"])
        shop.ask_session(session_id="s1", cart=["BREAD"])
        shop.app.extensions["reprise"].impressions.flush()
        assert {key for key in store.event_log.recent if store.event_log.recent[key]} == {
            (part, digest_of_person(None, "s1")) for part in ("session", "shown")
        }

    def test_a_session_that_did_nothing_leaves_nothing_but_what_is_archived(self, store):
        shop = Shop(store, log_impressions=True)
        shop.ask_session(session_id="made-up", cart=["BREAD"])
        shop.app.extensions["reprise"].impressions.flush()
        assert len(store.event_log.queue.entries) > 0
        assert not any(store.event_log.recent.values())

    def test_impressions_give_way_to_what_a_shop_tells(self, store):
        shop, before = Shop(store, log_impressions=True, max_waiting_events=10), lost_impressions()
        for number in range(20):
            shop.ask_session(session_id=f"made-up-{number}", cart=["BREAD"])
            shop.app.extensions["reprise"].impressions.flush()
        waiting = len(store.event_log.queue.entries)
        assert 0 < waiting <= 5
        assert lost_impressions() - before > 10
        for _ in range(10 - waiting):
            shop.tell("purchase")
        assert len(store.event_log.queue.entries) == 10


class TestRotation:
    @pytest.fixture
    def alike(self, store):
        rows = {**small_shop.ROWS, "discover": {"ANNA": small_shop.model((2, 0.6), (3, 0.5), (6, 0.45), (7, 0.4))}}
        tables = {name: small_shop.table(name, lists) for name, lists in rows.items()}
        publication = small_shop.publication("20261120T030000Z-aaaa")
        counts = {name: len(table) for name, table in tables.items()}
        manifest = type(publication.manifest)(**{**publication.manifest.to_dict(), "lists": counts})
        store.publish(type(publication)(manifest, publication.products, tables), keep=3)
        return Shop(store)

    def days(self, shop, placement):
        slates = []
        for _ in range(12):
            slates.append(tuple(shown(shop.client.get(f"/v1/customers/ANNA/recommendations?{placement}").json)))
            shop.now += timedelta(days=1)
        return slates

    def test_home_changes_day_by_day(self, alike):
        days = self.days(alike, "mix=discover")
        assert len(set(days)) > 3
        assert {frozenset(day) for day in days} == {frozenset({"COFFEE", "BUTTER", "a/b c", "käse 🧀"})}

    def test_a_day_has_one_slate(self, alike):
        assert alike.ask()["items"] == alike.ask()["items"]

    def test_other_placements_do_not(self, alike):
        assert len(set(self.days(alike, "mix=discover&placement=email&limit=4"))) == 1
        assert [name for name, placement in DEFAULT_PLACEMENTS.items() if placement.rotate] == ["home"]

    def test_what_is_likelier_keeps_its_place_among_the_customers_own(self, alike):
        kinds = [item["kind"] for item in alike.ask()["items"]]
        assert kinds == ["buy_again", "discover", "discover", "discover", "discover"]


def test_a_personal_answer_is_one_read(shop, store):
    for event_type in ("purchase", "view", "add_to_cart", "impression", "not_interested"):
        shop.tell(event_type, "BREAD")
    shop.ask_session()  # opens the shop
    before = store.reads
    shop.ask()
    shop.ask_session(customer_id="ANNA", session_id="s1")
    assert store.reads == before + 2


def test_a_session_that_is_not_named_needs_no_read(shop, store):
    shop.ask()
    before = store.reads
    shop.ask_session()
    assert store.reads == before
