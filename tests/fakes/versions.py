"""Published versions in memory, for tests and for trying things out: the same wire form, gone with the process."""

import threading
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from recommender.catalogue.catalogue import Catalogue
from recommender.catalogue.overrides import ProductChange
from recommender.errors import BusyError, ChangedMeanwhileError, IncompletePublishError, VersionNotFoundError
from recommender.events.recent import NEIGHBOURS, RecentActivity
from recommender.person import digest_of_person
from recommender.publication.erasure import PERSONAL_LISTS, leave_out
from recommender.publication.factors import ProductFactors
from recommender.publication.insights import DueLine, pack_document, pack_lines, unpack_document, unpack_lines
from recommender.publication.lists import LIST_NAMES, RANKED, ListKey, PublishedList
from recommender.publication.manifest import Manifest, Publication
from recommender.publication.profile import Profile
from recommender.publication.profile_blocks import block_of, decode_block, drop_profile, find_profile
from recommender.slate.placements import MOST_PLACEMENT_BYTES, MOST_PLACEMENTS, Placement
from recommender.slate.reading import FetchedLists
from recommender.storage.versions import ListQuery, StoreState, too_many_placements
from tests.fakes.catalogue import MemoryCatalogue
from tests.fakes.event_log import MemoryEventLog
from tests.fakes.neighbours import leads, products_in


@dataclass(frozen=True)
class _Version:
    manifest: Manifest
    products: Sequence[bytes]
    wires: dict[ListKey, bytes]
    indices: Mapping[str, int]
    factors: ProductFactors | None
    blocks: list[bytes]
    """Of profiles; [] where it has none."""
    insights: dict[str, Any] | None
    due: dict[str, bytes]


class MemoryVersionStore:
    """A Store without a server. Safe to share between threads."""

    def __init__(self) -> None:
        self._versions: dict[str, _Version] = {}
        self._current: _Version | None = None
        self._placements: dict[str, Placement] = {}
        self._catalogue = MemoryCatalogue()
        self._publishing = threading.Lock()
        self._placing = threading.Lock()
        self.event_log = MemoryEventLog()

    def read(self, query: ListQuery) -> FetchedLists | None:
        """See `Reader.read`."""
        found = self._versions.get(query.version or "") or self._current
        if found is None:
            return None
        wires = {key: found.wires.get(key) for key in query.keys}
        lists = {key: None if wire is None else PublishedList(key.name, wire) for key, wire in wires.items()}
        recent = {person: self._recent(person, found) for person in query.people}
        live = {person: one for person, one in recent.items() if one.anything}
        more = [one for known in live.values() for one in known.lists(found.manifest.version)]
        indices = {index for one in (*lists.values(), *more) if one is not None for index in one.indices()}
        indices |= {index for known in live.values() for index in known.indices.values()}
        return FetchedLists(found.manifest.version, lists, Catalogue({i: found.products[i] for i in indices}), live)

    async def read_async(self, query: ListQuery) -> FetchedLists | None:
        """See `Reader.read_async`."""
        return self.read(query)

    def _recent(self, person: str, version: _Version) -> RecentActivity:
        orders, session, shown, hidden, folded = self.event_log.read_person(person)
        keys = leads(orders, session)
        wires = {key: version.wires[key] for key in keys if key in version.wires}
        length = 1 + NEIGHBOURS * RANKED.itemsize
        neighbours = {key: PublishedList(key.name, wire[:length]) for key, wire in wires.items()}
        known = {product_id: version.indices.get(product_id) for product_id in products_in(orders, keys)}
        indices = {product_id: index for product_id, index in known.items() if index is not None}
        return RecentActivity(orders, session, shown, hidden, folded, indices, neighbours)

    def catalogue(self, version: str, most_bytes: int) -> Catalogue | None:
        """See `Store.catalogue`. Nothing travels here, so nothing is saved."""
        return None

    def factors(self, version: str) -> ProductFactors | None:
        """See `Store.factors`."""
        kept = self._versions.get(version)
        return None if kept is None else kept.factors

    def profile(self, version: str | None, customer_id: str) -> Profile | None:
        """See `Store.profile`."""
        found = self._versions.get(version or "") or self._current
        if found is None or not found.blocks:
            return None
        return find_profile(found.blocks[_block(found, customer_id)], customer_id)

    def n_profile_blocks(self, version: str) -> int:
        """See `Store.n_profile_blocks`."""
        kept = self._versions.get(version)
        return 0 if kept is None else len(kept.blocks)

    def profiles(self, version: str, block: int) -> list[Profile]:
        """See `Store.profiles`."""
        if not 0 <= block < self.n_profile_blocks(version):
            raise VersionNotFoundError(f"version {version!r} has no block {block} of profiles, or is kept no more")
        return decode_block(self._versions[version].blocks[block])

    def follow(self) -> StoreState:
        """See `Store.follow`."""
        trained = self._current.indices if self._current else {}
        live = self._catalogue.follow(self.current(), trained)
        return StoreState(self.current(), self._placements, len(self.event_log.erased()), live)

    def find_products(self, version: str, product_ids: Sequence[str]) -> dict[str, bytes]:
        """See `Reader.find_products`."""
        kept = self._versions.get(version)
        known = {} if kept is None else kept.indices
        return {one: kept.products[known[one]] for one in product_ids if kept is not None and one in known}

    def update_products(self, changes: Sequence[ProductChange]) -> list[bytes | None]:
        """See `Store.update_products`."""
        return self._catalogue.update(changes)

    def placement(self, name: str) -> Placement | None:
        """See `Store.placement`."""
        return self._placements.get(name)

    def insights(self, version: str) -> dict[str, Any] | None:
        """See `Store.insights`."""
        found = self._versions.get(version)
        return None if found is None else found.insights

    def due_board(self, version: str) -> dict[str, list[DueLine]]:
        """See `Store.due_board`."""
        found = self._versions.get(version)
        return {} if found is None else {one: unpack_lines(wire) for one, wire in found.due.items()}

    def place(self, name: str, placement: Placement) -> None:
        """See `Store.place`."""
        placed = {**self._placements, name: placement}
        n_bytes = sum(len(one.model_dump_json()) for one in placed.values())
        if len(placed) > MOST_PLACEMENTS or n_bytes > MOST_PLACEMENT_BYTES:
            raise too_many_placements(name)
        self._placements = placed

    def replace_placement(self, name: str, before: Placement | None, after: Placement) -> None:
        """See `Store.replace_placement`."""
        with self._placing:
            if self._placements.get(name) != before:
                raise ChangedMeanwhileError(f"placement {name!r} was changed meanwhile")
            self.place(name, after)

    def publish(
        self, publication: Publication, *, keep: int, advance: Callable[[int], None] = lambda _: None
    ) -> list[str]:
        """See `Store.publish`. A version that is there already is only made current again."""
        if not self._publishing.acquire(blocking=False):
            raise BusyError("another publish is at work; wait for it")
        try:
            name = publication.manifest.version
            known = self._versions.get(name)
            if known is None or known.insights is None:
                self._versions[name] = _encode(leave_out(publication, self.event_log.erased()), advance)
            self._current = self._versions[name]
            self._prune(keep)
            return []
        finally:
            self._publishing.release()

    def activate(self, version: str) -> None:
        """See `Store.activate`."""
        if version not in self._versions:
            raise VersionNotFoundError(f"no version {version!r} is kept; `reprise models` lists those there are")
        self._current = self._versions[version]

    def erase(self, customer_id: str, at: datetime) -> int:
        """See `Store.erase`."""
        self.event_log.queue.tombstones.setdefault(digest_of_person(customer_id, None), at)
        for version in self._versions.values():
            if version.blocks:
                block = _block(version, customer_id)
                version.blocks[block] = drop_profile(version.blocks[block], customer_id)
            version.due.pop(customer_id, None)
        keys = [ListKey(name, customer_id) for name in PERSONAL_LISTS]
        return sum(version.wires.pop(key, None) is not None for version in self._versions.values() for key in keys)

    def find_customers(self, people: Container[str]) -> list[str]:
        """See `Store.find_customers`."""
        versions = self._versions.values()
        owners = {key.owner_id for one in versions for key in one.wires if key.name in PERSONAL_LISTS}
        profiled = {one.customer_id for found in versions for wire in found.blocks for one in decode_block(wire)}
        return sorted(one for one in owners | profiled if digest_of_person(one, None) in people)

    def current(self) -> str | None:
        """See `Store.current`."""
        return None if self._current is None else self._current.manifest.version

    def manifests(self) -> list[Manifest]:
        """See `Store.manifests`."""
        manifests = [version.manifest for version in self._versions.values()]
        return sorted(manifests, key=lambda manifest: (manifest.created_at, manifest.version), reverse=True)

    def close(self) -> None:
        """See `Store.close`. Nothing is lost: the store may be used again."""

    def _prune(self, keep: int) -> None:
        others = [manifest.version for manifest in self.manifests() if manifest.version != self.current()]
        for version in others[keep - 1 :]:
            del self._versions[version]


def _encode(publication: Publication, advance: Callable[[int], None]) -> _Version:
    wires: dict[ListKey, bytes] = {}
    for name, table in publication.tables.items():
        wires |= {ListKey(name, owner_id): wire for owner_id, wire in table.encode(0, len(table))}
        if len(table):
            advance(len(table))
    manifest = Manifest.from_json(publication.manifest.to_json())
    for name in LIST_NAMES:
        written, expected = sum(key.name == name for key in wires), manifest.lists.get(name, 0)
        if written != expected:
            raise IncompletePublishError(
                f"version {manifest.version} has only {written} of {expected} {name}; publish it again"
            )
    indices = {product.product_id: index for index, product in enumerate(publication.products)}
    products = [product.to_json() for product in publication.products]
    blocks = [] if publication.profiles is None else [wire for _, wire in publication.profiles.encode()]
    told = publication.insights
    document = None if told is None else unpack_document(pack_document(told.document))
    due = {} if told is None else {one: pack_lines(lines) for one, lines in told.due.items()}
    return _Version(manifest, products, wires, indices, publication.factors, blocks, document, due)


def _block(version: _Version, customer_id: str) -> int:
    return block_of(digest_of_person(customer_id, None), len(version.blocks))
