"""Campaigns by variant, counted from events."""

import json
from datetime import date, timedelta

import pytest

from recommender.experiments.exposure import exposure_event
from recommender.results.campaigns import CampaignResults
from tests.support.event_files import NOW, archive, event
from tests.support.recount import campaign_results

DAY = timedelta(days=1)
TODAY = date(2026, 12, 24)
numbers = iter(range(100_000))


def happened(event_type, days_ago, customer_id, product_id=None, **fields):
    moment = {"occurred_at": NOW - days_ago * DAY, "event_type": event_type}
    return event(f"e{next(numbers)}", customer_id, product_id, **moment, **fields)


def took_part(customer_id, variant="mailed", days_ago=9, campaign="reorder", experiment=None):
    at = NOW - days_ago * DAY
    return exposure_event(experiment or campaign, variant, customer_id, at, placement="email", campaign_id=campaign)


def bought(customer_id, days_ago, product_id="MILK", **fields):
    return happened("purchase", days_ago, customer_id, product_id, **fields)


@pytest.fixture
def count(tmp_path):
    return lambda *events, **how: campaign_results(archive(tmp_path, *events).read(), 7, TODAY, **how)


def test_each_variant_has_its_mails_and_its_orders(count):
    [campaign] = count(
        *(took_part(who) for who in ("ANNA", "BEN")),
        took_part("CLEO", "holdout"),
        *(happened("mail_sent", 9, who, campaign_id="reorder") for who in ("ANNA", "BEN")),
        happened("click", 8, "ANNA", "MILK", campaign_id="reorder"),
        happened("mail_bounce", 9, "BEN", campaign_id="reorder"),
        bought("ANNA", 7, order_id="1", quantity=2, unit_price=1.5, currency="EUR"),
        bought("ANNA", 7, "TEA", order_id="1", unit_price=4, currency="EUR"),
        bought("ANNA", 6, "TEA", order_id="2"),
        bought("CLEO", 5, "TEA", unit_price=4, currency="CHF"),
        bought("CLEO", 5, "MILK", unit_price=1),  # the same day, no order id: the same order
        bought("CLEO", 1, "MILK", unit_price=1),  # too late
        bought("BEN", 10, "MILK", unit_price=1),  # before
        bought("DORA", 5, "MILK", unit_price=1),  # of nobody
    )
    mailed, held = campaign.variants
    assert (campaign.campaign_id, campaign.first_at) == ("reorder", (NOW - 9 * DAY).isoformat())
    assert (mailed.variant, mailed.sent, mailed.bounced, mailed.clicked, mailed.bought) == ("mailed", 2, 1, 1, 1)
    assert (mailed.units, mailed.money) == (2, {"EUR": 3.0})
    assert (mailed.took_part, mailed.orders, mailed.orders_squared, mailed.ordered) == (2, 2, 4, 1)
    assert mailed.revenue == {"EUR": 7.0}
    assert (held.variant, held.sent, held.took_part, held.orders) == ("holdout", 0, 1, 1)
    assert held.revenue == {"": 1.0, "CHF": 4.0}
    assert campaign.effect.until == "2026-11-19"


def test_mails_of_nobody_who_took_part_are_of_the_mailed(count):
    [campaign] = count(happened("mail_sent", 9, "ANNA", campaign_id="other-system"))
    assert [(one.variant, one.sent, one.took_part) for one in campaign.variants] == [("mailed", 1, 0)]
    assert campaign.effect.verdict == "no_holdout"


def test_who_took_part_in_several_campaigns_counts_in_each(count):
    later, first = count(
        took_part("ANNA"), took_part("ANNA", "holdout", days_ago=4, campaign="hello"), bought("ANNA", 3)
    )
    assert [(one.campaign_id, one.variants[0].orders) for one in (later, first)] == [("hello", 1), ("reorder", 1)]


def test_who_is_decided_about_again_took_part_once_from_the_first_time(count):
    [campaign] = count(took_part("ANNA", days_ago=9), took_part("ANNA", days_ago=3), bought("ANNA", 1))
    assert [(one.took_part, one.orders) for one in campaign.variants] == [(1, 0)]


def test_the_campaigns_own_holdout_wins_over_other_experiments(count):
    [campaign] = count(
        took_part("ANNA", "long", experiment="all-mails"),
        took_part("ANNA", "holdout"),
        took_part("BEN", "long", experiment="a"),
    )
    assert [one.variant for one in campaign.variants] == ["holdout"]


def test_an_experiment_on_the_campaign_gives_its_variants(count):
    [campaign] = count(took_part("ANNA", "long", experiment="length"), took_part("BEN", "short", experiment="length"))
    assert [one.variant for one in campaign.variants] == ["long", "short"]


def test_all_mails_of_a_quarter_stand_together_until_it_ends(count):
    results = count(
        took_part("ANNA", days_ago=30),
        took_part("ANNA", days_ago=30, experiment="mails-2026-q4"),
        took_part("BEN", "holdout", days_ago=20, experiment="mails-2026-q4"),
        bought("ANNA", 28),
        bought("ANNA", 3),
        bought("BEN", 2),
        bought("BEN", 25),
    )
    quarter, campaign = results
    assert (quarter.campaign_id, campaign.campaign_id) in [("mails-2026-q4", "reorder"), ("reorder", "mails-2026-q4")]
    quarter = next(one for one in results if one.campaign_id == "mails-2026-q4")
    assert [(one.variant, one.orders) for one in quarter.variants] == [("mailed", 2), ("holdout", 1)]
    assert quarter.effect.until == "2027-01-09"


def test_what_was_decided_is_shown_before_any_event(count):
    decided = {"new": {"mailed": {"selected": 5, "too_often": 2, "unsubscribed": 1}, "holdout": {"selected": 1}}}
    [campaign] = count(decided=decided)
    assert (campaign.first_at, campaign.effect.verdict) == (None, "running")
    assert campaign.effect.sentence == "Nobody was mailed yet"
    assert campaign.variants[0].refused == {"too_often": 2, "unsubscribed": 1}
    assert count() == []


def test_documents_survive_json(count):
    [campaign] = count(took_part("ANNA"), took_part("BEN", "holdout"), bought("ANNA", 3, unit_price=2))
    assert CampaignResults.from_dict(json.loads(json.dumps(campaign.to_dict()))) == campaign
