"""What came of it: counters by placement, campaigns with what they caused, experiments over time."""

import re
from dataclasses import replace
from datetime import date, timedelta

import pytest

from recommender.events.event import Event
from recommender.experiments.experiment import Experiment
from recommender.experiments.looks import ExperimentLook, VariantLook
from recommender.results.campaigns import CampaignResults, Effect, VariantResults
from recommender.results.placements import DayResults, PlacementRow
from recommender.results.store import CountedDay
from recommender.settings import MailSettings, Settings
from recommender.storage.contacts import Claim
from tests.support.console import Visitor, World, open_world, to_text
from tests.support.redis_servers import wait_until
from tests.support.small_shop import NOW

TODAY = NOW.date()


def count(world: World, *rows: PlacementRow, day: date = TODAY) -> None:
    results = world.storage.results("default")
    results.keep_days([CountedDay(DayResults(day.isoformat(), rows), "digest")])
    results.note_count(NOW)


def row(placement="home", kind="buy_again", reason="DUE_SOON", ranks="1-3", **counts) -> PlacementRow:
    return PlacementRow(placement, kind, reason, ranks, **counts)


def test_without_counters_it_says_what_is_missing_and_never_what_adds_no_value(world: World, reader: Visitor) -> None:
    for view in ("overview", "placements"):
        assert "Nothing is counted yet: run `reprise worker`." in reader.text(view)
    world.storage.results("default").note_count(NOW)
    for view in ("overview", "placements"):
        text = reader.text(view)
        assert "Put the widget on a page" in text
        assert "later ranks" not in text


def test_the_overview_sums_the_week_up_with_its_money(world: World, reader: Visitor) -> None:
    count(world, row(seen=100, clicked=10, carted=4, bought=3, units=3.0, money={"EUR": 30.0, "SEK": 99.0}))
    count(world, row(seen=1_000, bought=50), day=TODAY - timedelta(days=8))
    text = reader.text("overview")
    assert "Seen 100 Clicked 10 Put into the cart 4 Bought 3 Money €30.00 Money SEK" in text


def test_placements_by_kind_reason_and_rank_with_a_column_for_each_currency(world: World, reader: Visitor) -> None:
    count(
        world,
        row(seen=100, clicked=10, carted=4, bought=3, money={"EUR": 30.0}),
        row(kind="discover", reason="CHOSEN_FOR_YOU", ranks="7-12", seen=50, clicked=1, bought=1, money={"SEK": 99.0}),
        row(placement="cart", kind=None, reason=None, ranks="unknown", seen=7),
    )
    text = reader.text("placements")
    assert "home 150 11 7.3 % 4 4 €30.00" in text
    assert "home buy again due soon 1 to 3 100 10 10 % 4 3 €30.00" in text
    assert "cart not told not told not told 7 0 0 % 0 0" in text
    only = reader.text("placements", placement="cart")
    assert "due soon" not in only
    csv = reader.get("placements", **{"table": "by_placement", "as": "csv"}).text.splitlines()
    assert csv[0].endswith('"Money (EUR)","Money (SEK)"')
    assert csv[2] == '"home",150,11,0.07333333333333333,4,4,30.0,99.0'


def test_of_the_cap_it_says_something_only_with_enough_purchases(world: World, reader: Visitor) -> None:
    count(world, row(seen=100, bought=29), row(ranks="7-12", seen=50))
    assert "home 29 – not enough to judge: 30 purchases at least" in reader.text("placements")
    count(world, row(seen=100, bought=99))
    assert "home 99 – nothing was seen at rank 7 or later" in reader.text("placements")
    count(world, row(seen=100, bought=99), row(ranks="7-12", seen=50, bought=1))
    assert "home 100 1.0 % later ranks bring little" in reader.text("placements")
    count(world, row(seen=100, bought=80), row(ranks="13 on", seen=50, bought=20))
    assert "home 100 20 % later ranks bring something" in reader.text("placements")


def campaign(effect: Effect, name: str = "w47") -> CampaignResults:
    mailed = VariantResults(
        "mailed", selected=600, refused={"too_often": 300, "unsubscribed": 15}, sent=285, opened=100, clicked=40,
        bought=9, money={"EUR": 120.0}, took_part=285, orders=90,
    )  # fmt: skip
    held = VariantResults("holdout", selected=60, refused={"too_often": 30}, took_part=30, orders=7)
    return CampaignResults(name, NOW.isoformat(), 14.0, (mailed, held), effect)


@pytest.mark.parametrize(
    ("effect", "said"),
    [
        (Effect("more", 0.031, 0.004, 0.059, 12.0), "Brought 3.1 % more orders; between 0.4 % and 5.9 %."),
        (Effect("fewer", -0.2, -0.3, -0.1, -9.0), "Cost 20 % of the orders; between 30 % and 10 %."),
        (Effect("undecided", 0.01, -0.1, 0.12, 1.0, 9), "Not decided yet: about 9 more weeks at this size."),
        (Effect("running", until="2026-12-04"), "Too early: orders count until 4 Dec 2026."),
        (Effect("no_holdout"), "nobody was held out"),
        (Effect("no_orders"), "nobody tells of orders"),
    ],
)
def test_a_campaign_says_what_it_caused_in_a_sentence(world: World, reader: Visitor, effect: Effect, said: str) -> None:
    world.storage.results("default").keep_campaigns([campaign(effect)], "digest")
    assert said in reader.text("campaigns")
    assert said in reader.text("campaigns", campaign="w47")


def test_a_campaign_shows_who_got_it_and_why_others_did_not(world: World, reader: Visitor) -> None:
    world.storage.results("default").keep_campaigns([campaign(Effect("more", 0.1, 0.0, 0.2, 3.0))], "digest")
    assert re.search(r"begun elsewhere 660 345 285 100 40 9 \S.*€120.00", reader.text("campaigns"))
    text = reader.text("campaigns", campaign="w47")
    assert "to get the mail 600 285 0 100 40 9 0 0 285 90 €120.00" in text
    assert "held out 60" in text
    assert "got mails enough this week 330" in text
    assert "No campaign is called nope" in reader.text("campaigns", campaign="nope")


def test_a_thousand_campaigns_are_a_page_of_a_hundred_and_a_file_of_all(world: World, reader: Visitor) -> None:
    world.storage.results("default").keep_campaigns(
        [campaign(Effect("no_holdout"), f"c{i}") for i in range(1_000)], "d"
    )
    page = reader.get("campaigns")
    assert len(page.data) < 150_000
    assert "100 of 1,000 rows are shown" in page.text
    assert len(reader.get("campaigns", **{"table": "campaigns", "as": "csv"}).text.splitlines()) == 1_001


def test_a_campaign_is_begun_here_as_by_the_api(world: World, owner: Visitor) -> None:
    page = owner.get("campaigns")
    answer = owner.submit(page, "Begin", campaign="w48", audience="everyone", slots="2")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/console/campaigns?done=campaign")
    assert world.storage.jobs("default").find("w48").campaign.slots == 2
    assert [one.what for one in world.storage.actions("default")] == ["campaign"]
    for wrong in (
        {"campaign": "no spaces"},
        {"campaign": "w49", "slots": "x"},
        {"campaign": "w50", "audience": "nobody"},
        {"campaign": "w51", "slots": "0000000019999"},
        {"campaign": "w52", "slots": f"000000001{'0' * 5_000}"},
    ):
        assert owner.submit(page, "Begin", **{"audience": "everyone", **wrong}).status_code == 400


TRIED = Experiment(name="cap-6", variants={"control": 1, "six": 1}, holdout=0.1, placements=("home",))


def look(day: int, lift: float, low: float, high: float, *, mismatch: bool = False) -> ExperimentLook:
    control = VariantLook("control", 500, 500.0, 1.5)
    six = VariantLook("six", 510, 500.0, 1.6, lift, low, high, 0.08)
    return ExperimentLook("cap-6", f"2026-11-{day:02}T06:00:00Z", "control", mismatch, (control, six))


@pytest.fixture
def trial() -> World:
    return open_world(settings=Settings(experiments=[TRIED]))


def test_an_experiment_says_what_it_causes_and_how_that_settled(trial: World) -> None:
    visitor = trial.browser()
    assert "Nobody has looked yet. Run `reprise experiment NAME" in visitor.text("experiments")
    trial.storage.note_look("default", look(18, 0.09, -0.02, 0.2))
    assert "cap-6: six against control is not decided yet." in visitor.text("experiments")
    trial.storage.note_look("default", look(19, 0.08, 0.02, 0.14))
    page = visitor.get("experiments")
    text = to_text(page.text)
    assert "cap-6: six brings 8.0 % more orders per customer than control (between 2.0 % and 14 %)." in text
    assert "18 Nov 2026, 06:00 UTC six 9.0 % -2.0 % 20 %" in text
    assert '<polygon class="band"' in page.text
    assert "six 510 500 1.6 8.0 % 2.0 % 14 % 8.0 %" in text
    trial.storage.note_look("default", look(20, 0.08, 0.02, 0.14, mismatch=True))
    assert "Trust no figure before the cause is found" in visitor.text("experiments")


def test_without_an_experiment_it_says_how_to_set_one_up(reader: Visitor) -> None:
    assert "No experiment is set up." in reader.text("experiments")


def test_a_campaign_is_cancelled_here_and_stands_in_the_list_before_anything_is_counted(
    world: World, owner: Visitor
) -> None:
    owner.submit(owner.get("campaigns"), "Begin", campaign="w48", audience="everyone", slots="2")
    assert "w48 20 Nov 2026, 12:00 UTC everyone begun" in owner.text("campaigns")
    page = owner.get("campaigns", campaign="w48")
    assert "Nothing is counted yet" in page.text
    assert owner.submit(page, "Cancel this campaign").status_code == 303
    assert "cancelled" in owner.text("campaigns", campaign="w48")
    assert world.storage.contacts("default").find("w48").cancelled_at == NOW
    wait_until(lambda: len(world.storage.actions("default")) == 3, "who was chosen is free")
    assert [one.what for one in world.storage.actions("default")] == ["freed", "cancel", "campaign"]
    chosen = VariantResults("mailed", selected=600, took_part=285, orders=90)
    counted = replace(campaign(Effect("more", 0.031, 0.004, 0.059, 12.0), "w48"), variants=(chosen,))
    world.storage.results("default").keep_campaigns([counted], "digest")
    for said in (owner.text("campaigns"), owner.text("campaigns", campaign="w48")):
        assert "nobody told of a mail that was sent: it caused nothing" in said
        assert "Brought" not in said


@pytest.mark.parametrize("button", ["Cancel this campaign", "Undo"])
def test_cancelling_or_undoing_frees_who_was_chosen_and_not_written_to(
    world: World, owner: Visitor, button: str
) -> None:
    contacts = world.storage.contacts("default")
    owner.submit(owner.get("campaigns"), "Begin", campaign="w48", audience="everyone")
    for customer in ("ANNA", "x/y"):
        assert contacts.claim([Claim("w48", customer, ("MILK",), None, NOW)], MailSettings()) == [None]
    told = Event(event_id="1", event_type="mail_sent", customer_id="x/y", campaign_id="w48", occurred_at=NOW)
    world.storage.event_log("default").accept([told], NOW, 10)
    page = owner.get("campaigns", campaign="w48") if button != "Undo" else owner.get("actions")
    assert owner.submit(page, button).status_code == 303
    wait_until(lambda: world.storage.actions("default")[0].what == "freed", "who was chosen is free")
    assert world.storage.actions("default")[0].after == {"customers": 1}
    anna, other = contacts.standings(["ANNA", "x/y"])
    assert (len(anna.mails), len(other.mails)) == (0, 1), "what was sent stays counted"
    again = owner.get("campaigns", campaign="w48")
    assert "It is cancelled." in again.text
    assert owner.submit(again, "Set free again").status_code == 303
    wait_until(lambda: world.storage.actions("default")[0].after == {"customers": 0}, "nobody was left")


def test_it_says_why_a_customer_got_no_mail(world: World, owner: Visitor) -> None:
    assert "No campaign began in the last 90 days" in owner.text("customers", customer="ANNA", mails="yes")
    owner.submit(owner.get("campaigns"), "Begin", campaign="w48", audience="win_back", slots="2")
    assert 'href="/console/customers?customer=ANNA&amp;mails=yes"' in owner.get("customers", customer="ANNA").text
    text = owner.text("customers", customer="ANNA", mails="yes")
    assert re.search(r"w48 nothing not in audience win_back", text)
    persian = world.browser(world.keys["admin"], language="fa")
    assert "در مخاطبان نیست" in persian.text("customers", customer="ANNA", mails="yes")
