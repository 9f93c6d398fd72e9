"""Rate limits of API keys, without a round trip per request.

Every worker keeps a token bucket per key: it holds two seconds' worth of requests and fills at the key's rate. What a
worker lets pass it adds up and exchanges with the others through Redis, a few times a second in the background; what
the others let pass is taken out of its own bucket too. So all buckets follow one sum: over time a key gets its rate,
however many workers there are. Until the first exchange each worker may let a full bucket pass; the key pays for it by
waiting, at most `MAX_DEBT_S`.

Headers are those of draft-ietf-httpapi-ratelimit-headers-06.
"""

import math
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from api.security.callers import Principal
from recommender.storage.api_keys import KeyKind

BURST_S = 2.0
MAX_DEBT_S = 10.0
FORGOTTEN_S = 5.0
"""After a longer pause between two exchanges, what others let pass meanwhile has been filled up again."""


class Allowance(NamedTuple):
    """The state of a key's bucket after one request; `retry_after_s` is 0 where it may pass."""

    limit: int
    remaining: int
    reset_s: int
    retry_after_s: int

    def headers(self) -> list[tuple[str, str]]:
        """The `RateLimit-*` headers; `RateLimit-Reset` counts the seconds until the bucket is full."""
        return [
            ("RateLimit-Limit", str(self.limit)),
            ("RateLimit-Remaining", str(self.remaining)),
            ("RateLimit-Reset", str(self.reset_s)),
        ]


@dataclass(slots=True)
class _Bucket:
    rate: float
    limit: int
    tokens: float
    filled_at: float
    unsent: int = 0

    def fill(self, now: float) -> None:
        self.tokens = min(self.limit, self.tokens + (now - self.filled_at) * self.rate)
        self.filled_at = now

    def spend(self, n: int) -> None:
        """Let `n` requests pass."""
        self.tokens -= n
        self.unsent += n

    def allowance(self, *, passes: bool) -> Allowance:
        """The state after a request."""
        wait_s = 0 if passes else math.ceil((1 - self.tokens) / self.rate)
        reset_s = math.ceil((self.limit - self.tokens) / self.rate)
        return Allowance(self.limit, max(0, int(self.tokens)), reset_s, wait_s)

    def pay(self, others: int, now: float) -> None:
        """Take out what others let pass; less than nothing where Redis was emptied since."""
        self.fill(now)
        self.tokens = max(self.tokens - max(0, others), min(self.tokens, -MAX_DEBT_S * self.rate))


class RateLimits:
    """The buckets of one worker. Safe to share between threads.

    Args:
        rates: requests a second of a key that has no rate of its own, by its kind.
        clock: seconds that only go forward.
    """

    def __init__(self, rates: Mapping[KeyKind, float], clock: Callable[[], float] = time.monotonic) -> None:
        self._rates = rates
        self._clock = clock
        self._buckets: dict[str, _Bucket] = {}
        self._totals: Mapping[str, int] = {}
        self._exchanged_at = -math.inf
        self._lock = threading.Lock()
        self._exchanging = threading.Lock()

    def take(self, principal: Principal, purpose: str = "") -> Allowance:
        """Count one request of `principal`, who has a key: those without one are not limited.

        Requests for a `purpose` are counted apart from the key's others, at the same rate.
        """
        with self._lock:
            bucket = self._find(f"{principal.key_id}{purpose}", principal)
            passes = bucket.tokens >= 1
            if passes:
                bucket.spend(1)
            return bucket.allowance(passes=passes)

    def charge(self, principal: Principal, n: int) -> Allowance:
        """Count `n` more requests of `principal` along with one that passed; what is too much the key waits for."""
        with self._lock:
            bucket = self._find(f"{principal.key_id}", principal)
            bucket.spend(n)
            return bucket.allowance(passes=True)

    def exchange(self, add: Callable[[Mapping[str, int]], Mapping[str, int]]) -> None:
        """Exchange counts with the other workers: add what this one let pass, take out what the others did.

        `add` adds requests by key id to the sums of all workers and gives those sums. What it raises is raised; what
        could not be added is added the next time.
        """
        with self._exchanging:  # two at once would add the same requests twice
            with self._lock:
                sent = {key_id: bucket.unsent for key_id, bucket in self._buckets.items() if bucket.unsent}
            totals = add(sent)
            now = self._clock()
            recent = now - self._exchanged_at <= FORGOTTEN_S
            with self._lock:
                for key_id, bucket in self._buckets.items():
                    own = sent.get(key_id, 0)
                    bucket.unsent -= own
                    if recent:
                        bucket.pay(totals.get(key_id, 0) - self._totals.get(key_id, 0) - own, now)
            self._totals, self._exchanged_at = totals, now

    def _find(self, name: str, principal: Principal) -> _Bucket:
        now = self._clock()
        bucket = self._buckets.get(name) or self._open(name, principal, now)
        bucket.fill(now)
        return bucket

    def _open(self, name: str, principal: Principal, now: float) -> _Bucket:
        kind: KeyKind = "publishable" if principal.kind == "publishable" else "secret"
        rate = principal.rate_per_s or self._rates[kind]
        limit = max(1, int(rate * BURST_S))
        bucket = self._buckets[name] = _Bucket(rate, limit, limit, now)
        return bucket
