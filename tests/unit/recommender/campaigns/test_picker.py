"""What one customer is shown."""

import pytest

from recommender.catalogue.overrides import ProductChange
from recommender.publication.product import Product
from recommender.slate.placements import Pin
from tests.support.campaigns import EMAIL, CampaignShop, Customer, Own, make_version, shown
from tests.support.small_shop import NOW

LETTERS = list("ABCDEFGHIJ")
FALLING = {letter: 0.5 - 0.04 * place for place, letter in enumerate(LETTERS)}


def shop_of(customer, **parts):
    placement = parts.pop("placement", EMAIL)
    products = parts.pop("products", [*LETTERS, "MILK", "TEA"])
    return CampaignShop(make_version({"ANNA": customer}, products, **parts), placement)


def picks(shop, name="c", audience="everyone", **terms):
    return shop.run(name, audience, **terms)["ANNA"]


def lost(own, discover=None):
    return Customer(own, discover or {}, {"usual_gap_days": 7.0})


def test_the_likeliest_come_first_then_spares_in_order():
    outcome = picks(shop_of(Customer(discover=FALLING)))
    assert shown(outcome) == ["A", "B", "C", "D"]
    assert outcome.picks.spares == ("E", "F", "G")
    assert [item.rank for item in outcome.picks.items] == [1, 2, 3, 4]


@pytest.mark.parametrize(("slots", "n"), [(1, 1), (3, 3), (8, 8), (50, 8)])
def test_slots_are_clamped_by_the_cap(slots, n):
    assert len(shown(picks(shop_of(Customer(discover=FALLING)), slots=slots))) == n


def test_a_short_mail_is_not_filled():
    outcome = picks(shop_of(Customer(discover={"A": 0.5, "B": 0.005})), audience="everyone")
    assert (shown(outcome), outcome.picks.spares) == (["A"], ())


class TestNothingGoodEnough:
    def test_under_the_floor_there_is_no_mail(self):
        outcome = picks(shop_of(Customer(discover={"A": 0.009}), popular=["B"]))
        assert (outcome.picks, outcome.reason) == (None, "nothing_good_enough")

    def test_best_sellers_fill_a_mail_to_everyone_but_are_no_reason_for_one(self):
        assert shown(picks(shop_of(Customer(discover={"A": 0.5}), popular=["B", "C"]))) == ["A", "B", "C"]

    def test_best_sellers_do_not_fill_a_mail_about_what_is_due(self):
        shop = shop_of(Customer([Own("MILK", days_ago=6)]), popular=["B", "C"])
        assert shown(picks(shop, audience="due_soon")) == ["MILK"]

    def test_a_mail_about_what_is_due_needs_it(self):
        shop = shop_of(Customer([Own("MILK", days_ago=6)], FALLING))
        assert shown(picks(shop, "first", "due_soon"))[0] == "MILK"
        assert picks(shop, "again", "due_soon", days=1).reason == "nothing_good_enough"  # reminded in vain
        assert shown(picks(shop, "other", "everyone", days=2)) == ["D", "E", "F", "G"]

    def test_a_mail_about_the_last_order_needs_what_goes_with_it(self):
        customer = Customer([Own("TEA", days_ago=5)], FALLING)
        assert picks(shop_of(customer), audience="post_purchase").reason == "nothing_good_enough"
        assert shown(picks(shop_of(customer, together={"TEA": {"J": 2.0}}), audience="post_purchase"))[0] == "J"

    def test_a_placement_without_fallbacks_has_none(self):
        placement = EMAIL.model_copy(update={"fallbacks": ()})
        assert shown(picks(shop_of(Customer(discover={"A": 0.5}), popular=["B"], placement=placement))) == ["A"]


class TestOrder:
    def test_what_is_due_leads_due_soon(self):
        customer = Customer([Own("TEA", 0.9, days_ago=45, gap_days=80), Own("MILK", 0.3, days_ago=6)], {"A": 0.8})
        assert shown(picks(shop_of(customer), audience="due_soon")) == ["MILK", "TEA", "A"]
        assert shown(picks(shop_of(customer), audience="everyone")) == ["TEA", "A", "MILK"]

    def test_what_was_bought_most_leads_half_of_win_back(self):
        own = [Own("A", 0.3, 90, times=1), Own("B", 0.2, 90, times=9), Own("C", 0.1, 90, times=5)]
        assert shown(picks(shop_of(lost(own, {"D": 0.25})), audience="win_back")) == ["B", "C", "A", "D"]

    def test_the_lost_are_reached_whatever_the_floor_by_favourites_and_their_categories(self):
        """What the model says of somebody who has not been there for a year is under every floor."""
        own = [Own("A", 0.001, 400, times=9), Own("B", 0.002, 400, times=2)]
        products = [Product("A", category="Tea"), Product("B", category="Tea"), Product("C", category="Tea"), *"DE"]
        best = {"popular": ["D", "E"], "best_of": {"Tea": ["A", "C"]}}
        outcome = picks(shop_of(lost(own), products=products, **best), audience="win_back")
        assert shown(outcome) == ["A", "B", "C", "D"]
        assert outcome.picks.items[2].reason.code == "BEST_SELLER"
        gone = [Product("A", category="Tea", in_stock=False), *products[2:]]
        assert shown(picks(shop_of(lost(own[:1]), products=gone, **best), audience="win_back")) == ["C", "D", "E"]
        assert (
            picks(shop_of(Customer(own), products=products, **best), audience="everyone").reason
            == "nothing_good_enough"
        )

    def test_complements_of_the_last_order_lead_post_purchase(self):
        customer = Customer([Own("TEA", 0.9, days_ago=5, gap_days=5), Own("MILK", days_ago=100)], {"A": 0.8})
        goes_with = {"TEA": {"B": 3.0, "MILK": 2.0}, "MILK": {"J": 9.0}}
        outcome = picks(shop_of(customer, together=goes_with), audience="post_purchase")
        assert shown(outcome) == ["B", "TEA", "A", "MILK"]
        assert outcome.picks.items[0].reason == ("BOUGHT_TOGETHER", {"because": "TEA"})

    @pytest.mark.parametrize(("mix", "ids"), [("buy_again", ["MILK"]), ("discover", ["A"]), ("auto", ["MILK", "A"])])
    def test_the_mix_of_the_placement_counts(self, mix, ids):
        placement = EMAIL.model_copy(update={"mix": mix, "fallbacks": ()})
        customer = Customer([Own("MILK", 0.9, days_ago=6)], {"A": 0.4})
        assert shown(picks(shop_of(customer, placement=placement), audience="everyone")) == ids

    def test_pins_have_their_place_and_are_no_spares(self):
        placement = EMAIL.model_copy(
            update={"pins": (Pin(position=2, product_id="MILK"), Pin(position=6, product_id="TEA"))}
        )
        outcome = picks(shop_of(Customer(discover=FALLING), placement=placement))
        assert shown(outcome) == ["A", "MILK", "B", "C"]
        assert outcome.picks.spares == ("D", "E", "F")


class TestLeftOut:
    def test_what_is_sold_out_is_replaced(self):
        shop = shop_of(Customer(discover=FALLING))
        shop.store.update_products(
            [ProductChange("A", "put", {"in_stock": False}), ProductChange("C", "put", {"blocked": True})]
        )
        assert shown(picks(shop)) == ["B", "D", "E", "F"]

    def test_a_live_price_is_shown(self):
        shop = shop_of(Customer(discover={"A": 0.5}), products=[Product("A", price="2.00")])
        shop.store.update_products([ProductChange("A", "patch", {"price": "1.50"})])
        assert picks(shop).picks.items[0].product.price == "1.50"

    def test_what_is_under_subscription_or_not_wanted_is_not_shown(self):
        shop = shop_of(Customer([Own("MILK", 0.9, days_ago=6)], FALLING))
        shop.tell("subscription_start", "ANNA", "MILK")
        shop.tell("not_interested", "ANNA", "B")
        assert shown(picks(shop)) == ["A", "C", "D", "E"]

    def test_what_was_just_bought_is_not_shown(self):
        shop = shop_of(Customer([Own("MILK", 0.9, days_ago=6)], {"A": 0.4}))
        shop.tell("purchase", "ANNA", "MILK")
        assert shown(picks(shop)) == ["A"]


class TestRotation:
    def test_each_campaign_shows_others_until_all_were_shown(self):
        shop = shop_of(Customer(discover=FALLING))
        seen = [shown(picks(shop, f"w{week}", slots=3, days=7 * week)) for week in range(5)]
        assert seen == [["A", "B", "C"], ["D", "E", "F"], ["G", "H", "I"], ["J", "A", "B"], ["C", "D", "E"]]

    def test_the_same_campaign_shows_the_same_again(self):
        shop = shop_of(Customer(discover=FALLING))
        first = picks(shop, "w0")
        picks(shop, "w1", days=1)
        assert picks(shop, "w0") == first

    def test_what_was_bought_since_does_not_sink(self):
        shop = shop_of(Customer([Own("MILK", 0.9, days_ago=6)], {"A": 0.4, "B": 0.3}))
        assert shown(picks(shop, "w0", slots=2)) == ["MILK", "A"]
        shop.tell("purchase", "ANNA", "MILK")
        assert shown(picks(shop, "w1", slots=2, days=7)) == ["MILK", "B"]


class TestMoment:
    def test_an_order_after_the_beginning_does_not_change_the_picks(self):
        shop = shop_of(Customer([Own("MILK", 0.9, days_ago=6)], FALLING))
        campaign = shop.begin("c")
        before = shop.outcomes(campaign, rehearse=True)
        shop.tell("purchase", "ANNA", "MILK", at=NOW.replace(hour=18))
        shop.tell("view", "ANNA", "J", at=NOW.replace(hour=11))
        assert shop.outcomes(campaign) == before
