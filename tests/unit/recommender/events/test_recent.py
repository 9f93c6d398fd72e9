"""What is kept of a person's recent events is read whatever stands among them, and stays decoded within bounds."""

from datetime import UTC, datetime

import pytest

from recommender.events import recent
from recommender.events.event import Event
from recommender.events.recent import MOST_DECODED, RecentEvent, recent_events

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def wire(product_id: str) -> bytes:
    return Event(event_id="e", event_type="view", session_id="s", product_id=product_id, occurred_at=NOON).to_json()


def products(wires: list[bytes]) -> list[str]:
    return [event.product_id for event in recent_events(wires)]


def test_events_are_read_in_their_order_new_ones_and_known_ones():
    assert products([wire("milk"), wire("tea")]) == ["milk", "tea"]
    assert products([wire("tea"), wire("coffee"), wire("milk"), wire("tea")]) == ["tea", "coffee", "milk", "tea"]
    assert recent_events([wire("milk")]) == [RecentEvent("view", "milk", NOON.timestamp(), 1.0, None)]
    assert recent_events([]) == []


@pytest.mark.parametrize("nonsense", [b"", b"no JSON", b"7", b"null", b'{"event_type":"view"}', b"{},{}", b"\xff"])
def test_what_cannot_be_read_hides_no_other(nonsense):
    assert products([wire("milk"), nonsense, wire("tea")]) == ["milk", "tea"]
    assert products([nonsense]) == []


def test_what_stays_decoded_is_bounded():
    kept = recent._decode.cache_info
    products([wire(f"{n}") for n in range(MOST_DECODED + 5)])
    assert kept().currsize == MOST_DECODED
    hits = kept().hits
    assert products([wire(f"{MOST_DECODED}")]) == [f"{MOST_DECODED}"]
    assert kept().hits == hits + 1
