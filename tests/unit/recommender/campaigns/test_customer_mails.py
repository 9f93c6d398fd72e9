"""What each campaign sent one customer, or why it sent nothing."""

from datetime import timedelta

import pytest

from recommender.campaigns.cancel import cancel_campaign
from recommender.campaigns.history.customer_mails import MOST_EXPLAINED, list_mails
from recommender.campaigns.run import begin_campaign
from recommender.settings import MailSettings
from tests.support.campaigns import CampaignShop, Customer, Own, make_version
from tests.support.small_shop import NOW

DAY = timedelta(days=1)
PEOPLE = {
    "ANNA": Customer([Own("MILK", days_ago=6)], {"TEA": 0.5}),
    "BEN": Customer([Own("MILK", 0.004, days_ago=6)]),
    "CLEO": Customer([Own("MILK", days_ago=400)], profile={"usual_gap_days": 7.0}),
}
RULES = MailSettings(quiet_days_after_order=2, most_per_week=1, holdout=0)


@pytest.fixture
def shop():
    return CampaignShop(make_version(PEOPLE, ["MILK", "TEA"]), rules=RULES)


def told(shop, customer_id):
    return [(one.campaign_id, one.outcome, one.reason) for one in list_mails(shop.context, customer_id)]


def detail(shop, customer_id):
    return list_mails(shop.context, customer_id)[0].detail


def test_mails_and_reasons_stand_together_the_latest_first(shop):
    shop.run("first", "post_purchase", days=-3)
    shop.run("second", "everyone")
    shop.run("third", "win_back", days=8)
    assert told(shop, "ANNA") == [
        ("third", "nothing", "not_in_audience"),
        ("second", "chosen", None),
        ("first", "nothing", "not_in_audience"),
    ]
    assert told(shop, "BEN")[1] == ("second", "nothing", "nothing_good_enough")
    assert told(shop, "CLEO")[0] == ("third", "chosen", None)
    assert list_mails(shop.context, "ANNA")[1].product_ids == ("MILK", "TEA")


def test_of_very_many_campaigns_the_latest_are_explained_and_no_mail_is_left_out(shop):
    shop.run("first", "everyone")
    for number in range(MOST_EXPLAINED + 5):
        begin_campaign(shop.context, f"c{number}", "win_back", None, NOW + timedelta(minutes=1 + number))
    found = told(shop, "ANNA")
    assert len(found) == MOST_EXPLAINED + 1
    assert found[0][0] == f"c{MOST_EXPLAINED + 4}"
    assert found[-1] == ("first", "chosen", None)


def test_a_mail_that_events_tell_of_was_sent(shop):
    shop.tell("mail_sent", "ANNA")
    assert told(shop, "ANNA") == [("", "sent", None)]


@pytest.mark.parametrize(
    ("event", "days", "reason", "said"),
    [
        ("unsubscribe", 1, "unsubscribed", "unsubscribed on 2026-11-19"),
        ("mail_bounce", 1, "bounced", "came back on 2026-11-19"),
        ("mail_complaint", 1, "quiet_after_complaint", "complained on 2026-11-19; quiet for 90 days"),
        ("mail_sent", 3, "too_often", "no more than 1 mails a week; mails: 2026-11-17"),
        ("purchase", 1, "quiet_after_order", "less than 2 days before"),
    ],
)
def test_a_rule_is_told_with_what_it_was_about(shop, event, days, reason, said):
    shop.tell(event, "ANNA", "TEA" if event == "purchase" else None, at=NOW - days * DAY)
    shop.run("reorder")
    found = next(one for one in list_mails(shop.context, "ANNA") if one.campaign_id == "reorder")
    assert (found.outcome, found.reason) == ("nothing", reason)
    assert said in found.detail


def test_what_came_later_is_no_reason(shop):
    shop.run("reorder", "due_soon")
    shop.tell("unsubscribe", "BEN", at=NOW + DAY)
    assert told(shop, "BEN") == [("reorder", "nothing", "nothing_good_enough")]


def test_nothing_good_enough_names_the_product_its_number_and_the_floor(shop):
    shop.run("reorder", "due_soon")
    said = detail(shop, "BEN")
    assert "MILK is due on 2026-11-21, 0.4 % likely to be bought" in said
    assert "1 % likely or more" in said


def test_who_is_not_meant_or_not_known_is_told_so(shop):
    shop.run("reorder", "due_soon")
    assert "not in audience due_soon: Something they buy again" in detail(shop, "CLEO")
    assert "does not know this customer" in detail(shop, "NOBODY")


def test_the_holdout_is_told(shop):
    shop.treat(rules=RULES.model_copy(update={"holdout": 0.5}))
    for number in range(9):
        shop.run(f"c{number}", days=8 * number)
    reasons = {reason for _, _, reason in told(shop, "ANNA")}
    assert reasons == {"holdout", None}


def test_a_campaign_that_is_cancelled_or_whose_version_is_gone_is_told(shop):
    shop.run("reorder", "due_soon")
    cancel_campaign(shop.context, "reorder", NOW)
    assert detail(shop, "ANNA") == "the campaign was cancelled on 2026-11-20"
    shop.store.publish(make_version(PEOPLE, ["MILK", "TEA"], version="20261121T000000Z-0000"), keep=1)
    assert told(shop, "ANNA") == [("reorder", "not_known", None)]


def test_without_any_campaign_there_is_nothing(shop):
    assert list_mails(shop.context, "ANNA") == []
