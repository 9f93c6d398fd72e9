"""GET /v1/campaigns/{id}/results: what came of a campaign, before and after it is counted."""

import pytest

from recommender.results.campaigns import CampaignResults, Effect, VariantResults
from recommender.storage.campaign import Campaign
from tests.support.small_shop import NOW, VERSION


@pytest.fixture
def storage(app):
    return app.extensions["reprise"].shops.storage


def test_before_it_is_counted_it_is_known_as_it_began(client, storage):
    storage.contacts("default").begin(Campaign("reorder", "everyone", 4, VERSION, NOW, 0.05))
    answer = client.get("/v1/campaigns/reorder/results")
    assert (answer.status_code, answer.json["state"], answer.json["results"]) == (200, "begun", None)
    assert answer.json["campaign"]["holdout"] == 0.05


def test_its_figures_are_those_that_the_worker_counted(client, storage):
    variants = (VariantResults("mailed", 9, {"too_often": 2}, sent=7, money={"EUR": 2.5}), VariantResults("holdout", 1))
    effect = Effect("undecided", more_weeks=9, sentence="Not decided yet: about 9 more weeks at this size")
    results = CampaignResults("elsewhere", "2026-11-20T06:00:00+00:00", 7, variants, effect)
    storage.results("default").keep_campaigns([results], "s1")
    answer = client.get("/v1/campaigns/elsewhere/results").json
    assert (answer["state"], answer["campaign"]) == ("elsewhere", None)
    assert answer["results"]["variants"][0]["refused"] == {"too_often": 2}
    assert answer["results"]["effect"]["sentence"] == "Not decided yet: about 9 more weeks at this size"


def test_one_that_was_cancelled_before_a_mail_was_sent_caused_nothing(client, storage):
    storage.contacts("default").begin(Campaign("reorder", "everyone", 4, VERSION, NOW, 0.05))
    storage.contacts("default").cancel("reorder", NOW)
    for sent, verdict in ((0, "not_sent"), (3, "more")):
        variants = (VariantResults("mailed", 600, sent=sent, took_part=285, orders=90), VariantResults("holdout", 30))
        effect = Effect("more", 0.031, 0.004, 0.059, 12.0, sentence="Brought 3.1 % more orders")
        results = CampaignResults("reorder", "2026-11-20T06:00:00+00:00", 7, variants, effect)
        storage.results("default").keep_campaigns([results], f"s{sent}")
        answer = client.get("/v1/campaigns/reorder/results").json
        assert answer["results"]["effect"]["verdict"] == verdict


def test_one_that_nobody_knows_is_not_found(client):
    answer = client.get("/v1/campaigns/nothing/results")
    assert (answer.status_code, answer.json["code"]) == (404, "unknown_campaign")
