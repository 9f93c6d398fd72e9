"""What every EventLog promises to readers of mails: their word holds, whatever clocks say and however much waits."""

from datetime import datetime, timedelta

import pytest

from recommender.errors import BackPressureError
from recommender.events.event import Event
from recommender.storage.event_log import MUST_BE_KEPT, Verdict
from tests.support.governed import DAY, NOW, READ_AT, SECOND, Governed

MINUTE = timedelta(minutes=1)


def press(governed: Governed, at: datetime = READ_AT, event_id: str = "pressed") -> None:
    """Unsubscribe on the page of our own."""
    event = Event(event_id=event_id, event_type="unsubscribe", customer_id="ANN", occurred_at=at)
    governed.log.unsubscribe(event)


@pytest.mark.parametrize("ahead", [timedelta(), 4 * MINUTE, DAY])
def test_what_a_reader_does_wins_over_all_that_came_before_whatever_its_stamp(governed: Governed, ahead: timedelta):
    governed.tell("subscribe", READ_AT + ahead)
    press(governed)
    assert governed.standing().unsubscribed


def test_a_page_whose_clock_is_behind_loses_nothing(governed: Governed):
    governed.tell("subscribe", READ_AT)
    press(governed, READ_AT - 4 * MINUTE)
    assert governed.standing().unsubscribed


def test_who_subscribes_after_that_is_subscribed(governed: Governed):
    press(governed, READ_AT - 4 * MINUTE)
    governed.tell("subscribe", READ_AT)
    assert not governed.standing().unsubscribed


def test_a_subscription_of_before_that_comes_later_changes_nothing(governed: Governed):
    press(governed)
    governed.tell("subscribe", NOW)
    assert governed.standing().unsubscribed


def test_a_stamp_ahead_counts_from_its_arrival(governed: Governed):
    governed.tell("subscribe", READ_AT + 4 * MINUTE)
    governed.tell("mail_bounce", READ_AT + 4 * MINUTE)
    standing = governed.standing()
    assert (standing.subscribed_at, standing.bounced_at) == (READ_AT, READ_AT)


def test_who_presses_again_within_the_second_is_heard_again(governed: Governed):
    press(governed)
    governed.tell("subscribe", READ_AT)
    press(governed, READ_AT - SECOND)
    assert governed.standing().unsubscribed


def test_an_erased_reader_leaves_no_mark(governed: Governed):
    governed.log.erase("ANN", NOW)
    press(governed)
    assert governed.standing().unsubscribed_at is None


def test_what_must_be_kept_is_kept_however_many_events_wait(governed: Governed):
    press(governed)  # one that waits
    told = [
        Event(event_id=one, event_type=one, customer_id="BEN", occurred_at=NOW)
        for one in ("unsubscribe", "mail_complaint", "mail_bounce")
    ]
    assert {one.event_type for one in told} == MUST_BE_KEPT
    assert governed.log.accept(told, READ_AT, 1) == [Verdict.ACCEPTED] * 3
    press(governed, event_id="pressed again")
    with pytest.raises(BackPressureError):
        governed.log.accept(
            [Event(event_id="s", event_type="subscribe", customer_id="BEN", occurred_at=NOW)], READ_AT, 1
        )


def test_a_request_that_is_refused_leaves_what_must_be_kept_and_may_be_repeated(governed: Governed):
    press(governed)
    events = [
        Event(event_id="v", event_type="view", customer_id="BEN", product_id="P", occurred_at=NOW),
        Event(event_id="u", event_type="unsubscribe", customer_id="BEN", occurred_at=NOW),
    ]
    with pytest.raises(BackPressureError):
        governed.log.accept(events, READ_AT, 1)
    assert governed.standing("BEN").unsubscribed
    assert governed.log.accept(events, READ_AT, 10) == [Verdict.ACCEPTED, Verdict.DUPLICATE]
