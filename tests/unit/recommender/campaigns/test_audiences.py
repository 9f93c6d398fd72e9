"""Who is in which audience, customer by customer."""

import pytest

from recommender.campaigns.audiences import AUDIENCES, find_audience
from recommender.campaigns.customer_list import CustomerList
from recommender.campaigns.run import run_campaign
from recommender.catalogue.overrides import ProductChange
from recommender.errors import UsageError
from recommender.publication.product import Product
from tests.support.campaigns import CampaignShop, Customer, Own, make_version
from tests.support.small_shop import NOW, TODAY

PRODUCTS = ["MILK", "BREAD", "TEA", Product("GONE", in_stock=False)]


def members(customers, audience, **terms):
    return set(CampaignShop(make_version(customers, PRODUCTS)).run(audience=audience, **terms))


class TestDueSoon:
    @pytest.mark.parametrize(
        ("own", "is_in"),
        [
            (Own("MILK", days_ago=6, gap_days=7), True),  # tomorrow
            (Own("MILK", days_ago=4, gap_days=7), True),  # in three days
            (Own("MILK", days_ago=1, gap_days=7), False),  # in six days, but just bought
            (Own("MILK", days_ago=0, gap_days=1), False),  # bought today
            (Own("MILK", days_ago=30, gap_days=60), False),  # in a month
            (Own("MILK", days_ago=60, gap_days=7), False),  # long past
            (Own("MILK", days_ago=6, gap_days=7, share=0.02), False),  # hardly anybody buys it again
            (Own("GONE", days_ago=6, gap_days=7), False),  # sold out
        ],
    )
    def test_is_about_one_product_that_is_due(self, own, is_in):
        assert ("ANNA" in members({"ANNA": Customer([own])}, "due_soon")) is is_in

    def test_says_what_is_due_and_when(self):
        shop = CampaignShop(make_version({"ANNA": Customer([Own("MILK", days_ago=6)])}, [Product("MILK", "Milk")]))
        (block,) = run_campaign(shop.begin("c", "due_soon"), shop.context)
        assert block.why == {"ANNA": "Milk is due on 2026-11-21, 50 % likely to be bought"}

    @pytest.mark.parametrize(
        ("own", "chance"),
        [
            (Own("MILK", 0.004, days_ago=6), "0.4 % likely to be bought"),
            (Own("MILK", float("nan"), days_ago=6), "86 % likely within 7 days by its rhythm"),
        ],
    )
    def test_the_number_is_the_one_that_the_floor_is_held_against(self, own, chance):
        shop = CampaignShop(make_version({"ANNA": Customer([own])}, [Product("MILK", "Milk")]))
        (block,) = run_campaign(shop.begin("c", "due_soon"), shop.context)
        assert block.why == {"ANNA": f"Milk is due on 2026-11-21, {chance}"}
        assert [one.reason for one in block.outcomes] == ["nothing_good_enough" if own.probability < 0.01 else None]

    @pytest.mark.parametrize(("days_ago", "gap_days"), [(8, 7), (45, 44)])
    def test_names_no_date_that_is_past(self, days_ago, gap_days):
        own = Own("MILK", days_ago=days_ago, gap_days=gap_days)
        shop = CampaignShop(make_version({"ANNA": Customer([own])}, [Product("MILK", "Milk")]))
        (due,) = run_campaign(shop.begin("c", "due_soon"), shop.context)
        assert due.why["ANNA"].startswith("Milk is due now, ")

    @pytest.mark.parametrize(
        ("said", "is_in"),
        [({"valid_until": "2026-12-24T00:00:00Z"}, True), ({"valid_until": "2026-11-01T00:00:00Z"}, False)],
    )
    def test_knows_until_when_a_product_is_sold(self, said, is_in):
        shop = CampaignShop(make_version({"ANNA": Customer([Own("MILK", days_ago=6)])}, PRODUCTS))
        shop.store.update_products([ProductChange("MILK", "put", said)])
        assert ("ANNA" in shop.run(audience="due_soon")) is is_in

    def test_forgets_who_bought_it_since(self):
        shop = CampaignShop(make_version({"ANNA": Customer([Own("MILK", days_ago=29, gap_days=30)])}, PRODUCTS))
        assert "ANNA" in shop.run("before", "due_soon")
        shop.tell("purchase", "ANNA", "MILK")
        assert "ANNA" not in shop.run("after", "due_soon")


class TestOverdue:
    @pytest.mark.parametrize(
        ("days_ago", "is_in"),
        [(6, False), (7, False), (10, True), (600, False)],
        ids=["due", "due today", "past", "given up"],
    )
    def test_is_past_the_window_and_not_given_up(self, days_ago, is_in):
        customers = {"ANNA": Customer([Own("MILK", days_ago=days_ago, gap_days=7)])}
        assert ("ANNA" in members(customers, "overdue")) is is_in

    def test_names_no_date(self):
        own = Own("MILK", days_ago=10, gap_days=7)
        shop = CampaignShop(make_version({"ANNA": Customer([own])}, [Product("MILK", "Milk")]))
        (block,) = run_campaign(shop.begin("c", "overdue"), shop.context)
        assert block.why["ANNA"].startswith("Milk is overdue, ")


SILENT = {
    f"silent {days}": Customer([Own("MILK", days_ago=days)], profile={"usual_gap_days": 10.0, "rfm_monetary": best})
    for days, best in ((5, 5), (12, 5), (20, 5), (21, 2), (40, 5))
}


class TestSilence:
    def test_win_back_is_who_is_lost_and_nobody_who_is_late(self):
        assert members(SILENT, "win_back") == {"silent 40"}
        weekly = {
            f"silent {days}": Customer([Own("MILK", days_ago=days)], profile={"usual_gap_days": 7.0})
            for days in (8, 14, 22, 27, 28, 400)
        }
        assert members(weekly, "win_back") == {"silent 28", "silent 400"}, "three weeks are no farewell"

    def test_at_risk_best_is_who_is_worth_most_of_those_at_risk(self):
        assert members(SILENT, "at_risk_best") == {"silent 20"}

    def test_without_prices_the_number_of_orders_tells_the_best(self):
        customers = {
            name: Customer([Own("MILK", days_ago=20)], profile={"usual_gap_days": 10.0, **scores})
            for name, scores in {
                "many": {"rfm_monetary": 0, "rfm_frequency": 5},
                "few": {"rfm_monetary": 0, "rfm_frequency": 2},
            }.items()
        }
        assert members(customers, "at_risk_best") == {"many"}

    def test_an_order_since_the_training_ends_it(self):
        shop = CampaignShop(make_version(SILENT, PRODUCTS))
        assert set(shop.run("a", audience="win_back")) == {"silent 40"}
        shop.tell("purchase", "silent 40", "TEA")
        assert set(shop.run("b", audience="win_back")) == set()


class TestPostPurchase:
    def test_waits_for_the_delivery_and_not_for_ever(self):
        customers = {str(days): Customer([Own("TEA", days_ago=days)]) for days in (0, 3, 4, 14, 15)}
        shop = CampaignShop(make_version(customers, PRODUCTS, together={"TEA": {"MILK": 3.0}}))
        assert set(shop.run(audience="post_purchase")) == {"4", "14"}

    def test_a_live_order_counts(self):
        shop = CampaignShop(
            make_version({"ANNA": Customer([Own("TEA", days_ago=200)])}, PRODUCTS, together={"BREAD": {"MILK": 3.0}})
        )
        assert shop.run("today", "post_purchase") == {}
        shop.tell("purchase", "ANNA", "BREAD")
        assert shop.run("still-today", "post_purchase") == {}
        assert set(shop.run("in-five-days", "post_purchase", days=5)) == {"ANNA"}


def test_everyone_is_everyone():
    customers = {f"c{i}": Customer([Own("MILK")]) for i in range(150)}
    assert members(customers, "everyone") == set(customers)


def test_each_audience_has_a_meaning_that_ends_with_a_full_stop():
    assert {name: audience.meaning[-1] for name, audience in AUDIENCES.items()} == dict.fromkeys(AUDIENCES, ".")


def test_an_unknown_audience_names_those_there_are():
    with pytest.raises(UsageError, match="no audience 'dew'; there are: due_soon, overdue, win_back, post_purchase"):
        find_audience("dew")


class TestCustomerList:
    def test_holds_what_it_was_given_once(self):
        listed = CustomerList(["b", "a", "b", "\ud800"])
        assert len(listed) == 3
        assert [one in listed for one in ("a", "b", "\ud800", "c")] == [True, True, True, False]

    def test_of_nobody_holds_nobody(self):
        assert "a" not in CustomerList([])

    def test_is_called_by_what_it_holds(self):
        assert CustomerList(["a", "b"]).audience == CustomerList(["b", "a", "a"]).audience
        assert CustomerList(["a", "b"]).audience != CustomerList(["a"]).audience

    def test_knows_the_blocks_that_its_customers_are_in(self):
        customers = {f"c{i}": Customer([Own("MILK")]) for i in range(300)}
        shop = CampaignShop(make_version(customers, PRODUCTS))
        listed = CustomerList(["c7", "c8", "nobody"])
        campaign = shop.begin("c", listed.audience)
        assert set(shop.outcomes(campaign, customers=listed)) == {"c7", "c8"}
        blocks = listed.blocks(shop.store.n_profile_blocks(campaign.version))
        assert len(blocks) <= 3
        assert set(shop.outcomes(campaign, customers=listed, blocks=blocks)) == {"c7", "c8"}

    def test_must_come_again_with_its_campaign(self):
        shop = CampaignShop(make_version({"ANNA": Customer([Own("MILK")])}, PRODUCTS))
        listed = CustomerList(["ANNA"])
        with pytest.raises(UsageError, match="give the same list again"):
            shop.outcomes(shop.begin("c", listed.audience))
        with pytest.raises(UsageError, match="give the same list again"):
            shop.outcomes(shop.begin("c", listed.audience), customers=CustomerList(["BEN"]))
        with pytest.raises(UsageError, match="leave the list of customers away"):
            shop.outcomes(shop.begin("d", "everyone"), customers=listed)


def test_now_is_the_day_that_these_worlds_are_made_for():
    assert NOW.timestamp() // 86_400 == TODAY
