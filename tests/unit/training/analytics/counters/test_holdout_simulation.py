"""The hold-out of campaigns, simulated: what was planted comes back, as often as `reprise power` says."""

from datetime import date, timedelta

import numpy as np
import pytest

from recommender.experiments.experiment import HOLDOUT, assign
from recommender.experiments.mail_holdout import holdout_of_campaign, holdout_of_quarter
from recommender.results.campaigns import VariantResults
from recommender.settings import MailSettings
from tests.support.campaigns import CampaignShop, Customer, Own, make_version
from tests.support.event_files import archive
from tests.support.recount import campaign_results
from tests.support.small_shop import NOW
from training.analytics.counters.mail_effect import measure_effect
from training.analytics.experiments.power import customers_needed

BASELINE, LIFT, SHARE = 0.3, 0.5, 0.1
UNTIL = date(2026, 12, 1)
REPLICATES = 400


def make_shop(n=400):
    """Of four customers one unsubscribed, one ordered yesterday, one has nothing worth a mail, and one gets it."""
    people = {
        f"U{n:03}": Customer(discover={"TEA": 0.5}) if n % 4 < 2 else
        Customer([Own("TEA", days_ago=1)], {"MILK": 0.5}) if n % 4 == 2 else Customer()
        for n in range(n)
    }  # fmt: skip
    shop = CampaignShop(make_version(people, ["TEA", "MILK"]), rules=MailSettings(holdout=SHARE))
    for number in range(0, n, 4):
        shop.tell("unsubscribe", f"U{number:03}")
    return shop


def run(shop, name):
    """Outcomes, exposures and counts of one campaign."""
    exposures, decided = [], []
    shop.treat(
        keep_exposures=lambda events, at: exposures.extend(events),
        keep_decided=lambda campaign_id, block, counts: decided.append(counts),
    )
    return shop.run(name), exposures, decided


def test_only_who_would_really_get_the_mail_takes_part_in_both_arms():
    outcomes, exposures, decided = run(make_shop(), "reorder")
    arms = {event.customer_id: event.variant for event in exposures}
    assert len(outcomes) == 400
    assert sorted(arms) == [f"U{n:03}" for n in range(1, 400, 4)], "one in four would get it"
    held = {one for one, variant in arms.items() if variant == HOLDOUT}
    assert held == {one for one, outcome in outcomes.items() if outcome.reason == "holdout"}
    assert {one for one, outcome in outcomes.items() if outcome.picks} == arms.keys() - held
    assert 3 < len(held) < 25
    sums = {
        variant: {name: sum(counts.get(variant, {}).get(name, 0) for counts in decided) for name in
                  ("selected", "unsubscribed", "quiet_after_order", "nothing_good_enough")}
        for variant in ("mailed", HOLDOUT)
    }  # fmt: skip
    assert {name: sum(one[name] for one in sums.values()) for name in sums["mailed"]} == {
        "selected": 400, "unsubscribed": 100, "quiet_after_order": 100, "nothing_good_enough": 100
    }  # fmt: skip
    assert sums[HOLDOUT]["unsubscribed"] > 3, "the rules are asked in both arms"


def test_a_dry_run_and_a_second_run_agree_with_the_first():
    shop = make_shop()
    rehearsed = shop.outcomes(shop.begin("reorder"), rehearse=True)
    outcomes, _, _ = run(shop, "reorder")
    assert outcomes == rehearsed
    assert run(shop, "reorder")[0] == outcomes


@pytest.fixture(scope="module")
def arms():
    """Whether each customer is held out, of each of many campaigns that are as large as `reprise power` says."""
    n = customers_needed(BASELINE, LIFT, power=0.8, holdout=SHARE)
    holdouts = [holdout_of_campaign(f"c{number}", SHARE) for number in range(REPLICATES)]
    return [np.array([assign(one, f"C{number}") == HOLDOUT for number in range(n)]) for one in holdouts]


def simulate(rng, held, lift, *, diluted=0.0):
    """The verdict on one campaign with planted orders; a share `diluted` never gets a mail and is compared as well."""
    chance = np.where(held, BASELINE, BASELINE * (1 + lift))
    chance[: int(diluted * len(held))] = BASELINE
    orders = rng.random(len(held)) < chance
    sides = [(name, int(of.sum()), int(orders[of].sum())) for name, of in (("mailed", ~held), (HOLDOUT, held))]
    variants = [VariantResults(name, took_part=n, orders=sold, orders_squared=sold) for name, n, sold in sides]
    return measure_effect(variants, UNTIL, UNTIL)


def test_the_planted_effect_comes_back_unbiased_with_the_power_that_was_stated(arms):
    rng = np.random.default_rng(7)
    effects = [simulate(rng, held, LIFT) for held in arms]
    differences = np.array([effect.extra_orders / (~held).sum() for effect, held in zip(effects, arms, strict=True)])
    assert abs(differences.mean() - LIFT * BASELINE) < 3 * differences.std() / np.sqrt(REPLICATES)
    assert np.mean([effect.verdict == "more" for effect in effects]) == pytest.approx(0.8, abs=0.05)
    assert np.mean([effect.low <= LIFT <= effect.high for effect in effects]) == pytest.approx(0.95, abs=0.03)


def test_without_an_effect_one_in_twenty_is_a_false_alarm(arms):
    rng = np.random.default_rng(8)
    verdicts = [simulate(rng, held, 0.0).verdict for held in arms]
    assert np.mean([one in ("more", "fewer") for one in verdicts]) == pytest.approx(0.05, abs=0.03)


def test_who_never_gets_a_mail_would_have_hidden_half_of_it(arms):
    rng = np.random.default_rng(9)
    half = [simulate(rng, held, LIFT, diluted=0.5) for held in arms]
    assert np.mean([effect.lift for effect in half]) == pytest.approx(LIFT / 2, abs=0.03)
    assert np.mean([effect.verdict == "more" for effect in half]) < 0.45


def test_campaigns_can_be_told_apart_and_the_quarter_stands_for_all_of_them(tmp_path):
    """One campaign works, one does not; a tenth gets neither, all quarter long."""
    rng, events = np.random.default_rng(10), []
    shop = CampaignShop(
        make_version({f"C{n:04}": Customer(discover={"TEA": 0.5}) for n in range(4_000)}, ["TEA"]),
        rules=MailSettings(holdout=0.3, holdout_of_all=0.2, quiet_days_after_order=0, most_per_week=9),
    )
    for place, (name, lift) in enumerate((("works", 0.8), ("idle", 0.0))):
        shop.treat(keep_exposures=lambda told, at: events.extend(told))
        outcomes = shop.run(name, days=8 * place)
        for one, outcome in outcomes.items():
            if rng.random() < (0.2 * (1 + lift) if outcome.picks else 0.2):
                at = NOW + timedelta(days=8 * place + 3)
                fields = {"event_id": f"{name} {one}", "event_type": "purchase", "product_id": "TEA"}
                events.append(events[0].model_validate({**fields, "customer_id": one, "occurred_at": at}))
    results = {one.campaign_id: one for one in campaign_results(archive(tmp_path, *events).read(), 7, date(2027, 3, 1))}
    assert results["works"].effect.verdict == "more"
    assert results["works"].effect.low < 0.8 * 0.8 < results["works"].effect.high + 0.3
    assert results["idle"].effect.verdict in ("undecided", "no_difference")
    quarter = results[holdout_of_quarter(NOW, 0.2).name].effect
    assert quarter.verdict == "more"
