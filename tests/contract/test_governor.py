"""Frequency capping and suppression of mails by events and earlier contacts: the same in memory and on real servers."""

from datetime import timedelta
from itertools import count

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from recommender.redis.shops import RedisShopStorage
from recommender.settings import MailSettings
from recommender.storage.contacts import MOST_MAILS, MOST_PRODUCTS, Claim, ContactState, Mail
from recommender.storage.event_log import Verdict
from tests.fakes.shops import MemoryShopStorage
from tests.support.governed import DAY, NOW, READ_AT, RULES, SECOND
from tests.support.governor_machine import GovernorMachine


class TestConsent:
    @pytest.mark.parametrize("order", [(0, 1), (1, 0)])
    @pytest.mark.parametrize(
        ("said", "later_subscribe", "expected"),
        [
            ("unsubscribe", -SECOND, "unsubscribed"),
            ("unsubscribe", timedelta(0), "unsubscribed"),
            ("unsubscribe", SECOND, None),
            ("mail_bounce", -SECOND, "bounced"),
            ("mail_bounce", timedelta(0), "bounced"),
            ("mail_bounce", SECOND, None),
            ("mail_complaint", SECOND, "quiet_after_complaint"),
        ],
    )
    def test_the_later_word_holds_whatever_comes_first(self, governed, order, said, later_subscribe, expected):
        words = [(said, NOW - DAY), ("subscribe", NOW - DAY + later_subscribe)]
        for n in order:
            governed.tell(*words[n])
        assert governed.claim("A") == expected

    def test_an_older_event_of_the_same_kind_moves_nothing(self, governed):
        governed.tell("unsubscribe", NOW - DAY)
        governed.tell("unsubscribe", NOW - 9 * DAY)
        governed.tell("subscribe", NOW - 5 * DAY)
        assert governed.claim("A") == "unsubscribed"

    def test_who_never_said_anything_is_written_to_where_consent_is_assumed(self, governed):
        required = MailSettings(consent="required")
        assert governed.claim("A", rules=required) == "no_consent"
        assert governed.claim("A") is None
        governed.tell("subscribe", customer_id="BOB")
        assert governed.claim("A", customer_id="BOB", rules=required) is None

    def test_who_leaves_gets_no_mail_that_was_claimed_before(self, governed):
        assert governed.claim("A") is None
        governed.tell("unsubscribe", NOW + SECOND)
        assert governed.claim("A") == "unsubscribed"

    def test_an_event_counts_at_once_and_once(self, governed):
        assert governed.tell("unsubscribe", event_id="1") is Verdict.ACCEPTED
        assert governed.tell("subscribe", NOW + DAY, event_id="1") is Verdict.DUPLICATE
        assert governed.claim("A") == "unsubscribed"

    def test_opens_and_clicks_change_nothing(self, governed):
        governed.tell("mail_open", campaign_id="A")
        governed.tell("click", campaign_id="A", product_id="TEA")
        governed.tell("exposure", campaign_id="A")
        assert governed.standing() == ContactState()


class TestQuietDays:
    @pytest.mark.parametrize("source", ["event", "claim"])
    @pytest.mark.parametrize(
        ("after", "expected"),
        [
            (-DAY, "quiet_after_order"),
            (timedelta(0), "quiet_after_order"),
            (DAY, "quiet_after_order"),
            (2 * DAY - SECOND, "quiet_after_order"),
            (2 * DAY, None),
        ],
    )
    def test_no_mail_the_day_after_an_order(self, governed, source, after, expected):
        if source == "event":
            governed.tell("purchase", NOW - after)
        known = None if source == "event" else NOW - after
        assert governed.claim("A", last_order_at=known) == expected

    def test_an_order_that_arrives_after_a_later_one_hides_nothing(self, governed):
        governed.tell("purchase", NOW - DAY)
        governed.tell("purchase", NOW - 30 * DAY)
        assert governed.claim("A", last_order_at=NOW - 60 * DAY) == "quiet_after_order"

    @pytest.mark.parametrize(("after", "expected"), [(90 * DAY - SECOND, "quiet_after_complaint"), (90 * DAY, None)])
    def test_a_complaint_is_followed_by_quiet_days(self, governed, after, expected):
        governed.tell("mail_complaint", NOW - after)
        assert governed.claim("A") == expected

    def test_no_days_are_none(self, governed):
        governed.tell("mail_complaint")
        governed.tell("purchase")
        rules = MailSettings(quiet_days_after_order=0, quiet_days_after_complaint=0)
        assert governed.claim("A", last_order_at=NOW, rules=rules) is None


class TestWindow:
    @pytest.mark.parametrize(
        ("others", "expected"),
        [
            ([-1], None),
            ([-1, -2], "too_often"),
            ([1, 2], "too_often"),
            ([-1, 1], "too_often"),
            ([-6, 1], None),
            ([-7, -1], None),
            ([-3, 4], None),
            ([-3, 3], "too_often"),
            ([-1, 7], None),
            ([-6, -3, 3, 6], "too_often"),
            ([-6, -5], "too_often"),
        ],
    )
    def test_no_seven_days_hold_more_than_two(self, governed, others, expected):
        for days in others:
            governed.tell("mail_sent", NOW + days * DAY, campaign_id=f"of day {days}")
        assert governed.claim("A") == expected

    @pytest.mark.parametrize("sign", [1, -1])
    def test_two_mails_seven_days_apart_share_no_week(self, governed, sign):
        rules = MailSettings(most_per_week=1)
        assert governed.claim("A", NOW) is None
        assert governed.claim("B", NOW + sign * (7 * DAY - SECOND), rules=rules) == "too_often"
        assert governed.claim("C", NOW + sign * 7 * DAY, rules=rules) is None

    def test_who_wants_fewer_gets_one_in_thirty_days(self, governed):
        assert governed.claim("A", NOW - 29 * DAY) is None
        assert governed.claim("B", NOW - 10 * DAY) is None
        governed.tell("fewer_mails", NOW - 9 * DAY)
        assert governed.claim("C", NOW) == "wants_fewer"
        assert governed.claim("B", NOW) is None, "a campaign that has the customer already runs again"
        assert governed.claim("C", NOW + 20 * DAY) is None
        assert governed.claim("D", NOW + 50 * DAY - SECOND) == "wants_fewer"
        governed.tell("subscribe", NOW - 8 * DAY)
        assert governed.claim("D", NOW) is None

    def test_none_a_week_are_none(self, governed):
        assert governed.claim("A", rules=MailSettings(most_per_week=0)) == "too_often"

    def test_claims_of_one_batch_count_for_each_other(self, governed):
        claims = [Claim(one, "ANN", ("TEA",), None, NOW) for one in "ABC"]
        assert governed.contacts.claim(claims, RULES) == [None, None, "too_often"]

    def test_a_campaign_that_runs_again_is_granted_the_same_and_changes_nothing(self, governed):
        governed.claim("A", product_ids=("TEA",))
        governed.claim("B", NOW + DAY)
        governed.tell("purchase", NOW + DAY)
        before = governed.standing()
        assert governed.claim("A", NOW + 2 * DAY, product_ids=("MILK",)) is None
        assert governed.claim("C", NOW + 2 * DAY) == "quiet_after_order"
        assert governed.standing() == before

    def test_a_refused_claim_leaves_no_trace(self, governed):
        governed.tell("purchase")
        governed.claim("A")
        assert list(governed.standing().mails) == []


class TestMailsOfOthers:
    def test_a_mail_that_another_system_sent_counts(self, governed):
        governed.tell("mail_sent", campaign_id="X", product_id="TEA")
        governed.tell("mail_sent", NOW - DAY)
        assert list(governed.standing().mails) == [Mail("X", NOW, ("TEA",), NOW), Mail("", NOW - DAY, (), NOW - DAY)]
        assert governed.claim("A") == "too_often"

    def test_it_is_the_mail_that_its_campaign_claimed(self, governed):
        governed.claim("A", NOW, product_ids=("TEA", "MILK"))
        governed.tell("mail_sent", NOW + 3 * DAY, campaign_id="A", product_id="TEA")
        governed.tell("mail_sent", NOW + 2 * DAY, campaign_id="A", product_id="RICE")
        assert list(governed.standing().mails) == [Mail("A", NOW, ("TEA", "MILK", "RICE"), NOW + 3 * DAY)]

    def test_a_campaign_claims_what_was_sent_for_it(self, governed):
        governed.tell("mail_sent", campaign_id="A", product_id="TEA")
        assert governed.claim("A", NOW + DAY, product_ids=("MILK",)) is None
        assert list(governed.standing().mails) == [Mail("A", NOW, ("TEA",), NOW)]

    def test_a_mail_counts_from_when_it_was_sent_where_that_was_later(self, governed):
        rules = MailSettings(most_per_week=1)
        governed.claim("A", NOW, rules=rules)
        governed.tell("mail_sent", NOW + 4 * DAY, campaign_id="A")
        assert governed.claim("B", NOW + 8 * DAY, rules=rules) == "too_often"
        assert governed.claim("B", NOW + 11 * DAY, rules=rules) is None

    def test_an_old_one_is_no_contact(self, governed):
        governed.tell("mail_sent", READ_AT - 90 * DAY, campaign_id="A")
        governed.tell("mail_sent", READ_AT - 90 * DAY + SECOND, campaign_id="B")
        assert [mail.campaign_id for mail in governed.standing().mails] == ["B"]

    def test_only_the_latest_contacts_are_kept(self, governed):
        sent = [NOW + n * SECOND for n in range(MOST_MAILS + 5)]
        for n, at in enumerate(sent):
            governed.tell("mail_sent", at, campaign_id=str(n))
        assert [mail.at for mail in governed.standing().mails] == sent[:4:-1]
        governed.claim("A", NOW + 102 * DAY)
        assert [mail.campaign_id for mail in governed.standing().mails] == ["A"]

    def test_only_so_many_products_are_kept_of_one(self, governed):
        products = [f"P{n}" for n in range(MOST_PRODUCTS + 5)]
        for product_id in products:
            governed.tell("mail_sent", campaign_id="A", product_id=product_id)
        assert governed.standing().mails[0].product_ids == tuple(products[:MOST_PRODUCTS])


@pytest.mark.parametrize("server", ["redis_url", "other_redis_url"])
def test_the_server_decides_as_the_memory_does(request, server, shop, connect):
    """Random histories; see `tests.support.governor_machine`."""
    url = request.getfixturevalue(server)
    storage, client, numbers = RedisShopStorage(url, timeout_ms=5_000), connect(url), count()

    class Twins(GovernorMachine):
        def make(self):
            name, memory = f"{shop}-{next(numbers)}", MemoryShopStorage()
            return [(one.event_log(name), one.contacts(name)) for one in (memory, storage)]

    try:
        run_state_machine_as_test(Twins, settings=settings(max_examples=100, stateful_step_count=25))
    finally:
        storage.close()
        client.call("DEL", "none", *client.call("KEYS", f"reprise:{{{shop}-*"))
    assert next(numbers) > 1
