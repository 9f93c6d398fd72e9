"""What every Contacts promises to keep, in memory and on real servers."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from recommender.errors import StoreError, UnknownCampaignError
from recommender.events.event import Event
from recommender.person import digest_of_person
from recommender.redis.keys import Keys
from recommender.redis.shops import RedisShopStorage
from recommender.retention import MOST_MARKS, PERSONAL_PARTS, STANDING_KEPT_S
from recommender.settings import MailSettings
from recommender.storage.campaign import Campaign
from recommender.storage.contacts import MOST_CAMPAIGNS, Claim, ContactState, Mail
from recommender.storage.event_log import Verdict
from recommender.storage.shops import ShopStorage
from tests.support.governed import DAY, NOW, RULES, SECOND, Governed

ODD_IDS = ["{x}", "a:b", "*", "\n", "a\x00b", "käse 🧀", '"', '\\",', '","', "c:A", "[1,2]", "%d+"]


class TestCampaigns:
    CAMPAIGN = Campaign("due 48", "due_soon", 4, "v1", NOW)

    def test_one_is_kept_as_it_began(self, governed):
        assert governed.contacts.begin(self.CAMPAIGN) == self.CAMPAIGN
        assert governed.contacts.find("due 48") == self.CAMPAIGN

    def test_the_first_under_a_name_stays(self, governed):
        governed.contacts.begin(self.CAMPAIGN)
        later = Campaign("due 48", "everyone", 2, "v2", NOW + DAY)
        assert governed.contacts.begin(later) == self.CAMPAIGN
        assert governed.contacts.find("due 48") == self.CAMPAIGN

    def test_they_are_listed_the_latest_first(self, governed):
        assert governed.contacts.campaigns() == []
        for number, name in enumerate(("a", "b", "c")):
            governed.contacts.begin(Campaign(name, "everyone", 4, "v1", NOW - number * DAY))
        governed.contacts.begin(Campaign("b", "everyone", 4, "v1", NOW))
        assert [one.campaign_id for one in governed.contacts.campaigns()] == ["a", "b", "c"]

    def test_of_very_many_the_latest_are_listed(self, governed):
        for number in range(MOST_CAMPAIGNS + 2):
            governed.contacts.begin(Campaign(f"c{number}", "everyone", 4, "v1", NOW + number * SECOND))
        listed = governed.contacts.campaigns()
        assert (len(listed), listed[0].campaign_id) == (MOST_CAMPAIGNS, f"c{MOST_CAMPAIGNS + 1}")
        assert governed.contacts.find("c0").campaign_id == "c0"

    def test_one_that_is_cancelled_stays_so_from_the_first_time_on(self, governed):
        begun = governed.contacts.begin(Campaign("a", "everyone", 4, "v1", NOW, 0.05))
        assert governed.contacts.cancel("a", NOW + DAY) == replace(begun, cancelled_at=NOW + DAY)
        assert governed.contacts.cancel("a", NOW + 2 * DAY).cancelled_at == NOW + DAY
        assert governed.contacts.begin(begun) == governed.contacts.find("a") == governed.contacts.campaigns()[0]
        with pytest.raises(UnknownCampaignError):
            governed.contacts.cancel("b", NOW)

    def test_one_that_never_began_is_not_found(self, governed):
        governed.contacts.begin(self.CAMPAIGN)
        with pytest.raises(UnknownCampaignError, match="'due 49'"):
            governed.contacts.find("due 49")


class TestStandings:
    def test_nothing_is_known_of_a_stranger(self, governed):
        assert governed.contacts.standings(["ANN", "BOB"]) == [ContactState(), ContactState()]
        assert governed.contacts.standings([]) == []
        assert governed.contacts.claim([], RULES) == []

    def test_they_come_in_the_order_asked_for_and_may_repeat(self, governed):
        governed.tell("unsubscribe", customer_id="BOB")
        asked = governed.contacts.standings(["ANN", "BOB", "ANN", "BOB"])
        assert [one.unsubscribed for one in asked] == [False, True, False, True]

    def test_more_than_one_trip_takes_keep_their_order(self, governed):
        everybody = [f"C{n}" for n in range(1_201)]
        claims = [Claim("A", one, ("TEA",), None, NOW) for one in everybody]
        governed.tell("unsubscribe", customer_id="C1100")
        answers = governed.contacts.claim(claims, RULES)
        assert [n for n, answer in enumerate(answers) if answer] == [1100]
        found = governed.contacts.standings(everybody)
        assert [n for n, one in enumerate(found) if one.mail_of("A") is None] == [1100]

    def test_what_events_say_is_told(self, governed):
        governed.tell("subscribe", NOW)
        governed.tell("unsubscribe", NOW - DAY)
        governed.tell("mail_complaint", NOW - 2 * DAY)
        governed.tell("mail_bounce", NOW - 3 * DAY)
        governed.tell("subscription_start", NOW - 4 * DAY, product_id="COFFEE")
        governed.tell("purchase", NOW - 5 * DAY)
        assert governed.standing() == ContactState(
            (), NOW, NOW - DAY, NOW - 2 * DAY, NOW - 3 * DAY, NOW - 5 * DAY, frozenset({"COFFEE"})
        )

    def test_moments_are_kept_to_the_microsecond_and_in_utc(self, governed):
        at = datetime(2026, 11, 20, 1, 2, 3, 456_789, timezone(timedelta(hours=5, minutes=45)))
        for event_type in ("subscribe", "purchase", "mail_sent"):
            governed.tell(event_type, at)
        governed.claim("A", at)
        found = governed.standing()
        assert (found.subscribed_at, found.ordered_at) == (at, at)
        assert [(mail.at, mail.sent_at) for mail in found.mails] == [(at, at)]

    def test_ids_are_whatever_the_shop_makes_of_them(self, governed):
        for one in ODD_IDS:
            assert governed.claim(f"campaign {one}", customer_id=one, product_ids=(one, "TEA", one)) is None
            governed.tell("subscription_start", customer_id=one, product_id=one)
        for one, found in zip(ODD_IDS, governed.contacts.standings(ODD_IDS), strict=True):
            assert list(found.mails) == [Mail(f"campaign {one}", NOW, (one, "TEA"))]
            assert found.subscriptions == {one}

    def test_a_subscription_lasts_until_its_end_whatever_comes_first(self, governed):
        governed.tell("subscription_end", NOW, product_id="TEA")
        governed.tell("subscription_start", NOW - DAY, product_id="TEA")
        governed.tell("subscription_start", NOW, product_id="MILK")
        governed.tell("subscription_end", NOW - DAY, product_id="MILK")
        governed.tell("subscription_end", NOW, product_id="RICE")
        governed.tell("subscription_start", NOW, product_id="SALT")
        governed.tell("subscription_end", NOW, product_id="SALT")
        assert governed.standing().subscriptions == {"MILK", "SALT"}

    def test_mails_told_in_one_request_are_kept_as_if_told_one_by_one(self, storage, shop):
        told = [
            Event(
                event_id=str(number),
                event_type="mail_sent",
                customer_id=("ANN", "BEN")[number % 2],
                product_id=f"P{number % 70}",
                campaign_id=f"c{number % 205}",
                occurred_at=NOW - (number * 37 % 100) * DAY - number * SECOND,
            )
            for number in range(900)
        ]
        for one in told:
            storage.event_log(shop).accept([one], NOW, 10_000)
        storage.event_log(f"{shop}-b").accept(told, NOW, 10_000)
        alone, together = (storage.contacts(one).standings(["ANN", "BEN"]) for one in (shop, f"{shop}-b"))
        assert together == alone
        assert all(len(one.mails) > 100 for one in together)

    def test_more_subscriptions_than_are_kept_drive_out_old_ones_and_no_objection(self, governed):
        governed.tell("unsubscribe", NOW - 900 * DAY)
        for number in range(MOST_MARKS + 5):
            governed.tell("subscription_start", NOW - 500 * DAY + number * SECOND, product_id=f"P{number}")
        standing = governed.standing()
        assert len(standing.subscriptions) == MOST_MARKS - 1
        assert {f"P{number}" for number in range(MOST_MARKS // 2, MOST_MARKS + 5)} <= standing.subscriptions
        assert standing.unsubscribed

    @pytest.mark.parametrize(
        "at",
        [
            datetime(2024, 2, 29, 23, 59, 59, 999_999, UTC),
            datetime(2024, 3, 1, tzinfo=UTC),
            datetime(2025, 12, 31, 23, tzinfo=timezone(-timedelta(hours=9, minutes=30))),
            datetime(2000, 1, 1, tzinfo=timezone(timedelta(hours=14))),
            datetime(1970, 1, 1, tzinfo=UTC),
            datetime(2026, 10, 25, 2, 30, 0, 120_000, UTC),
        ],
    )
    def test_the_last_order_is_read_from_any_date(self, storage, shop, at):
        log, contacts = storage.event_log(shop), storage.contacts(shop)
        event = Event(event_id="1", event_type="purchase", customer_id="ANN", product_id="TEA", occurred_at=at)
        log.accept([event], at + DAY, 10)
        assert contacts.standings(["ANN"])[0].ordered_at == at

    def test_the_last_order_is_the_latest_whatever_came_last(self, governed):
        for days in (3, 1, 2):
            governed.tell("purchase", NOW - days * DAY)
        governed.tell("refund", NOW)
        assert governed.standing().ordered_at == NOW - DAY


class TestRelease:
    def test_a_mail_that_was_not_sent_no_longer_counts(self, governed):
        rules = MailSettings(most_per_week=1)
        governed.claim("A", rules=rules)
        governed.contacts.release("A", ["BOB"])
        governed.contacts.release("B", ["ANN"])
        assert governed.claim("B", rules=rules) == "too_often"
        governed.contacts.release("A", ["ANN"])
        assert governed.claim("B", rules=rules) is None

    def test_one_that_was_sent_stays(self, governed):
        governed.claim("A", product_ids=())
        governed.tell("mail_sent", campaign_id="A")
        governed.contacts.release("A", ["ANN"])
        assert list(governed.standing().mails) == [Mail("A", NOW, (), NOW)]

    def test_many_are_released_at_once_and_counted(self, governed):
        for customer_id in ("ANN", "BOB", "CLEO"):
            governed.claim("A", customer_id=customer_id)
        governed.tell("mail_sent", campaign_id="A", customer_id="CLEO")
        assert governed.contacts.release("A", ["ANN", "BOB", "CLEO", "NOBODY"]) == 2
        assert governed.contacts.release("A", ["ANN", "BOB", "CLEO", "NOBODY"]) == 0
        assert governed.contacts.release("A", []) == 0
        assert [len(governed.standing(one).mails) for one in ("ANN", "BOB", "CLEO")] == [0, 0, 1]


class TestErasure:
    def test_everything_goes_and_no_mail_follows(self, governed):
        governed.claim("A")
        governed.tell("subscribe")
        governed.claim("A", customer_id="BOB")
        governed.log.erase("ANN", NOW)
        assert governed.standing() == ContactState(erased=True)
        assert [governed.claim(campaign) for campaign in "AB"] == ["erased", "erased"]
        assert governed.standing("BOB").mail_of("A") is not None

    def test_later_events_bring_nothing_back(self, governed):
        governed.log.erase("ANN", NOW)
        for event_type in ("subscribe", "mail_sent"):
            assert governed.tell(event_type, NOW + DAY) is Verdict.ERASED
        assert governed.standing() == ContactState(erased=True)


def test_the_contacts_of_one_shop_are_no_other_shops(storage, shop):
    ours = Governed(storage.event_log(shop), storage.contacts(shop))
    theirs = Governed(storage.event_log(f"{shop}-b"), storage.contacts(f"{shop}-b"))
    ours.contacts.begin(TestCampaigns.CAMPAIGN)
    ours.claim("A")
    ours.tell("unsubscribe")
    ours.log.erase("BOB", NOW)
    assert theirs.contacts.standings(["ANN", "BOB"]) == [ContactState(), ContactState()]
    with pytest.raises(UnknownCampaignError):
        theirs.contacts.find("due 48")
    theirs.contacts.release("A", ["ANN"])
    theirs.log.erase("ANN", NOW)
    assert ours.standing().mail_of("A") is not None
    assert not ours.standing().erased


class TestInRedis:
    @pytest.fixture
    def storage(self, redis_shop) -> Iterator[ShopStorage]:
        storage = RedisShopStorage(redis_shop.url, timeout_ms=5_000)
        yield storage
        storage.close()

    @pytest.fixture
    def key(self, redis_shop):
        return lambda part: Keys(redis_shop.shop).of(part, digest_of_person("ANN", None))

    def fill(self, governed: Governed) -> None:
        governed.contacts.begin(TestCampaigns.CAMPAIGN)
        governed.claim("A")
        governed.tell("unsubscribe", customer_id="ANN")

    def test_no_id_is_part_of_a_key(self, governed, redis_shop):
        governed.claim("CAMPAIGN-ID", customer_id="CUSTOMER-ID")
        governed.tell("unsubscribe", customer_id="CUSTOMER-ID")
        assert not [key for key in redis_shop.list_keys() if "-ID" in key]

    def test_an_unsubscribe_never_ends_and_the_rest_does(self, governed, redis_shop):
        self.fill(governed)
        lives = {key.split(":")[2]: redis_shop.client.call("TTL", key) for key in redis_shop.list_keys()}
        assert lives["standing"] == -1
        assert {part: 90 * 86_400 - 60 < lives[part] <= 90 * 86_400 for part in ("mails", "campaign")} == {
            "mails": True,
            "campaign": True,
        }

    @pytest.mark.parametrize("event_type", ["unsubscribe", "mail_bounce", "mail_complaint"])
    def test_consent_and_subscriptions_end_and_an_objection_never_does(self, governed, redis_shop, event_type):
        def life() -> int:
            (key,) = (key for key in redis_shop.list_keys() if ":standing:" in key)
            return redis_shop.client.call("TTL", key)

        governed.tell("subscribe", customer_id="ANN")
        governed.tell("subscription_start", customer_id="ANN", product_id="MILK")
        assert STANDING_KEPT_S - 60 < life() <= STANDING_KEPT_S
        governed.tell(event_type, customer_id="ANN")
        assert life() == -1
        governed.tell("subscription_end", customer_id="ANN", product_id="MILK")
        assert life() == -1

    def test_an_erasure_deletes_both(self, governed, redis_shop):
        self.fill(governed)
        assert {"standing", "mails"} <= set(PERSONAL_PARTS)
        governed.log.erase("ANN", NOW)
        assert {key.split(":")[2] for key in redis_shop.list_keys()} == {
            "erased",
            "campaign",
            "campaigns",
            "seen",
            "events",
        }

    @pytest.mark.parametrize(
        ("part", "command"),
        [
            ("standing", ("HSET", "unsubscribe", "nonsense")),
            ("standing", ("HSET", "unsubscribe", "nan")),
            ("standing", ("HSET", "mail_bounce", "-1")),
            ("standing", ("HSET", "mail_complaint", "")),
            ("standing", ("SADD", "nonsense")),
            ("mails", ("HSET", "c:X", "nonsense")),
            ("mails", ("HSET", "c:X", "")),
            ("mails", ("HSET", "c:X", "\x00")),
            ("mails", ("SET", "nonsense")),
            ("orders", ("SET", "nonsense")),
        ],
    )
    def test_nobody_is_written_to_while_nonsense_is_kept(self, governed, redis_shop, key, part, command):
        redis_shop.client.call(command[0], key(part), *command[1:])
        everybody = [Claim("A", one, ("TEA",), None, NOW) for one in ("AMY", "ANN", "BOB")]
        with pytest.raises(StoreError, match="no contact") as caught:
            governed.contacts.claim(everybody, RULES)
        assert "ANN" not in str(caught.value)
        with pytest.raises(StoreError):
            governed.standing()
        redis_shop.client.call("DEL", key(part))
        assert list(governed.standing().mails) == []
        assert governed.contacts.claim(everybody, RULES) == [None] * 3

    @pytest.mark.parametrize("wire", ["5,0,", "5,0,1", "5,0]", "99999999999999999999,0", '5,0,"\xff'])
    def test_a_contact_that_cannot_be_read_is_an_error(self, governed, redis_shop, key, wire):
        redis_shop.client.call("HSET", key("mails"), "c:X", wire)
        with pytest.raises(StoreError, match="no contact"):
            governed.standing()

    @pytest.mark.parametrize("text", ["nonsense", "[]", "{}", '{"begun_at":"never"}'])
    def test_a_campaign_that_cannot_be_read_is_an_error(self, governed, redis_shop, text):
        governed.contacts.begin(TestCampaigns.CAMPAIGN)
        (kept,) = (one for one in redis_shop.list_keys() if ":campaign:" in one)
        redis_shop.client.call("SET", kept, text)
        with pytest.raises(StoreError, match="no contact or campaign"):
            governed.contacts.find("due 48")
        with pytest.raises(StoreError, match="no contact or campaign"):
            governed.contacts.begin(TestCampaigns.CAMPAIGN)

    def test_an_order_that_cannot_be_read_hides_no_other(self, governed, redis_shop, key):
        governed.tell("purchase", NOW - DAY)
        redis_shop.client.call("LPUSH", key("orders"), "nonsense", "[]", '{"event_type":"purchase"}', "\xff")
        assert governed.claim("A") == "quiet_after_order"
