"""What every EventLog promises to readers of mails: their word holds, whatever clocks say and however much waits."""

from datetime import UTC, datetime, timedelta

import pytest

from recommender.errors import BackPressureError
from recommender.events.event import Event, EventType
from recommender.redis.shops import RedisShopStorage
from recommender.storage.event_log import MUST_BE_KEPT, Verdict
from tests.support.governed import DAY, NOW, SECOND, Governed

MINUTE = timedelta(minutes=1)
LATE = datetime(2100, 1, 1, tzinfo=UTC)
"""When the events come. The clock of Redis is behind that, so it decides nothing here."""


def press(
    governed: Governed, at: datetime = LATE, event_id: str = "pressed", event_type: EventType = "unsubscribe"
) -> None:
    """Unsubscribe on the page of our own, or press another of its buttons."""
    event = Event(event_id=event_id, event_type=event_type, customer_id="ANN", occurred_at=at)
    governed.log.tell_reader(event)


def tell(governed: Governed, event_type: str, at: datetime) -> None:
    """One event of the shop, which comes at LATE."""
    event = Event(event_id=f"{event_type} {at}", event_type=event_type, customer_id="ANN", occurred_at=at)
    assert governed.log.accept([event], LATE, 10) == [Verdict.ACCEPTED]


@pytest.mark.parametrize("ahead", [timedelta(), 4 * MINUTE, DAY])
def test_what_a_reader_does_wins_over_all_that_came_before_whatever_its_stamp(governed: Governed, ahead: timedelta):
    tell(governed, "subscribe", LATE + ahead)
    press(governed)
    assert governed.standing().unsubscribed


def test_a_page_whose_clock_is_behind_loses_nothing(governed: Governed):
    tell(governed, "subscribe", LATE)
    press(governed, LATE - 4 * MINUTE)
    assert governed.standing().unsubscribed


def test_who_subscribes_after_that_is_subscribed(governed: Governed):
    press(governed, LATE - 4 * MINUTE)
    tell(governed, "subscribe", LATE)
    assert not governed.standing().unsubscribed


def test_a_subscription_of_before_that_comes_later_changes_nothing(governed: Governed):
    press(governed)
    tell(governed, "subscribe", NOW)
    assert governed.standing().unsubscribed


def test_a_stamp_ahead_counts_from_its_arrival(governed: Governed):
    tell(governed, "subscribe", LATE + 4 * MINUTE)
    tell(governed, "mail_bounce", LATE + 4 * MINUTE)
    standing = governed.standing()
    assert (standing.subscribed_at, standing.bounced_at) == (LATE, LATE)


def test_who_presses_again_within_the_second_is_heard_again(governed: Governed):
    press(governed)
    tell(governed, "subscribe", LATE)
    press(governed, LATE - SECOND)
    assert governed.standing().unsubscribed


@pytest.mark.parametrize("late", [timedelta(), 4 * MINUTE, -4 * MINUTE])
def test_the_way_back_wins_over_what_was_pressed_before(governed: Governed, late: timedelta):
    press(governed)
    press(governed, LATE + late, "back", "subscribe")
    assert not governed.standing().unsubscribed
    press(governed, LATE + late, "fewer", "fewer_mails")
    assert governed.standing().wants_fewer
    press(governed, LATE + late, "back again", "subscribe")
    assert not governed.standing().wants_fewer
    press(governed, LATE + late, "gone")
    assert governed.standing().unsubscribed


def test_an_erased_reader_leaves_no_mark(governed: Governed):
    governed.log.erase("ANN", NOW)
    press(governed)
    assert governed.standing().unsubscribed_at is None


def test_what_must_be_kept_is_kept_however_many_events_wait(governed: Governed):
    press(governed)  # one that waits
    told = [
        Event(event_id=one, event_type=one, customer_id="BEN", occurred_at=NOW)
        for one in ("unsubscribe", "fewer_mails", "mail_complaint", "mail_bounce")
    ]
    assert {one.event_type for one in told} == MUST_BE_KEPT
    assert governed.log.accept(told, LATE, 1) == [Verdict.ACCEPTED] * 4
    press(governed, event_id="pressed again")
    press(governed, event_id="back", event_type="subscribe")
    assert not governed.standing().unsubscribed
    with pytest.raises(BackPressureError):
        governed.log.accept([Event(event_id="s", event_type="subscribe", customer_id="BEN", occurred_at=NOW)], LATE, 1)


def test_a_request_that_is_refused_leaves_what_must_be_kept_and_may_be_repeated(governed: Governed):
    press(governed)
    events = [
        Event(event_id="v", event_type="view", customer_id="BEN", product_id="P", occurred_at=NOW),
        Event(event_id="u", event_type="unsubscribe", customer_id="BEN", occurred_at=NOW),
    ]
    with pytest.raises(BackPressureError):
        governed.log.accept(events, LATE, 1)
    assert governed.standing("BEN").unsubscribed
    assert governed.log.accept(events, LATE, 10) == [Verdict.ACCEPTED, Verdict.DUPLICATE]


class TestInRedis:
    """With clocks as they are."""

    @pytest.fixture
    def governed(self, redis_shop) -> Governed:
        storage = RedisShopStorage(redis_shop.url, timeout_ms=5_000)
        return Governed(storage.event_log(redis_shop.shop), storage.contacts(redis_shop.shop))

    def test_a_service_whose_clock_is_behind_makes_no_moment_older(self, governed: Governed):
        now = datetime.now(UTC)
        behind = now - 4 * MINUTE
        told = [("subscribe", now - 2 * MINUTE, now), ("unsubscribe", now - MINUTE, behind)]
        for event_type, at, received in told:
            event = Event(event_id=event_type, event_type=event_type, customer_id="ANN", occurred_at=at)
            governed.log.accept([event], received, 10)
        assert governed.standing().unsubscribed

    def test_what_a_page_whose_clock_is_behind_keeps_outlasts_what_was_said_before_and_comes_later(
        self, governed: Governed
    ):
        now = datetime.now(UTC)
        press(governed, now - 4 * MINUTE)
        late = Event(event_id="s", event_type="subscribe", customer_id="ANN", occurred_at=now - MINUTE)
        governed.log.accept([late], now, 10)
        assert governed.standing().unsubscribed
