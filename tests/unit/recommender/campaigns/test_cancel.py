"""Campaigns that are cancelled: nobody else is written to, and who was not written to yet is free again."""

from datetime import timedelta

import pytest

from recommender.campaigns.cancel import cancel_campaign
from recommender.campaigns.run import begin_campaign, run_campaign
from recommender.errors import UnknownCampaignError, UsageError, VersionNotFoundError
from recommender.events.event import Event
from recommender.settings import MailSettings
from tests.support.campaigns import CampaignShop, Customer, make_version
from tests.support.small_shop import NOW

CROWD = {f"c{number:03}": Customer(discover={"TEA": 0.5}) for number in range(200)}
ONE_A_WEEK = MailSettings(quiet_days_after_order=0, most_per_week=1, holdout=0)


@pytest.fixture
def shop():
    return CampaignShop(make_version(CROWD, ["TEA", "MUG"]), rules=ONE_A_WEEK)


def mailed(shop, name):
    return sum(state.mail_of(name) is not None for state in shop.context.contacts.standings(list(CROWD)))


def test_who_was_not_written_to_may_be_by_another_campaign(shop):
    shop.run("first")
    assert {one.reason for one in shop.run("second").values()} == {"too_often"}
    done = cancel_campaign(shop.context, "first", NOW)
    assert (done.released, mailed(shop, "first")) == (200, 0)
    assert {one.reason for one in shop.run("third").values()} == {None}
    assert cancel_campaign(shop.context, "first", NOW + timedelta(days=1)) == done._replace(released=0)


def test_a_mail_that_was_sent_stays_counted(shop):
    shop.run("first")
    event = {"event_type": "mail_sent", "event_id": "1", "customer_id": "c000", "campaign_id": "first"}
    shop.storage.event_log("default").accept([Event(**event, occurred_at=NOW)], NOW, 10)
    assert cancel_campaign(shop.context, "first", NOW).released == 199
    assert mailed(shop, "first") == 1


def test_one_that_is_cancelled_is_not_run_again(shop):
    campaign = shop.begin("first")
    cancel_campaign(shop.context, "first", NOW)
    for act in (
        lambda: begin_campaign(shop.context, "first", "everyone", None, NOW),
        lambda: shop.outcomes(campaign),
    ):
        with pytest.raises(UsageError, match="was cancelled at 2026-11-20T12:00:00Z; begin another"):
            act()
    assert mailed(shop, "first") == 0


def test_what_is_claimed_while_it_is_cancelled_is_given_back(shop):
    blocks = run_campaign(shop.begin("first"), shop.context)
    first = next(blocks)
    assert mailed(shop, "first") == len(first.outcomes)
    claim = shop.context.contacts.claim

    def cancel_before_it_claims(*claims):
        cancel_campaign(shop.context, "first", NOW)
        return claim(*claims)

    shop.context.contacts.claim = cancel_before_it_claims
    with pytest.raises(UsageError, match="was cancelled"):
        next(blocks)
    assert mailed(shop, "first") == 0


def test_one_that_never_began_cannot_be_cancelled(shop):
    with pytest.raises(UnknownCampaignError, match="'nothing'"):
        cancel_campaign(shop.context, "nothing", NOW)


def test_without_its_version_nobody_knows_its_customers_but_nobody_is_written_to(shop):
    shop.run("first")
    shop.store.publish(make_version(CROWD, ["TEA"], version="20261121T000000Z-0000"), keep=1)
    with pytest.raises(VersionNotFoundError):
        cancel_campaign(shop.context, "first", NOW)
    assert shop.context.contacts.find("first").cancelled_at == NOW
