"""Where published versions are kept: the protocol that the service and the job rely on."""

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from recommender.catalogue.catalogue import Catalogue
from recommender.catalogue.overrides import MOST_OVERRIDDEN, NO_OVERRIDES, ProductChange, ProductOverrides
from recommender.errors import InvalidRequestError, VersionNotFoundError
from recommender.publication.factors import ProductFactors
from recommender.publication.insights import DueLine
from recommender.publication.lists import ListKey
from recommender.publication.manifest import Manifest, Publication
from recommender.publication.profile import Profile
from recommender.slate.placements import MOST_PLACEMENT_BYTES, MOST_PLACEMENTS, Placement
from recommender.slate.reading import FetchedLists


class ListQuery(NamedTuple):
    """Lists of one version to read with their products, in one round trip.

    Attributes:
        keys: the lists.
        version: read as long as it is kept, else the current one: whoever follows a publish a moment late still reads
            what belongs together.
        catalogue: the products of `version` where they are cached: then the lists travel without them.
        people: those whose recent events count, by `digest_of_person`.
    """

    keys: Sequence[ListKey]
    version: str | None = None
    catalogue: Catalogue | None = None
    people: Sequence[str] = ()


@dataclass(frozen=True)
class StoreState:
    """What may change between two answers.

    Attributes:
        version: the version that answers; None before the first publish.
        placements: those that were set while the service runs, by name.
        erasures: how many customers were erased: what is remembered of persons goes when it changes.
        overrides: what the shop has overridden of its products; the same object while that does not change.
        unreadable: names of placements that were set but cannot be read; those of the settings stand in for them.
    """

    version: str | None = None
    placements: Mapping[str, Placement] = field(default_factory=dict)
    erasures: int = 0
    overrides: ProductOverrides = NO_OVERRIDES
    unreadable: frozenset[str] = frozenset()


class Reader(Protocol):
    """What the service reads of one shop with every answer, and what it follows in the background.

    Every method raises StoreUnavailableError when the server cannot be reached in time.
    """

    def read(self, query: ListQuery) -> FetchedLists | None:
        """What `query` names, in one round trip; None before any version."""

    async def read_async(self, query: ListQuery) -> FetchedLists | None:
        """As `read`, for an event loop, which does other things meanwhile."""

    def catalogue(self, version: str, most_bytes: int) -> Catalogue | None:
        """Every product of a version, to be cached; None where that takes more memory or saves nothing."""

    def find_products(self, version: str, product_ids: Sequence[str]) -> dict[str, bytes]:
        """The JSON of those products that a version knows, by id."""

    def follow(self) -> StoreState:
        """What may have changed since the last look, in one round trip; more where products were overridden."""


class VersionStore(Reader, Protocol):
    """Published versions of one shop. Every method raises as those of `Reader`."""

    def factors(self, version: str) -> ProductFactors | None:
        """With which a version's new customers are folded in; None where it has none or is not kept."""

    def profile(self, version: str | None, customer_id: str) -> Profile | None:
        """What a version says of a customer, in one round trip; None where it does not know the customer.

        Read is `version` as long as it is kept, else the current one. A version of an earlier release knows nobody.
        """

    def n_profile_blocks(self, version: str) -> int:
        """In how many blocks `profiles` gives a version's customers; 0 where it has no profiles or is not kept."""

    def profiles(self, version: str, block: int) -> list[Profile]:
        """The customers of one block, from 0, in order of their ids, in one round trip: a few dozen, maybe none.

        All blocks together hold everybody once, and always the same customers, but for those who were erased.

        Raises:
            VersionNotFoundError: the version is not kept, or has no such block.
        """

    def placement(self, name: str) -> Placement | None:
        """A placement that was set while the service runs, as it stands now; None where the settings' one counts."""

    def insights(self, version: str) -> dict[str, Any] | None:
        """The document of a version's insights; None where it is not kept, or of a release that had none."""

    def due_board(self, version: str) -> dict[str, list[DueLine]]:
        """The lines of a version's due board by customer: at most MOST_DUE_CUSTOMERS; {} where it has none."""

    def place(self, name: str, placement: Placement) -> None:
        """Set a placement for every worker, in place of the one in the settings, until it is set again.

        Raises InvalidRequestError where the shop would have more than MOST_PLACEMENTS, or MOST_PLACEMENT_BYTES of them.
        """

    def replace_placement(self, name: str, before: Placement | None, after: Placement) -> None:
        """Set a placement as `place` does, if `before` still stands there (as `placement` gave it), in one step.

        Raises ChangedMeanwhileError where something else does, and as `place`.
        """

    def update_products(self, changes: Sequence[ProductChange]) -> list[bytes | None]:
        """Override products for every worker and version, all in one step, in this order.

        Returns the overrides that each then has, as JSON; None for none.

        Raises InvalidRequestError where more than MOST_OVERRIDDEN products would be overridden; nothing changes.
        """

    def publish(
        self, publication: Publication, *, keep: int, advance: Callable[[int], None] = lambda _: None
    ) -> list[str]:
        """Write a version, count it back, make it current in one step, and delete all but the newest `keep`.

        Erased customers are left out. What an interrupted publish left behind is deleted first. `advance` is told
        the number of lists just written.

        Returns:
            What could not be looked at on the way, in words; mostly [].

        Raises:
            BusyError: another publish is at work.
            StoreFullError: the version would not fit; nothing was swapped.
            IncompletePublishError: the count differs; nothing was swapped.
        """

    def activate(self, version: str) -> None:
        """Make a complete version current in one step. Raises VersionNotFoundError."""

    def erase(self, customer_id: str, at: datetime) -> int:
        """Delete a customer's lists in every version, and leave them out of later publishes; how many there were.

        The profiles go with them, uncounted. May be called again: the first moment is kept.
        """

    def find_customers(self, people: Container[str]) -> list[str]:
        """Ids of the customers, among all with a list or a profile in a complete version, whose digest is in `people`.

        It reads all lists' owners and all profiles: it is for what is rare.
        """

    def current(self) -> str | None:
        """The version that answers; None before the first publish."""

    def manifests(self) -> list[Manifest]:
        """Manifests of the complete versions, newest `created_at` first."""

    def close(self) -> None:
        """Give back connections."""


def too_many_placements(name: str) -> InvalidRequestError:
    """The error that a shop would have too many placements, or too much text in them."""
    message = (
        f"the shop would have more than {MOST_PLACEMENTS} placements, or {MOST_PLACEMENT_BYTES >> 20} MiB of rules in "
        f"them, with {name!r}: set one that is there, or shorten pins, boosts and blocks"
    )
    return InvalidRequestError(message, [{"field": "name", "message": message}])


def too_many_overridden() -> InvalidRequestError:
    """The error that a shop would say something of too many products."""
    message = f"something is said of {MOST_OVERRIDDEN:,} products: take back what is said of some (DELETE)"
    return InvalidRequestError(message, [{"field": "product_id", "message": message}])


def current_manifest(store: VersionStore) -> Manifest | None:
    """The manifest of the version that answers; None before the first publish."""
    current = store.current()
    return next((manifest for manifest in store.manifests() if manifest.version == current), None)


def rollback(store: VersionStore) -> str:
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
