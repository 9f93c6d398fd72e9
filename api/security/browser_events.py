"""Events from browsers: what a publishable key, which everybody can read, may tell, of whom, and how much.

The bounds are those of one worker.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from api.window import Window
from recommender.errors import EventRejectedError, TooManyRequestsError
from recommender.events.event import EVENT_TYPES, Event, EventType
from recommender.events.values import id_text
from recommender.person import digest, digest_of_person

BROWSER_EVENTS: frozenset[EventType] = frozenset(
    {"view", "add_to_cart", "remove_from_cart", "impression", "click", "not_interested", "exposure"}
)
_OF_THE_SHOP = [event_type for event_type in EVENT_TYPES if event_type not in BROWSER_EVENTS]
MOST_OF_KEY = 1_000
"""Events of one key in KEY_WINDOW_S."""
KEY_WINDOW_S = 1
MOST_OF_PERSON = 400
"""Events of one session or customer in PERSON_WINDOW_S: more than fit into one body, six pages of sixty products."""
PERSON_WINDOW_S = 10


def find_refusals(raw: Mapping[str, Any], customer_id: str | None) -> list[EventRejectedError]:
    """Why an event as it was sent may not come from a browser, whatever else is wrong with it; nothing where it may.

    `customer_id` is whom the customer token names; None without one.
    """
    refusals = []
    if raw.get("event_type") in _OF_THE_SHOP:
        words = f"no browser may tell of a {raw['event_type']}; send it from the shop's back end"
        refusals.append(EventRejectedError("not_from_browsers", words))
    if id_text(raw.get("customer_id")) not in (None, customer_id):
        words = "the token of the request does not name this customer; send theirs, or a session_id alone"
        refusals.append(EventRejectedError("other_customer", words))
    return refusals


def as_of_browser(event: Event, now: datetime) -> Event:
    """A valid event of a browser as it is kept, at the aware moment `now` of its request.

    Its id is one of its own person, so that nobody can use up the ids of others, the shop's above all. It did not
    happen after now: no shop can set the clock of a visitor, and a page that sent a beacon hears of no refusal.
    """
    person = digest_of_person(event.customer_id, event.session_id)
    own_id = f"browser:{digest(f'{person} {event.event_id}')}"
    return event.model_copy(update={"event_id": own_id, "occurred_at": min(event.occurred_at, now)})


class EventLimits:
    """Bounds on the events of publishable keys. Safe to share between threads.

    Args:
        clock: seconds that only go forward.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._keys = Window(KEY_WINDOW_S, MOST_OF_KEY)
        self._people = Window(PERSON_WINDOW_S, MOST_OF_PERSON)
        self._lock = threading.Lock()

    def take(self, key_id: str, events: Sequence[Event]) -> None:
        """Count events of one request. Raises TooManyRequestsError where they are too many: none may be kept."""
        with self._lock:
            now = self._clock()
            # the key's first: it bounds how many people are counted
            wait_s = self._keys.take(key_id, len(events), now)
            people = Counter(f"{key_id} {digest_of_person(one.customer_id, one.session_id)}" for one in events)
            if not wait_s:
                wait_s = max((self._people.take(one, n, now) for one, n in people.items()), default=0)
        if wait_s:
            raise TooManyRequestsError(
                f"too many events at once: {MOST_OF_PERSON} of one person in {PERSON_WINDOW_S} s, {MOST_OF_KEY:,} of "
                f"this key a second; send them again in {wait_s} s",
                wait_s,
            )
