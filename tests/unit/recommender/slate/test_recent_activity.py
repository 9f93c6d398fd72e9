"""What live events change: each case is small enough to be worked out by eye."""

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from recommender.catalogue.catalogue import Catalogue
from recommender.catalogue.overrides import OverriddenCatalogue, ProductOverrides, Record
from recommender.events.event import Event
from recommender.events.recent import RecentActivity
from recommender.person import digest_of_person
from recommender.publication.lists import ListKey, Own, PublishedList, Ranked, fold
from recommender.publication.product import Product, Rhythm
from recommender.slate.candidates import NOTHING_BOUGHT
from recommender.slate.customer_view import CustomerView
from recommender.slate.reading import FetchedLists
from recommender.slate.recent_activity import NOTHING, ActivityEffects, apply_activity, observe

AS_OF = datetime(2026, 11, 20, 2, tzinfo=UTC)
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
TODAY = (NOW - datetime(1970, 1, 1, tzinfo=UTC)).days
VERSION = "20261120T020000Z-3f2a"
WEEK = math.log(7)
ANNA = digest_of_person("ANNA", None)
OWN, DISCOVER = ListKey("buy_again", "ANNA"), ListKey("discover", "ANNA")
MILK, BREAD, TEA = range(3)
PRODUCTS = [Product("MILK", "Whole milk"), Product("BREAD"), Product("TEA", rhythm=Rhythm(math.log(20), 0.5, 0.8))]
INDICES = {product.product_id: index for index, product in enumerate(PRODUCTS)}
MILK_BEFORE = Own(MILK, 0.75, TODAY - 6, 20, WEEK, 0.25, 0.5)
BREAD_BEFORE = Own(BREAD, 0.5, TODAY - 9, 1, WEEK, 0.25, 0.5)


def event(event_type: str, product_id: str = "MILK", hours_ago: float = 1, **fields) -> bytes:
    at = NOW - timedelta(hours=hours_ago)
    known = {"event_id": "e", "customer_id": "ANNA", "product_id": product_id, "occurred_at": at}
    return Event(event_type=event_type, **{**known, **fields}).to_json()


def look(*own: Own, discover: Sequence[Ranked] | None = (), **recent) -> tuple[FetchedLists, ActivityEffects]:
    """ANNA's lists and what is at hand of her, refreshed."""
    lists = {
        OWN: PublishedList.of_own(own) if own else None,
        DISCOVER: None if discover is None else PublishedList("discover", b"\0"),
    }
    products = Catalogue({index: product.to_json() for index, product in enumerate(PRODUCTS)})
    live = {ANNA: replace(RecentActivity(indices=INDICES), **recent)}
    return apply_activity(FetchedLists(VERSION, lists, products, live), "ANNA", [ANNA], NOW)


def own_after(*orders: bytes, before: Sequence[Own] = (MILK_BEFORE, BREAD_BEFORE)) -> dict[int, Own]:
    reading, _ = look(*before, orders=orders)
    return {own.product_index: own for own in reading.lists[OWN] or ()}


def observed(now: datetime = NOW, **recent) -> ActivityEffects:
    return observe([RecentActivity(**recent)], AS_OF.timestamp(), now.timestamp())


class TestPurchases:
    def test_a_purchase_moves_the_product_to_its_new_day_and_chance(self):
        moved = own_after(event("purchase"))[MILK]
        assert (moved.last_day, moved.purchases, moved.log_gap) == (TODAY, 21, pytest.approx(WEEK, abs=0.001))
        # half of its buyers come back in rhythm, nearly all of these within 30 days, and some late
        assert moved.score == pytest.approx(0.591, abs=0.01)
        assert own_after(event("purchase"))[BREAD] == BREAD_BEFORE._replace(log_gap=moved.log_gap)

    def test_what_the_training_knew_is_not_counted_again(self):
        at = AS_OF - timedelta(seconds=1)
        assert own_after(event("purchase", occurred_at=at))[MILK].purchases == 20
        assert own_after(event("purchase", occurred_at=AS_OF))[MILK].purchases == 21

    def test_two_lines_of_one_order_are_one_purchase(self):
        two = [event("purchase", order_id="1"), event("purchase", order_id="1", hours_ago=2)]
        assert own_after(*two)[MILK].purchases == 21
        assert own_after(*two, event("purchase", order_id="2"))[MILK].purchases == 22

    def test_without_order_ids_a_day_is_an_order(self):
        assert own_after(event("purchase", hours_ago=1), event("purchase", hours_ago=2))[MILK].purchases == 21

    def test_a_product_never_bought_before_becomes_the_customers_own(self):
        new = own_after(event("purchase", "TEA"))[TEA]
        assert (new.last_day, new.purchases) == (TODAY, 1)
        assert math.exp(new.log_gap) == pytest.approx(20, abs=0.1)

    def test_one_without_a_published_rhythm_is_taken_for_a_monthly_one(self):
        assert math.exp(own_after(event("purchase", "BREAD"), before=[])[BREAD].log_gap) == pytest.approx(30, abs=0.1)

    def test_a_product_that_the_version_does_not_know_changes_nothing(self):
        assert own_after(event("purchase", "NEW")) == own_after()

    def test_one_that_no_training_has_seen_is_bought_like_any_other(self):
        said = ProductOverrides().change([Record("NEW", 1, b'{"title":"New"}', trained=False)])
        products = OverriddenCatalogue(Catalogue({}), said)
        reading = FetchedLists(VERSION, {OWN: None}, products, {ANNA: RecentActivity([event("purchase", "NEW")])})
        (own,) = apply_activity(reading, "ANNA", [ANNA], NOW)[0].lists[OWN]
        assert (products[own.product_index].title, own.last_day) == ("New", TODAY)

    def test_a_version_without_indices_finds_what_the_customer_bought_before(self):
        reading, _ = look(MILK_BEFORE, orders=[event("purchase"), event("purchase", "TEA")], indices={})
        assert [own.purchases for own in reading.lists[OWN]] == [21]

    def test_a_list_without_probabilities_keeps_its_order_and_gets_the_moved_ones_behind(self):
        before = [own._replace(score=math.nan) for own in (MILK_BEFORE, BREAD_BEFORE)]
        assert list(own_after(event("purchase"), before=before)) == [BREAD, MILK]

    def test_nobody_elses_list_appears(self):
        reading, _ = look(session=[event("view")], discover=None)
        assert reading.lists[OWN] is None


class TestRefunds:
    def test_of_the_same_order_takes_the_purchase_back(self):
        bought = [event("purchase", order_id="1", hours_ago=3), event("purchase", order_id="2", hours_ago=2)]
        after = own_after(*bought, event("refund", order_id="1"))[MILK]
        assert after.purchases == 21
        assert (
            own_after(*bought, event("refund", order_id="1"), event("refund", order_id="2"))[MILK] == own_after()[MILK]
        )

    def test_without_an_order_takes_the_latest_back(self):
        bought = [event("purchase", order_id="1", hours_ago=30), event("purchase", order_id="2", hours_ago=2)]
        assert own_after(*bought, event("refund"))[MILK].last_day == TODAY - 6

    def test_of_a_purchase_from_before_the_training_leaves_one_less(self):
        after = own_after(event("refund"))[MILK]
        assert (after.purchases, after.last_day, after.score) == (19, TODAY - 6, 0.75)

    def test_of_the_only_purchase_leaves_no_own_product(self):
        assert list(own_after(event("refund", "BREAD"))) == [MILK]

    def test_that_the_training_knew_is_not_counted_again(self):
        assert own_after(event("refund", hours_ago=11))[MILK].purchases == 20

    def test_of_a_purchase_at_hand_that_the_training_knew(self):
        known = event("purchase", hours_ago=24, order_id="1")
        assert own_after(known, event("refund", order_id="1"))[MILK].purchases == 19

    def test_of_a_part_takes_nothing_back(self):
        assert own_after(event("purchase", quantity=3.0), event("refund", quantity=2.0))[MILK].purchases == 21

    def test_what_is_bought_after_it_stays(self):
        again = [event("purchase", hours_ago=3), event("refund", hours_ago=2), event("purchase", hours_ago=1)]
        assert own_after(*again)[MILK].purchases == 21


class TestCart:
    def test_holds_what_was_put_in_and_neither_taken_out_nor_bought(self):
        session = [event("add_to_cart", one, 3) for one in ("MILK", "BREAD", "TEA")]
        live = observed(session=[event("remove_from_cart", "BREAD", 2), *session], orders=[event("purchase", "TEA", 1)])
        assert live.cart == {"MILK"}

    def test_what_is_put_in_again_is_in_it(self):
        session = [event("add_to_cart", hours_ago=1), event("remove_from_cart", hours_ago=2)]
        assert observed(session=session, orders=[event("purchase", hours_ago=3)]).cart == {"MILK"}

    def test_the_moment_counts_not_the_order_of_arrival(self):
        session = [event("add_to_cart", hours_ago=2), event("remove_from_cart", hours_ago=1)]
        assert observed(session=session).cart == frozenset()


class TestLeads:
    def test_the_cart_leads_then_the_last_order(self):
        orders = [event("purchase", "TEA", 1, order_id="2"), event("purchase", "BREAD", 3, order_id="1")]
        live = observed(orders=orders, session=[event("add_to_cart", "MILK", 2)])
        assert live.lead == ["MILK", "TEA"]

    def test_an_order_leads_for_three_days(self):
        orders = [event("purchase", "TEA", 1)]
        assert observed(NOW + timedelta(days=2.9), orders=orders).lead == ["TEA"]
        assert observed(NOW + timedelta(days=3), orders=orders).lead == []

    def test_what_was_taken_back_does_not_lead(self):
        assert observed(orders=[event("refund", hours_ago=1), event("purchase", hours_ago=2)]).lead == []

    def test_views_lead_latest_first_each_once(self):
        session = [event("view", "TEA", 1), event("view", "MILK", 2), event("view", "TEA", 3), event("view", "OLD", 80)]
        assert observed(session=session).viewed == ["TEA", "MILK"]


SHOWN = [event("impression", hours_ago=24 * days) for days in (1, 2, 3)]


class TestTired:
    def test_after_three_days_without_a_click(self):
        assert observed(shown=SHOWN[:2]).tired == frozenset()
        assert observed(shown=SHOWN).tired == {"MILK"}

    @pytest.mark.parametrize("hours", [1, 30])
    def test_a_day_counts_once_and_today_from_tomorrow_on(self, hours):
        again = [event("impression", hours_ago=hours + i / 10) for i in range(20)]
        assert observed(shown=[*again, SHOWN[0], SHOWN[1]]).tired == frozenset()

    @pytest.mark.parametrize(("clicked", "tired"), [(2, False), (49, False), (96, True)])
    def test_a_click_counts_what_was_shown_before_it_off(self, clicked, tired):
        assert bool(observed(shown=SHOWN, session=[event("click", hours_ago=clicked)]).tired) is tired

    def test_a_week_later_it_is_rested(self):
        assert observed(NOW + timedelta(days=4.4), shown=SHOWN).tired == {"MILK"}
        assert observed(NOW + timedelta(days=4.6), shown=SHOWN).tired == frozenset()


class TestRefresh:
    def test_nothing_at_hand_leaves_the_very_reading(self):
        lists = {OWN: PublishedList.of_own([MILK_BEFORE])}
        reading = FetchedLists(VERSION, lists, Catalogue({}), {ANNA: RecentActivity()})
        assert apply_activity(reading, "ANNA", [ANNA], NOW) == (reading, NOTHING)
        assert apply_activity(reading, "ANNA", [ANNA], NOW)[0] is reading

    def test_in_an_outage_nothing_is_known(self):
        reading = FetchedLists(VERSION, {OWN: None}, Catalogue({}), stale=True)
        assert apply_activity(reading, "ANNA", [ANNA], NOW) == (reading, NOTHING)

    @pytest.mark.parametrize(("version", "expected"), [(VERSION, [TEA]), ("20261119T020000Z-3f2a", None)])
    def test_a_customer_without_a_list_discovers_what_was_folded_in_for_this_version(self, version, expected):
        reading, _ = look(discover=None, folded=fold(version, b"\0\2\0\0\0\0\x38"))
        found = reading.lists[DISCOVER]
        assert (None if found is None else [record.product_index for record in found]) == expected
        assert all(math.isnan(record.score) for record in found or ())

    def test_a_published_list_is_not_replaced(self):
        reading, _ = look(folded=fold(VERSION, b"\0\2\0\0\0\0\x38"))
        assert reading.lists[DISCOVER].records == []

    def test_customer_and_session_count_as_one(self):
        session = RecentActivity(session=[event("add_to_cart", "TEA")], indices=INDICES)
        customer = RecentActivity(orders=[event("purchase", "BREAD")], hidden=frozenset({"OLD"}))
        live = observe([customer, session], AS_OF.timestamp(), NOW.timestamp())
        assert (live.lead, live.hidden) == (["TEA", "BREAD"], {"OLD"})

    def test_nonsense_among_the_events_is_passed_over(self):
        nonsense = [b"", b"{", b"[]", b"3", b'{"event_type":"view"}', b'{"occurred_at":4,"product_id":"A"}']
        assert observed(orders=nonsense, session=nonsense, shown=nonsense) == observed()

    def test_leads_are_called_by_their_title(self):
        reading, live = look(MILK_BEFORE, session=[event("view", "MILK"), event("view", "TEA"), event("view", "NEW")])
        view = CustomerView(reading, [], live, NOTHING_BOUGHT, 0)
        assert [view.title_of(one) for one in ("MILK", "TEA", "NEW")] == ["Whole milk", None, None]
        assert {"MILK", "TEA"} <= live.indices.keys()


@pytest.mark.parametrize("field", ["product_id", "event_type", "order_id", "quantity", "occurred_at"])
@pytest.mark.parametrize("value", [{}, [], 3, "x"])
def test_a_field_that_cannot_be_changes_no_others(field, value):
    good = event("add_to_cart", "TEA")
    odd = json.dumps({**json.loads(event("purchase", "BREAD")), field: value}).encode()
    assert observed(orders=[odd], session=[good, odd], shown=[odd]).cart == {"TEA"}
