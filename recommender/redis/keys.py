"""Names of all Redis keys."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from recommender.retention import PersonalPart

API_KEYS = "reprise:api-keys"
"""Hash: key id → API key, of all shops."""
REQUESTS = "reprise:requests"
"""Hash with a TTL: key id → requests that all workers accepted, while any key is used."""


def ended_session(session_id: str) -> str:
    """String with a TTL: there once a session of the console has ended before its time."""
    return f"reprise:ended-session:{session_id}"


@dataclass(frozen=True)
class Keys:
    """Names of the Redis keys of one shop. The braces put them all in one cluster slot."""

    shop: str

    @cached_property
    def _prefix(self) -> str:
        return f"reprise:{{{self.shop}}}"

    @property
    def current(self) -> str:
        """String: the current version."""
        return f"{self._prefix}:current"

    @property
    def versions(self) -> str:
        """Hash: version → `writing` or `ready`."""
        return f"{self._prefix}:versions"

    @property
    def publishing(self) -> str:
        """String with a TTL: lock of the one publish that runs."""
        return f"{self._prefix}:publishing"

    @property
    def placements(self) -> str:
        """Hash: name → a placement set while the service runs."""
        return f"{self._prefix}:placements"

    @property
    def placements_sequence(self) -> str:
        """String: number of the last change of `placements`."""
        return f"{self._prefix}:placements:sequence"

    @property
    def catalogue(self) -> str:
        """Hash: product id → number of the change and JSON, product overrides."""
        return f"{self._prefix}:catalogue"

    @property
    def catalogue_sequence(self) -> str:
        """String: number of the last change of `catalogue`."""
        return f"{self._prefix}:catalogue:sequence"

    @property
    def catalogue_log(self) -> str:
        """List: product ids of the last changes, newest last."""
        return f"{self._prefix}:catalogue:log"

    @property
    def events(self) -> str:
        """Stream: accepted events that no worker has archived yet."""
        return f"{self._prefix}:events"

    @property
    def dead_events(self) -> str:
        """Stream: events that no worker could archive, with the reason."""
        return f"{self._prefix}:events:dead"

    @property
    def erased(self) -> str:
        """Hash: digest of a customer id → when that customer was erased."""
        return f"{self._prefix}:erased"

    def of(self, part: PersonalPart | Literal["seen"], digest: str) -> str:
        """One part of an event (`seen`) or of a person, under the digest of its id (`recommender.person.digest`).

        seen: string, there once the event is accepted. orders, session, shown: lists of events, newest first. hidden:
        set of products not to be shown. folded: string, a `discover` list made since the training (`fold`). standing:
        hash, mark → its latest moment (`recommender.storage.contact_marks`), with a TTL where nothing in it is an
        objection to mails: that does not end. mails: hash, contact → when, and the products in it; with a TTL.
        """
        return f"{self._prefix}:{part}:{digest}"

    def campaign(self, digest: str) -> str:
        """String with a TTL: a campaign as it was when it began, under the digest of its id."""
        return f"{self._prefix}:campaign:{digest}"

    @property
    def jobs(self) -> str:
        """Sorted set: digests of campaigns with a pick job, oldest first."""
        return f"{self._prefix}:jobs"

    @property
    def figures(self) -> str:
        """Hash: what jobs count for the metrics: `training:VERDICT` → seconds, `mails:STATE` → how many."""
        return f"{self._prefix}:figures"

    @property
    def looks(self) -> str:
        """List: looks at experiments, newest first, as JSON."""
        return f"{self._prefix}:looks"

    @property
    def actions(self) -> str:
        """List: what was changed in the console, newest first, as JSON."""
        return f"{self._prefix}:actions"

    @property
    def results(self) -> str:
        """Hash: day, or `campaigns` → digest of the archived files that its results were counted from; `counted_at`."""
        return f"{self._prefix}:results"

    @property
    def result_days(self) -> str:
        """Hash: ISO date → results of the placements on this day."""
        return f"{self._prefix}:results:days"

    @property
    def result_campaigns(self) -> str:
        """Hash: campaign id → its results."""
        return f"{self._prefix}:results:campaigns"

    @property
    def campaigns(self) -> str:
        """Sorted set: ids of campaigns by when they began, in seconds since 1970."""
        return f"{self._prefix}:campaigns"

    def decided(self, part: Literal["blocks", "sums"], digest: str) -> str:
        """One part of what a campaign decided about customers, under the digest of its id; both with a TTL.

        blocks: hash, block of customers → JSON. sums: hash, variant and reason → how many customers.
        """
        return f"{self._prefix}:decided:{part}:{digest}"

    def of_job(self, part: Literal["job", "lease", "rows", "tries"], digest: str) -> str:
        """One part of a campaign's pick job, under the digest of the campaign's id; all with a TTL.

        job: string, its progress. lease: string, the worker that makes it. rows: hash, block → picks, a line each.
        tries: string, how often it was taken since its last block was saved.
        """
        return f"{self._prefix}:{part}:{digest}"

    def version(self, version: str, part: str) -> str:
        """One part of a version.

        `manifest` and `insights` (strings), `due` (hash: customer → lines of the due board), `products` (hash by
        index), `indices` (hash of them by product id), `profiles` (hash: a block's number → customers) or a list name
        (hash by owner).
        """
        return f"{self._prefix}:v:{version}:{part}"

    def around_version(self, part: str) -> tuple[str, str]:
        """Beginning and end of the key of `part`, between which a script puts the version that it found."""
        before, _, after = self.version("\0", part).partition("\0")
        return before, after
