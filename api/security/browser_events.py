"""Events from browsers: what a publishable key, which everybody can read, may tell, of whom, and how much.

The bounds are those of one worker.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence

from api.window import Window
from recommender.errors import EventRejectedError, TooManyRequestsError
from recommender.events.event import Event, EventType
from recommender.person import digest, digest_of_person

BROWSER_EVENTS: frozenset[EventType] = frozenset(
    {"view", "add_to_cart", "remove_from_cart", "impression", "click", "not_interested", "exposure"}
)
MOST_OF_KEY = 1_000
"""Events of one key in KEY_WINDOW_S."""
KEY_WINDOW_S = 1
MOST_OF_PERSON = 400
"""Events of one session or customer in PERSON_WINDOW_S: more than fit into one body, six pages of sixty products."""
PERSON_WINDOW_S = 10


def check_browser_event(event: Event, customer_id: str | None) -> Event:
    """The event under an id of its own person, so that nobody can use up the ids of others, the shop's above all.

    Args:
        event: as it was sent.
        customer_id: whom the customer token names; None without one.

    Raises:
        EventRejectedError: `not_from_browsers` by its type, `other_customer` where it names one without the token.
    """
    if event.event_type not in BROWSER_EVENTS:
        raise EventRejectedError(
            "not_from_browsers", f"no browser may tell of a {event.event_type}; send it from the shop's back end"
        )
    if event.customer_id not in (None, customer_id):
        raise EventRejectedError(
            "other_customer", "the token of the request does not name this customer; send theirs, or a session_id alone"
        )
    person = digest_of_person(event.customer_id, event.session_id)
    return event.model_copy(update={"event_id": f"browser:{digest(f'{person} {event.event_id}')}"})


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
