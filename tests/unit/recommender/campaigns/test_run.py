"""A campaign from its beginning to its outcomes."""

from dataclasses import replace
from datetime import timedelta

import pytest

from recommender.campaigns import selection
from recommender.campaigns.context import open_context
from recommender.campaigns.customer_list import CustomerList
from recommender.campaigns.run import begin_campaign, count_blocks, plan_campaign, run_campaign
from recommender.catalogue.overrides import ProductChange
from recommender.errors import UsageError, VersionNotFoundError
from recommender.experiments.experiment import Experiment
from recommender.settings import MailSettings, Settings
from recommender.slate.placements import DEFAULT_PLACEMENTS
from recommender.storage.contacts import Mail
from tests.fakes.shops import MemoryShopStorage
from tests.fakes.versions import MemoryVersionStore
from tests.support import small_shop
from tests.support.campaigns import EMAIL, CampaignShop, Customer, Own, make_version, shown
from tests.support.small_shop import NOW

LETTERS = list("ABCDEFGH")
FALLING = {letter: 0.5 - 0.04 * place for place, letter in enumerate(LETTERS)}
CROWD = {f"c{number:03}": Customer(discover=FALLING) for number in range(200)}


def make_shop(customers=CROWD, version=small_shop.VERSION, **parts):
    return CampaignShop(make_version(customers, LETTERS, version=version), **parts)


class TestBegin:
    def test_pins_version_and_moment(self):
        shop = make_shop()
        campaign = shop.begin("c", "win_back", 3)
        assert (campaign.version, campaign.begun_at, campaign.slots) == (small_shop.VERSION, NOW, 3)
        assert begin_campaign(shop.context, "c", "win_back", 3, NOW + timedelta(days=1)) == campaign

    def test_takes_the_slots_of_the_placement_and_no_more_than_its_cap(self):
        shop = make_shop()
        assert [shop.begin(f"c{n}", slots=n).slots for n in (None, 2, 99)] == [4, 2, 8]

    @pytest.mark.parametrize(("audience", "slots"), [("overdue", 3), ("win_back", 4)])
    def test_another_audience_or_number_of_slots_needs_another_id(self, audience, slots):
        shop = make_shop()
        shop.begin("c", "win_back", 3)
        with pytest.raises(UsageError, match="begun at 2026-11-20T12:00:00Z for audience win_back with 3 slots"):
            shop.begin("c", audience, slots)

    @pytest.mark.parametrize("name", ["", "a/b", "../x", "-x", "a b", "a\n", "x" * 65, "é"])
    def test_refuses_names_that_cannot_stand_in_a_path(self, name):
        with pytest.raises(UsageError, match="a campaign cannot be called"):
            make_shop().begin(name)

    def test_refuses_no_slots(self):
        with pytest.raises(UsageError, match="ask for at least one"):
            make_shop().begin("c", slots=0)

    def test_before_any_version_says_what_to_do(self):
        shop = make_shop()
        with pytest.raises(VersionNotFoundError, match="run `reprise train FILE` first"):
            begin_campaign(replace(shop.context, store=MemoryVersionStore()), "c", "everyone", 4, NOW)

    def test_a_version_without_profiles_says_what_to_do(self):
        shop = make_shop()
        shop.store.publish(replace(small_shop.publication("20270101T000000Z-0000"), profiles=None), keep=3)
        with pytest.raises(VersionNotFoundError, match="does not describe its customers"):
            shop.begin("c")

    def test_a_plan_is_not_kept(self):
        shop = make_shop()
        plan_campaign(shop.context, "c", "overdue", None, NOW)
        assert shop.begin("c", "win_back").audience == "win_back"

    def test_a_plan_of_what_was_begun_is_that(self):
        shop = make_shop()
        campaign = shop.begin("c")
        assert plan_campaign(shop.context, "c", "everyone", None, NOW + timedelta(days=9)) == campaign
        with pytest.raises(UsageError, match="take another campaign id"):
            plan_campaign(shop.context, "c", "overdue", None, NOW)


class TestVersion:
    def test_a_campaign_stays_with_its_version(self):
        shop = make_shop()
        campaign = shop.begin("c")
        newer = {"c000": Customer(discover={"H": 0.9})}
        shop.store.publish(make_version(newer, LETTERS, version="20261121T000000Z-0000"), keep=3)
        outcomes = shop.outcomes(campaign)
        assert len(outcomes) == 200
        assert shown(outcomes["c000"]) == ["A", "B", "C", "D"]
        assert shown(shop.run("d", days=1)["c000"]) == ["H"]

    def test_that_is_gone_is_said(self):
        shop = make_shop()
        campaign = shop.begin("c")
        shop.store.publish(make_version(CROWD, LETTERS, version="20261121T000000Z-0000"), keep=1)
        for act in (
            lambda: shop.outcomes(campaign),
            lambda: shop.begin("c"),
            lambda: count_blocks(campaign, shop.context),
        ):
            with pytest.raises(VersionNotFoundError, match=r"is no longer kept.*REPRISE_KEEP_VERSIONS"):
                act()


class TestRun:
    def test_blocks_are_independent(self):
        shop = make_shop()
        campaign = shop.begin("c")
        n_blocks = count_blocks(campaign, shop.context)
        backwards = list(run_campaign(campaign, shop.context, blocks=range(n_blocks)[::-1]))
        again = list(run_campaign(campaign, shop.context))
        assert n_blocks == 4
        assert again == backwards[::-1]
        assert sum(block.considered for block in again) == 200

    def test_of_a_list_only_its_customers_are_counted(self):
        shop = make_shop()
        listed = CustomerList(["c007", "c123", "nobody"])
        blocks = list(run_campaign(shop.begin("c", listed.audience), shop.context, customers=listed))
        assert (sum(block.considered for block in blocks), sum(len(block.outcomes) for block in blocks)) == (2, 2)

    def test_claims_each_mail_once_at_its_beginning(self):
        shop = make_shop()
        shop.run("c")
        shop.run("c", days=3)
        (standing,) = shop.context.contacts.standings(["c000"])
        assert list(standing.mails) == [Mail("c", NOW, ("A", "B", "C", "D"))]

    def test_counts_mails_from_another_moment_where_one_is_given(self):
        shop = make_shop()
        later = NOW + timedelta(hours=5)
        shop.outcomes(shop.begin("c"), at=later)
        assert [mail.at for mail in shop.context.contacts.standings(["c000"])[0].mails] == [later]

    def test_whom_the_governor_refuses_gets_no_picks(self):
        shop = make_shop()
        shop.treat(rules=MailSettings(quiet_days_after_order=0, most_per_week=1, holdout=0))
        shop.tell("unsubscribe", "c000")
        shop.run("first")
        reasons = {outcome.reason for outcome in shop.run("second", days=1).values()}
        assert reasons == {"unsubscribed", "too_often"}
        assert {outcome.reason for outcome in shop.run("third", days=8).values()} == {"unsubscribed", None}

    def test_an_order_that_only_the_training_knew_keeps_it_quiet(self):
        customers = {name: Customer([Own("A", days_ago=days)], {"B": 0.5}) for name, days in (("two", 2), ("four", 4))}
        shop = make_shop(customers, rules=MailSettings(holdout=0))
        assert {one: outcome.reason for one, outcome in shop.run().items()} == {
            "two": "quiet_after_order",
            "four": None,
        }

    def test_a_rehearsal_says_the_same_and_claims_nothing(self):
        shop = make_shop()
        shop.treat(rules=MailSettings(quiet_days_after_order=0, holdout=0))
        shop.tell("unsubscribe", "c000")
        rehearsed = shop.outcomes(shop.begin("c"), rehearse=True)
        assert not shop.context.contacts.standings(["c001"])[0].mails
        assert shop.outcomes(shop.begin("c")) == rehearsed

    def test_follows_what_is_sold_out_meanwhile(self, monkeypatch):
        monkeypatch.setattr(selection, "FOLLOW_BLOCKS", 1)
        customers = {one: Customer(discover={"A": 0.5, "B": 0.4}) for one in CROWD}
        shop = CampaignShop(make_version(customers, LETTERS, popular=["C", "D", "E"]))
        blocks = run_campaign(shop.begin("c", slots=3), shop.context)
        assert {tuple(shown(outcome)) for outcome in next(blocks).outcomes} == {("A", "B", "C")}
        shop.store.update_products([ProductChange(gone, "put", {"in_stock": False}) for gone in ("A", "C")])
        assert {tuple(shown(outcome)) for block in blocks for outcome in block.outcomes} == {("B", "D", "E")}

    def test_the_erased_are_not_there(self):
        shop = make_shop()
        campaign = shop.begin("c")
        shop.store.erase("c000", NOW)
        assert "c000" not in shop.outcomes(campaign)
        assert len(shop.outcomes(campaign)) == 199


class TestExperiments:
    def experiment(self, **fields):
        return Experiment(**{"name": "x", "variants": {"a": 1, "b": 1}, "campaigns": ("c",), **fields})

    def test_the_holdout_gets_no_mail_and_no_claim(self):
        shop = make_shop(experiments=(self.experiment(holdout=0.3),))
        outcomes = shop.run("c")
        held = [one for one, outcome in outcomes.items() if outcome.reason == "holdout"]
        assert 30 < len(held) < 90
        assert {len(standing.mails) for standing in shop.context.contacts.standings(held)} == {0}
        assert {outcome.picks.variant for outcome in outcomes.values() if outcome.picks} == {"a", "b"}

    def test_everybody_meant_is_exposed_the_holdout_too_and_a_rehearsal_exposes_nobody(self):
        shop, kept = make_shop(experiments=(self.experiment(holdout=0.3),)), []
        shop.treat(keep_exposures=lambda events, at: kept.append((events, at)))
        campaign = shop.begin("c")
        list(run_campaign(campaign, shop.context, rehearse=True))
        assert kept == []
        outcomes = shop.outcomes(campaign)
        told = {event.customer_id: event for events, at in kept for event in events if at == NOW}
        assert told.keys() == outcomes.keys()
        held = {one for one, event in told.items() if event.variant == "holdout"}
        assert held == {one for one, outcome in outcomes.items() if outcome.reason == "holdout"}
        picked = {one: outcome.picks.variant for one, outcome in outcomes.items() if outcome.picks}
        assert {one: told[one].variant for one in picked} == picked
        assert {(event.event_type, event.experiment, event.campaign_id) for event in told.values()} == {
            ("exposure", "x", "c")
        }

    def test_other_campaigns_are_not_touched(self):
        outcomes = make_shop(experiments=(self.experiment(holdout=0.3),)).run("d").values()
        assert {(outcome.reason, outcome.picks.variant) for outcome in outcomes} == {(None, None)}

    def test_a_treatment_changes_slots_and_floor(self):
        treatments = {"b": {"default_limit": 2}}
        outcomes = make_shop(experiments=(self.experiment(treatments=treatments),)).run("c").values()
        assert {(outcome.picks.variant, len(outcome.picks.items)) for outcome in outcomes} == {("a", 4), ("b", 2)}
        strict = {"b": {"min_probability": 0.45}}
        outcomes = make_shop(experiments=(self.experiment(treatments=strict),)).run("c").values()
        assert {(outcome.picks.variant, len(outcome.picks.items)) for outcome in outcomes} == {("a", 4), ("b", 2)}

    def test_a_treatment_may_try_another_version(self):
        shop = make_shop(
            version="20261101T000000Z-0000", customers={one: Customer(discover={"H": 0.9}) for one in CROWD}
        )
        shop.store.publish(make_version(CROWD, LETTERS), keep=3)
        shop.treat(experiments=(self.experiment(treatments={"b": {"version": "20261101T000000Z-0000"}}),))
        outcomes = shop.run("c").values()
        assert {(one.picks.variant, shown(one)[0]) for one in outcomes} == {("a", "A"), ("b", "H")}

    def test_a_treatment_may_try_another_placement(self):
        shop = make_shop(experiments=(self.experiment(treatments={"b": {"placement": "short"}}),))
        shop.treat(placements={"short": EMAIL.model_copy(update={"cap": 1, "default_limit": 1})})
        outcomes = shop.run("c").values()
        assert {(outcome.picks.variant, len(outcome.picks.items)) for outcome in outcomes} == {("a", 4), ("b", 1)}

    def test_a_version_that_is_gone_is_the_campaigns(self):
        shop = make_shop(experiments=(self.experiment(treatments={"b": {"version": "gone"}}),))
        assert {shown(one)[0] for one in shop.run("c").values()} == {"A"}


class TestDesk:
    def test_takes_the_placement_of_the_settings(self):
        storage = MemoryShopStorage()
        assert open_context(storage, Settings()).placement == DEFAULT_PLACEMENTS["email"]

    def test_prefers_one_that_was_set_at_run_time(self):
        storage = MemoryShopStorage()
        storage.store("default").place("email", EMAIL.model_copy(update={"cap": 5}))
        assert open_context(storage, Settings()).placement.cap == 5

    def test_is_of_the_shop_that_is_asked_for(self):
        storage = MemoryShopStorage()
        storage.store("tea").publish(make_version(CROWD, LETTERS), keep=3)
        assert open_context(storage, Settings(), "tea").store.current() == small_shop.VERSION
