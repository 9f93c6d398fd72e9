"""Published versions in Redis or Valkey. Layout: see `recommender.redis.keys.Keys`.

Per version there is a hash of lists for each list name (field: owner id), of products (field: index) and of blocks of
profiles (field: number), and a manifest: deleting a version is one command, counting one is HLEN, and an id is never
part of a key.
"""

import struct
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import chain
from typing import Any, NamedTuple

from pydantic import ValidationError

from recommender.catalogue.catalogue import Catalogue, PackedTexts
from recommender.catalogue.overrides import ProductChange
from recommender.connection.client import RedisClient
from recommender.errors import ChangedMeanwhileError, StoreError, VersionNotFoundError
from recommender.person import decode_id, digest_of_person, encode_id
from recommender.publication.erasure import PERSONAL_LISTS
from recommender.publication.factors import ProductFactors
from recommender.publication.insights import DueLine, unpack_document, unpack_lines
from recommender.publication.manifest import Manifest, Publication
from recommender.publication.profile import Profile
from recommender.publication.profile_blocks import decode_block, find_profile
from recommender.redis.catalogue import RedisCatalogue
from recommender.redis.keys import Keys
from recommender.redis.lua import load_script
from recommender.redis.publish import READY, Publisher
from recommender.redis.read import READ, ReadScript
from recommender.slate.placements import MOST_PLACEMENT_BYTES, MOST_PLACEMENTS, Placement
from recommender.slate.reading import FetchedLists
from recommender.storage.versions import ListQuery, StoreState, too_many_placements

_POLL = load_script("versions/poll")
_FIND = load_script("versions/find_products")
_ACTIVATE = load_script("versions/activate")
_PLACE = load_script("versions/place")
_READ_PROFILE = load_script("versions/read_profile")

_UNREADABLE = (ValueError, TypeError, LookupError, AttributeError, struct.error)
"""What decoding raises where Redis holds values in another format."""
_CUSTOMERS_PER_TRIP = 500
_PRODUCTS_PER_TRIP = 500
"""Other clients wait while the server works on one command."""


class RedisVersionStore:
    """The VersionStore of one shop. Safe to share between threads.

    Args:
        shop: the shop whose keys these are.
        reader: a client with the short time-out of a page.
        writer: a client with the long time-out of a job.
    """

    def __init__(self, shop: str, reader: RedisClient, writer: RedisClient) -> None:
        self._keys = Keys(shop)
        self._reader = reader
        self._writer = writer
        self._catalogue = RedisCatalogue(self._keys, reader, writer)
        self._script = ReadScript(self._keys)
        self._placed = _Placed(b"", {}, frozenset())

    def read(self, query: ListQuery) -> FetchedLists | None:
        """See `Reader.read`."""
        named, arguments = self._script.call(query)
        return self._decode(self._reader.evaluate_cached(*READ, named, *arguments), query)

    async def read_async(self, query: ListQuery) -> FetchedLists | None:
        """See `Reader.read_async`."""
        named, arguments = self._script.call(query)
        return self._decode(await self._reader.evaluate_soon(*READ, named, *arguments), query)

    def _decode(self, answer: Any, query: ListQuery) -> FetchedLists | None:
        try:
            return self._script.decode(answer, query)
        except _UNREADABLE:
            raise self._unreadable("a version") from None

    def catalogue(self, version: str, most_bytes: int) -> Catalogue | None:
        """See `Reader.catalogue`."""
        key = self._keys.version(version, "products")
        n_products: int = self._reader.call("HLEN", key)
        texts = PackedTexts()
        for first in range(0, n_products, _PRODUCTS_PER_TRIP):
            indices = range(first, min(first + _PRODUCTS_PER_TRIP, n_products))
            found = self._reader.call("HMGET", key, *indices)
            if None in found:  # the version was deleted meanwhile
                return None
            texts.extend(found)
            if texts.n_bytes > most_bytes:
                return None
        return Catalogue(texts) if texts else None

    def follow(self) -> StoreState:
        """See `Reader.follow`."""
        keys = [self._keys.current, self._keys.versions, self._keys.placements, self._keys.erased]
        sequences = [self._catalogue.sequence, self._keys.placements_sequence]
        try:
            answer = self._reader.evaluate(_POLL.text, [*keys, *sequences], self._placed.number)
        except StoreError:
            self._catalogue.begin_again()
            raise
        with self._reading("the name of the current version"):
            current, state, erasures, changes, number, fields = answer
            if current is not None and state != READY.encode():
                raise ValueError("it names no version that is whole")
            version = None if current is None else current.decode()
            self._placed = self._placed if fields is None else self._placed.change(number, fields)
        placed = self._placed
        with self._reading("product overrides"):
            overrides = self._catalogue.follow(version, changes)
        return StoreState(version, placed.placements, erasures, overrides, unreadable=placed.unreadable)

    def factors(self, version: str) -> ProductFactors | None:
        """See `VersionStore.factors`."""
        wire = self._writer.call("GET", self._keys.version(version, "factors"))
        return None if wire is None else ProductFactors.from_bytes(wire)

    def placement(self, name: str) -> Placement | None:
        """See `VersionStore.placement`."""
        text = self._reader.call("HGET", self._keys.placements, name)
        return None if text is None else _to_placement(text)

    def insights(self, version: str) -> dict[str, Any] | None:
        """See `VersionStore.insights`."""
        wire = self._reader.call("GET", self._keys.version(version, "insights"))
        with self._reading("the insights of a version"):
            return None if wire is None else unpack_document(wire)

    def due_board(self, version: str) -> dict[str, list[DueLine]]:
        """See `VersionStore.due_board`. One round trip for some hundreds of customers each."""
        key, cursor, board = self._keys.version(version, "due"), b"0", dict[str, list[DueLine]]()
        with self._reading("the due board of a version"):
            while True:
                cursor, found = self._reader.call("HSCAN", key, cursor, "COUNT", _CUSTOMERS_PER_TRIP)
                fields = [*found.items()] if isinstance(found, dict) else [*zip(found[::2], found[1::2], strict=True)]
                board |= {decode_id(one): unpack_lines(lines) for one, lines in fields}
                if int(cursor) == 0:
                    return board

    def place(self, name: str, placement: Placement) -> None:
        """See `VersionStore.place`."""
        self._place(name, placement)

    def replace_placement(self, name: str, before: Placement | None, after: Placement) -> None:
        """See `VersionStore.replace_placement`."""
        text = self._writer.call("HGET", self._keys.placements, name)
        if (None if text is None else _to_placement(text)) != before:
            raise ChangedMeanwhileError(f"placement {name!r} was changed meanwhile")
        self._place(name, after, text or b"")

    def _place(self, name: str, placement: Placement, *known: bytes) -> None:
        keys = [self._keys.placements, self._keys.placements_sequence]
        bounds = MOST_PLACEMENTS, MOST_PLACEMENT_BYTES
        verdict = self._writer.evaluate_in_time(_PLACE.text, keys, name, placement.model_dump_json(), *bounds, *known)
        if not verdict:
            raise too_many_placements(name)
        if verdict == 2:
            raise ChangedMeanwhileError(f"placement {name!r} was changed meanwhile")

    def update_products(self, changes: Sequence[ProductChange]) -> list[bytes | None]:
        """See `VersionStore.update_products`."""
        return self._catalogue.update(changes)

    def find_products(self, version: str, product_ids: Sequence[str]) -> dict[str, bytes]:
        """See `Reader.find_products`."""
        keys = [self._keys.version(version, part) for part in ("indices", "products")]
        found = self._reader.evaluate(_FIND.text, keys, *map(encode_id, product_ids))
        return {product_id: text for product_id, text in zip(product_ids, found, strict=True) if text is not None}

    def profile(self, version: str | None, customer_id: str) -> Profile | None:
        """See `VersionStore.profile`."""
        keys = [self._keys.current, self._keys.versions]
        around = self._keys.around_version("profiles")
        digits = digest_of_person(customer_id, None)[:8]
        wire = self._reader.evaluate(_READ_PROFILE.text, keys, *around, version or "", digits)
        with self._reading("a profile"):
            return None if wire is None else find_profile(wire, customer_id)

    def n_profile_blocks(self, version: str) -> int:
        """See `VersionStore.n_profile_blocks`."""
        return int(self._writer.call("HLEN", self._keys.version(version, "profiles")))

    def profiles(self, version: str, block: int) -> list[Profile]:
        """See `VersionStore.profiles`."""
        wire = self._writer.call("HGET", self._keys.version(version, "profiles"), block)
        if wire is None:
            raise VersionNotFoundError(
                f"version {version!r} has no block {block} of profiles, or is kept no more; `reprise models` lists "
                "those there are"
            )
        with self._reading("profiles"):
            return decode_block(wire)

    def publish(
        self, publication: Publication, *, keep: int, advance: Callable[[int], None] = lambda _: None
    ) -> list[str]:
        """See `VersionStore.publish`."""
        return Publisher(self._writer, self._keys).publish(publication, keep, advance)

    def activate(self, version: str) -> None:
        """See `VersionStore.activate`."""
        if not self._writer.evaluate_in_time(_ACTIVATE.text, [self._keys.versions, self._keys.current], version):
            raise VersionNotFoundError(f"no version {version!r} is kept; `reprise models` lists those there are")

    def erase(self, customer_id: str, at: datetime) -> int:
        """See `VersionStore.erase`."""
        return Publisher(self._writer, self._keys).erase(customer_id, at)

    def find_customers(self, people: Container[str]) -> list[str]:
        """See `VersionStore.find_customers`. Several round trips for each version."""
        publisher = Publisher(self._writer, self._keys)
        ready = [version for version, state in publisher.states().items() if state == READY]
        owners = (one for version in ready for name in PERSONAL_LISTS for one in publisher.owners(version, name))
        profiled = (
            one.customer_id
            for version in ready
            for block in range(self.n_profile_blocks(version))
            for one in self.profiles(version, block)
        )
        return sorted({one for one in chain(owners, profiled) if digest_of_person(one, None) in people})

    def current(self) -> str | None:
        """See `VersionStore.current`."""
        version = self._reader.call("GET", self._keys.current)
        return None if version is None else version.decode()

    def manifests(self) -> list[Manifest]:
        """See `VersionStore.manifests`."""
        return Publisher(self._reader, self._keys).manifests()

    def close(self) -> None:
        """See `VersionStore.close`. Other shops of the same clients connect again by themselves."""
        self._reader.close()
        self._writer.close()

    @contextmanager
    def _reading(self, what: str) -> Iterator[None]:
        """Translate _UNREADABLE into StoreError. The value may hold personal data, so it is not quoted."""
        try:
            yield
        except _UNREADABLE:
            raise self._unreadable(what) from None

    def _unreadable(self, what: str) -> StoreError:
        return StoreError(
            f"Redis at {self._reader.address} holds {what} of shop {self._keys.shop!r} that cannot be read; "
            "publish again, or roll back"
        )


class _Placed(NamedTuple):
    """The placements that were set, as of one change of them."""

    number: bytes
    placements: Mapping[str, Placement]
    unreadable: frozenset[str]
    texts: Mapping[bytes, bytes] = {}

    def change(self, number: bytes, fields: Sequence[bytes]) -> "_Placed":
        """Those of `fields`, names and JSON in turn; what is as before is not parsed again."""
        texts, placements = dict(zip(fields[::2], fields[1::2], strict=True)), dict[str, Placement]()
        for name, text in texts.items():
            same = self.texts.get(name) == text
            placement = self.placements.get(name.decode()) if same else _to_placement(text)
            if placement is not None:
                placements[name.decode()] = placement
        unreadable = frozenset(name.decode() for name in texts) - placements.keys()
        return _Placed(number, placements, unreadable, texts)


def _to_placement(text: bytes) -> Placement | None:
    """A placement from JSON; None where it cannot be read, so that the settings' one is used."""
    try:
        return Placement.model_validate_json(text)
    except ValidationError:
        return None
