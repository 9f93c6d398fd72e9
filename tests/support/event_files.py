"""Events and small archives for tests."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from recommender.events.event import Event
from training.events.archive import Archive, Archived

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def event(event_id: str, customer_id: str = "ANNA", product_id: str = "MILK", **fields) -> Event:
    """A purchase an hour before NOW, or what `fields` say."""
    fields = {"event_type": "purchase", "occurred_at": NOW - timedelta(hours=1), **fields}
    return Event(event_id=event_id, customer_id=customer_id, product_id=product_id, **fields)


def batch(events: Sequence[Event], first: int = 1) -> list[Archived]:
    """Events as they came out of the stream, a millisecond apart, the first `first` ms after NOW."""
    start = int(NOW.timestamp() * 1000) + first
    return [
        Archived(f"{start + number}-0", NOW + timedelta(milliseconds=first + number), one)
        for number, one in enumerate(events)
    ]


def archive(folder: Path, *events: Event, shop: str = "default") -> Archive:
    """An archive under `folder` that holds these events as one batch."""
    made = Archive(folder, shop)
    made.write(batch(events))
    return made
