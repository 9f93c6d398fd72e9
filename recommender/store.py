"""Where published versions are kept: the protocol that the service and the job rely on."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from recommender.errors import VersionNotFoundError
from recommender.placements import Placement
from recommender.publication import DecodedList, ListKey, Manifest, Product, Publication


@dataclass(frozen=True)
class Reading:
    """The answer to one `Store.read`: all from one version.

    Attributes:
        version: the version that was read.
        lists: what was asked for; None for an owner that has no such list.
        products: every product on those lists, by product_index.
        stale: whether this is a last copy, as the server does not answer; what was not at hand is None then.
    """

    version: str
    lists: Mapping[ListKey, DecodedList | None]
    products: Mapping[int, Product]
    stale: bool = False


@dataclass(frozen=True)
class Position:
    """What may change between two answers.

    Attributes:
        version: the version that answers; None before the first publish.
        placements: those that were set while the service runs, by name.
    """

    version: str | None = None
    placements: Mapping[str, Placement] = field(default_factory=dict)


class Store(Protocol):
    """Published versions of one shop.

    Every method raises StoreUnavailableError when the server cannot be reached in time.
    """

    def read(self, keys: Sequence[ListKey], version: str | None = None) -> Reading | None:
        """The named lists of one version with their products, in one round trip; None before any version.

        Read is `version` as long as it is kept, else the current one: whoever follows a publish a moment late still
        reads what belongs together.
        """

    def follow(self) -> Position:
        """What may have changed since the last look, in one round trip."""

    def place(self, name: str, placement: Placement) -> None:
        """Set a placement for every worker, in place of the one in the settings, until it is set again."""

    def publish(self, publication: Publication, *, keep: int, advance: Callable[[int], None] = lambda _: None) -> None:
        """Write a version, count it back, make it current in one step, and delete all but the newest `keep`.

        What an interrupted publish left behind is deleted first. `advance` is told the number of lists just written.

        Raises:
            BusyError: another publish is at work.
            StoreFullError: the version would not fit; nothing was swapped.
            IncompletePublishError: the count differs; nothing was swapped.
        """

    def activate(self, version: str) -> None:
        """Make a complete version current in one step. Raises VersionNotFoundError."""

    def current(self) -> str | None:
        """The version that answers; None before the first publish."""

    def manifests(self) -> list[Manifest]:
        """Manifests of the complete versions, newest `created_at` first."""

    def close(self) -> None:
        """Give back connections."""


def current_manifest(store: Store) -> Manifest | None:
    """The manifest of the version that answers; None before the first publish."""
    current = store.current()
    return next((manifest for manifest in store.manifests() if manifest.version == current), None)


def rollback(store: Store) -> str:
    """Make the version published before the current one current, and return its name.

    Raises:
        VersionNotFoundError: there is none.
    """
    versions = [manifest.version for manifest in store.manifests()]
    current = store.current()
    older = versions[versions.index(current) + 1 :] if current in versions else []
    if not older:
        raise VersionNotFoundError(
            f"no version before {current or 'the first publish'} is kept; `reprise models` lists those there are"
        )
    store.activate(older[0])
    return older[0]
