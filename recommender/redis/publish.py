"""Atomic publication of a version: readers see all of it or nothing.

Under a lock: delete what an interrupted publish left, compare the size with the free memory, mark the version as
`writing`, write, count back, and in one step mark it `ready` and make it current. Only then are old ones deleted.
"""

import math
import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, islice
from typing import cast

from recommender.connection.client import Command, RedisClient
from recommender.errors import BusyError, IncompletePublishError, NotPermittedError, StoreError, StoreFullError
from recommender.person import decode_id, digest_of_person, encode_id
from recommender.publication.erasure import PERSONAL_LISTS, erased_customers, leave_out
from recommender.publication.insights import pack_document, pack_lines
from recommender.publication.lists import LIST_NAMES, ListName
from recommender.publication.manifest import Manifest, Publication
from recommender.publication.profile_blocks import PROFILE
from recommender.redis.contacts import USED_PERCENT
from recommender.redis.keys import Keys
from recommender.redis.lua import load_script

LOCK_TTL_MS = 10_000
"""Time to live of the lock, for which a killed publish keeps the next one waiting; renewed with every batch."""
COPY_PATIENCE_S = 5.0
"""Longest wait of a deletion for a server that copies itself to its disk."""
FIELDS_PER_COMMAND = 250
COMMANDS_PER_TRIP = 8
"""Larger commands are no faster, and readers wait while the server works on one."""
FIELD_OVERHEAD_BYTES = 64
"""Redis memory per hash field beyond its name and value, measured by tests/benchmarks/publish.py."""
SAMPLE_PRODUCTS = 1_000
"""Products by whose size that of all is estimated."""
BLOCK_OVERHEAD_BYTES = 300
"""The same for a block of profiles: it is large, and the allocator rounds it up."""

UNCHECKED = (
    "the user of Redis has no right to INFO: whether the version fits was not looked at, nor whether the server copies "
    "itself to its disk"
)

WRITING, READY = "writing", "ready"

_RENEW = load_script("publish/renew_lock")
_RELEASE = load_script("publish/release_lock")
_MAKE_CURRENT = load_script("publish/make_current")
_REMOVE = load_script("publish/remove_version")
_ERASE = load_script("event_log/memory", "publish/erase_customer", used_percent=USED_PERCENT)

_OWNERS = load_script("publish/list_owners")


def estimated_bytes(publication: Publication) -> int:
    """Memory in bytes that Redis will need for `publication`."""
    lists = sum(
        table.records.nbytes + sum(map(len, table.owner_ids)) + len(table) * (1 + FIELD_OVERHEAD_BYTES)
        for table in publication.tables.values()
    )
    # to write them all as JSON takes as long as publishing them
    step = len(publication.products) // SAMPLE_PRODUCTS + 1
    texts = step * sum(len(product.to_json()) for product in publication.products[::step])
    products = texts + sum(len(product.product_id) + 2 * FIELD_OVERHEAD_BYTES for product in publication.products)
    factors = 0 if publication.factors is None else publication.factors.factors.size * 2
    table = publication.profiles
    profiles = 0 if table is None else table.n_bytes + table.n_blocks * BLOCK_OVERHEAD_BYTES
    told = publication.insights
    due = 0 if told is None else sum(len(one) + FIELD_OVERHEAD_BYTES + 40 for one in told.due)
    insights = 0 if told is None else due + len(pack_document(told.document))
    return lists + products + factors + profiles + insights + len(publication.manifest.to_json())


@dataclass(frozen=True)
class Publisher:
    """Publisher of one shop's versions. `client` has the long time-out of a job."""

    client: RedisClient
    keys: Keys

    def publish(self, publication: Publication, keep: int, advance: Callable[[int], None]) -> list[str]:
        """See `VersionStore.publish`. A version that is there already is only made current again."""
        version = publication.manifest.version
        if publication.profiles is not None:
            _ = publication.profiles.digests  # of a large shop they take longer than the lock lasts
        with self._locked() as token:
            states = self.states()
            for abandoned in (name for name, state in states.items() if state == WRITING):
                self._remove(abandoned)
            if states.get(version) == READY:
                self._add_insights(publication, token)
                self._make_current(version, token)
            else:
                self._write(publication, token, advance)
            self._prune(keep)
        return [] if self._info("memory") else [UNCHECKED]

    def states(self) -> dict[str, str]:
        """State of each version: `writing` or `ready`."""
        states = self.client.call("HGETALL", self.keys.versions)
        return {version.decode(): state.decode() for version, state in states.items()}

    def manifests(self) -> list[Manifest]:
        """Manifests of the ready versions, newest `created_at` first."""
        ready = [version for version, state in self.states().items() if state == READY]
        texts = self.client.call("MGET", *(self.keys.version(v, "manifest") for v in ready)) if ready else []
        manifests = [Manifest.from_json(text) for text in texts if text is not None]
        return sorted(manifests, key=lambda manifest: (manifest.created_at, manifest.version), reverse=True)

    def erase(self, customer_id: str, at: datetime) -> int:
        """See `VersionStore.erase`."""
        return self._erase(customer_id, at.isoformat())

    def _erase(self, customer_id: str, at: str = "") -> int:
        keys = [self.keys.erased, self.keys.versions]
        head, profiles = self.keys.around_version("profiles")
        lists = [self.keys.around_version(name)[1] for name in PERSONAL_LISTS]
        self._forget_due(customer_id)
        who = (digest_of_person(customer_id, None), at, encode_id(customer_id))
        return int(self.client.evaluate(_ERASE.text, keys, *who, head, profiles, PROFILE.itemsize, *lists))

    def _forget_due(self, customer_id: str) -> None:
        """Take a customer off the due boards of all versions; they are no lists, and not counted among them."""
        boards = [self.keys.version(version, "due") for version in self.states()]
        self.client.pipeline([("HDEL", board, encode_id(customer_id)) for board in boards])

    def owners(self, version: str, name: ListName) -> Iterator[str]:
        """Owners of the lists of this name in a version; one may come twice."""
        key, cursor = self.keys.version(version, name), b""
        while cursor != b"0":
            cursor, owners = self.client.evaluate(_OWNERS.text, [key], cursor or 0, FIELDS_PER_COMMAND)
            yield from map(decode_id, owners)

    @contextmanager
    def _locked(self) -> Iterator[str]:
        token = secrets.token_hex(8)
        self._wait_for_lock(token)
        try:
            yield token
        finally:
            with suppress(StoreError):  # it expires by itself
                self.client.evaluate(_RELEASE.text, [self.keys.publishing], token)

    def _wait_for_lock(self, token: str) -> None:
        """Take the lock, or raise BusyError: a holder that runs renews it, so the time left grows; else it runs out."""
        left_ms = math.inf
        while not self.client.call("SET", self.keys.publishing, token, "NX", "PX", LOCK_TTL_MS):
            before_ms, left_ms = left_ms, self.client.call("PTTL", self.keys.publishing)
            if left_ms > before_ms or left_ms == -1:
                raise BusyError(f"another publish of shop {self.keys.shop!r} is at work; wait for it")
            time.sleep(0.02)

    def _write(self, publication: Publication, token: str, advance: Callable[[int], None]) -> None:
        version, erased = publication.manifest.version, self._erased()
        publication = leave_out(publication, erased)
        self._refuse_if_too_large(publication)
        try:
            self.client.call("HSET", self.keys.versions, version, WRITING)
            self._write_parts(publication, token, advance)
            self._count_back(publication)
            self._make_current(version, token)
            for customer_id in erased_customers(publication, self._erased() - erased):
                self._erase(customer_id)
        except BaseException as error:
            # once the lock is lost, another publish may be writing the same version
            if not isinstance(error, BusyError) or version not in self.states():
                with suppress(StoreError):  # the next publish deletes it
                    self._remove(version)
            raise

    def _refuse_if_too_large(self, publication: Publication) -> None:
        needed = estimated_bytes(publication)
        memory = self._info("memory")
        if memory is None:
            return
        while memory["maxmemory"] and memory["lazyfree_pending_objects"]:  # what was just deleted is still counted
            time.sleep(0.02)
            memory = self._info("memory") or memory
        usable, used = memory["maxmemory"] * USED_PERCENT // 100, memory["used_memory"]
        # one that takes more than half could be published once, and no other beside it; 5 % for what is only estimated
        room, enough = min(usable // 2, usable - used), (used + 2 * needed) * 105 // USED_PERCENT
        if memory["maxmemory"] and needed > room:
            raise StoreFullError(
                f"version {publication.manifest.version} needs about {needed:,} bytes and Redis at "
                f"{self.client.address} has room for {max(room, 0):,}: of the {usable:,} that it may use "
                f"({USED_PERCENT} % of its maxmemory) {used:,} are in use, and a version may take half, as the next "
                f"is written beside it; raise its maxmemory to {enough:,} or lower REPRISE_KEEP_VERSIONS or "
                "REPRISE_LIST_LENGTH"
            )

    def _info(self, section: str) -> dict[str, int] | None:
        """INFO of the server that holds the shop, None where the user may not ask for it.

        On a cluster the first key of a pipeline names the server.
        """
        try:
            answers = self.client.pipeline([("EXISTS", self.keys.versions), ("INFO", section)])
        except NotPermittedError:
            return None
        return cast(dict[str, int], answers[1])

    def _write_parts(self, publication: Publication, token: str, advance: Callable[[int], None]) -> None:
        version = publication.manifest.version
        products = ((str(i).encode(), product.to_json()) for i, product in enumerate(publication.products))
        self._write_hash(self.keys.version(version, "products"), products, token, lambda _: None)
        indices = ((encode_id(product.product_id), str(i).encode()) for i, product in enumerate(publication.products))
        self._write_hash(self.keys.version(version, "indices"), indices, token, lambda _: None)
        for name, table in publication.tables.items():
            fields = ((encode_id(owner_id), wire) for owner_id, wire in table.encode(0, len(table)))
            self._write_hash(self.keys.version(version, name), fields, token, advance)
        if publication.profiles is not None:
            blocks = ((str(block).encode(), wire) for block, wire in publication.profiles.encode())
            self._write_hash(self.keys.version(version, "profiles"), blocks, token, lambda _: None)
        self._write_insights(publication, token)
        if publication.factors is not None:
            self._send([("SET", self.keys.version(version, "factors"), publication.factors.to_bytes())], token)
        self._send([("SET", self.keys.version(version, "manifest"), publication.manifest.to_json())], token)

    def _write_insights(self, publication: Publication, token: str) -> None:
        version, told = publication.manifest.version, publication.insights
        if told is not None:
            due = ((encode_id(one), pack_lines(lines)) for one, lines in told.due.items())
            self._write_hash(self.keys.version(version, "due"), due, token, lambda _: None)
            self._send([("SET", self.keys.version(version, "insights"), pack_document(told.document))], token)

    def _add_insights(self, publication: Publication, token: str) -> None:
        """Write the insights of a version that an earlier release published, from the same data, without any."""
        if not self.client.call("EXISTS", self.keys.version(publication.manifest.version, "insights")):
            self._write_insights(leave_out(publication, self._erased()), token)

    def _write_hash(
        self, key: str, fields: Iterator[tuple[bytes, bytes]], token: str, advance: Callable[[int], None]
    ) -> None:
        while commands := list(islice(_hset_commands(key, fields), COMMANDS_PER_TRIP)):
            self._send(commands, token)
            advance(sum(len(command) // 2 - 1 for command in commands))

    def _send(self, commands: Iterable[Command], token: str) -> None:
        renew: Command = ("EVAL", _RENEW.text, 1, self.keys.publishing, token, LOCK_TTL_MS)
        if not self.client.pipeline([renew, *commands])[0]:
            raise self._lock_lost()

    def _count_back(self, publication: Publication) -> None:
        version = publication.manifest.version
        expected = dict.fromkeys(("products", "indices"), len(publication.products))
        expected |= {name: publication.manifest.lists.get(name, 0) for name in LIST_NAMES}
        expected["profiles"] = 0 if publication.profiles is None else publication.profiles.n_blocks
        expected["due"] = 0 if publication.insights is None else len(publication.insights.due)
        counts = self.client.pipeline([("HLEN", self.keys.version(version, part)) for part in expected])
        wrong = [
            f"{count} of {expected[part]} {part}"
            for part, count in zip(expected, counts, strict=True)
            if count != expected[part]
        ]
        if wrong:
            raise IncompletePublishError(f"version {version} has only {', '.join(wrong)}; publish it again")

    def _make_current(self, version: str, token: str) -> None:
        keys = [self.keys.publishing, self.keys.versions, self.keys.current]
        if not self.client.evaluate(_MAKE_CURRENT.text, keys, token, version):
            raise self._lock_lost()

    def _erased(self) -> frozenset[str]:
        return frozenset(field.decode() for field in self.client.call("HKEYS", self.keys.erased))

    def _prune(self, keep: int) -> None:
        """Keep the current version and the newest others."""
        self._wait_for_copy()
        current = self.client.call("GET", self.keys.current)
        others = [manifest.version for manifest in self.manifests() if manifest.version.encode() != current]
        for version in others[keep - 1 :]:
            self._remove(version)

    def _wait_for_copy(self) -> None:
        """Wait while the server copies itself to its disk: each deletion would copy pages, and readers wait."""
        give_up_at = time.monotonic() + COPY_PATIENCE_S
        while time.monotonic() < give_up_at:
            found = self._info("persistence")
            if found is None or not (found["aof_rewrite_in_progress"] or found["rdb_bgsave_in_progress"]):
                return
            time.sleep(0.1)

    def _remove(self, version: str) -> None:
        """Delete a version and its state in one step, unless it is the current one."""
        parts = ("manifest", "products", "indices", "factors", "profiles", "insights", "due", *LIST_NAMES)
        named = [self.keys.version(version, part) for part in parts]
        self.client.evaluate(_REMOVE.text, [self.keys.current, self.keys.versions, *named], version)

    def _lock_lost(self) -> BusyError:
        return BusyError(
            f"publishing for shop {self.keys.shop!r} paused for over {LOCK_TTL_MS / 1000:g} s and another publish "
            "may have begun; publish again"
        )


def _hset_commands(key: str, fields: Iterator[tuple[bytes, bytes]]) -> Iterator[Command]:
    while batch := list(islice(fields, FIELDS_PER_COMMAND)):
        yield ("HSET", key, *chain.from_iterable(batch))
