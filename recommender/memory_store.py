"""Published versions in memory, for tests and for trying things out: the same wire form, gone with the process."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from recommender.errors import BusyError, IncompletePublishError, VersionNotFoundError
from recommender.placements import Placement
from recommender.publication import LIST_NAMES, ListKey, Manifest, Product, Publication, decode
from recommender.store import Position, Reading


@dataclass(frozen=True)
class _Version:
    manifest: Manifest
    products: Sequence[Product]
    wires: Mapping[ListKey, bytes]


class MemoryStore:
    """A Store without a server. Safe to share between threads."""

    def __init__(self) -> None:
        self._versions: dict[str, _Version] = {}
        self._current: _Version | None = None
        self._placements: dict[str, Placement] = {}
        self._publishing = threading.Lock()

    def read(self, keys: Sequence[ListKey], version: str | None = None) -> Reading | None:
        """See `Store.read`."""
        found = self._versions.get(version or "") or self._current
        if found is None:
            return None
        wires = {key: found.wires.get(key) for key in keys}
        lists = {key: None if wire is None else decode(key.name, wire) for key, wire in wires.items()}
        indices = {record.product_index for found in lists.values() if found for record in found.records}
        return Reading(found.manifest.version, lists, {index: found.products[index] for index in indices})

    def follow(self) -> Position:
        """See `Store.follow`."""
        return Position(self.current(), dict(self._placements))

    def place(self, name: str, placement: Placement) -> None:
        """See `Store.place`."""
        self._placements[name] = placement

    def publish(self, publication: Publication, *, keep: int, advance: Callable[[int], None] = lambda _: None) -> None:
        """See `Store.publish`. A version that is there already is only made current again."""
        if not self._publishing.acquire(blocking=False):
            raise BusyError("another publish is at work; wait for it")
        try:
            name = publication.manifest.version
            if name not in self._versions:
                self._versions[name] = _encode(publication, advance)
            self._current = self._versions[name]
            self._prune(keep)
        finally:
            self._publishing.release()

    def activate(self, version: str) -> None:
        """See `Store.activate`."""
        if version not in self._versions:
            raise VersionNotFoundError(f"no version {version!r} is kept; `reprise models` lists those there are")
        self._current = self._versions[version]

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
    return _Version(manifest, [Product.from_json(product.to_json()) for product in publication.products], wires)
