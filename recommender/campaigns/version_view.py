"""One version as a campaign reads it: lists that customers share are read once, whatever is published meanwhile."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from recommender.catalogue.catalogue import Catalogue
from recommender.catalogue.overrides import NO_OVERRIDES, OverriddenCatalogue
from recommender.errors import VersionNotFoundError
from recommender.events.recent import RecentActivity, recent_events
from recommender.publication.lists import PERSONAL, ListKey
from recommender.publication.product import Product
from recommender.publication.profile import Profile
from recommender.slate.candidates import FALLBACK_KEYS
from recommender.slate.customer_view import CustomerView, Identity
from recommender.slate.reading import FetchedLists
from recommender.storage.lru import LruCache
from recommender.storage.versions import ListQuery, VersionStore

MAX_CATALOGUE_BYTES = 256 << 20
"""About 600,000 products. Of a larger shop, the products travel with each list."""
MAX_LIST_BYTES = 12 << 20


class VersionView:
    """Profiles, lists and products of one version, with the catalogue overrides of now.

    Args:
        store: of the shop.
        version: a published one.

    Raises:
        VersionNotFoundError: it is no longer kept, or it describes no customers.
    """

    def __init__(self, store: VersionStore, version: str) -> None:
        self.version = version
        self._store = store
        self._lists = LruCache(MAX_LIST_BYTES)
        self._overrides = NO_OVERRIDES
        self.n_blocks = count_customer_blocks(store, version)
        self._catalogue = store.catalogue(version, MAX_CATALOGUE_BYTES)
        self._products = self._catalogue or Catalogue({})
        self.follow()

    def follow(self) -> None:
        """Bring the catalogue overrides up to date: one round trip."""
        overrides = self._store.follow().overrides
        if overrides is not self._overrides:
            self._overrides = overrides
            self._products = self._override(self._catalogue or Catalogue({}))

    def profiles(self, block: int) -> list[Profile]:
        """The profiles of the customers in one block, by id. Raises VersionNotFoundError."""
        return self._store.profiles(self.version, block)

    def customer_views(self, customer_ids: Sequence[str], at: datetime) -> list[CustomerView]:
        """Each customer's view of the own lists at an aware moment, in one round trip.

        Of the recent events only orders until then count, and what the customer refused: a mail is no page, where
        the last click matters, and the same moment must give the same picks when it is long past.
        """
        identities = [Identity(customer_id) for customer_id in customer_ids]
        people = [person for identity in identities for person in identity.people]
        reading = self.read([key for identity in identities for key in identity.own], people)
        reading = reading._replace(live={person: _until(recent, at) for person, recent in reading.live.items()})
        return [identity.look(reading, at) for identity in identities]

    def with_lists(self, views: Sequence[CustomerView], keys: Iterable[ListKey]) -> list[CustomerView]:
        """The same views with the lists of `keys` in them, in one round trip at most."""
        more = self.read(list(dict.fromkeys(keys)))
        return [view._replace(reading=self._join(view.reading, more)) for view in views]

    def fallbacks(self) -> FetchedLists:
        """The best sellers of the shop: the lists of FALLBACK_KEYS."""
        return self.read(FALLBACK_KEYS)

    def find_products(self, product_ids: Sequence[str]) -> dict[str, Product]:
        """Products of the version by id, with their overrides; ids that it does not hold are left out."""
        texts = self._store.find_products(self.version, product_ids) if product_ids else {}
        return {product_id: self._overrides.apply_to(Product.from_json(text)) for product_id, text in texts.items()}

    def read(self, keys: Sequence[ListKey], people: Sequence[str] = ()) -> FetchedLists:
        """The lists of `keys`, in one round trip at most. Raises VersionNotFoundError."""
        cached = {key: found for key in keys if (found := self._lists.get(key)) is not None}
        missing = [key for key in keys if key not in cached]
        if not missing and not people:
            return FetchedLists(self.version, cached, self._products)
        reading = self._store.read(ListQuery(missing, self.version, self._catalogue, people))
        if reading is None or reading.version != self.version:
            raise _gone(self.version)
        if self._catalogue is None:
            return reading._replace(products=self._override(reading.products))
        for key, fetched in reading.lists.items():
            if fetched is not None and key.name not in PERSONAL:
                self._lists.keep(key, fetched, len(fetched.wire))
        return reading._replace(lists={**cached, **reading.lists}, products=self._products)

    def _override(self, products: Catalogue) -> Catalogue:
        return OverriddenCatalogue(products, self._overrides) if self._overrides.records else products

    def _join(self, reading: FetchedLists, more: FetchedLists) -> FetchedLists:
        products = reading.products
        if self._catalogue is None:
            products = self._override(Catalogue({**products.texts, **more.products.texts}))
        return reading._replace(lists={**reading.lists, **more.lists}, products=products)


def count_customer_blocks(store: VersionStore, version: str) -> int:
    """The number of blocks that hold the profiles of a version's customers.

    Raises:
        VersionNotFoundError: it is no longer kept, or it describes no customers.
    """
    n_blocks = store.n_profile_blocks(version)
    if n_blocks:
        return n_blocks
    if all(manifest.version != version for manifest in store.manifests()):
        raise _gone(version)
    raise VersionNotFoundError(
        f"version {version} does not describe its customers, as one of an earlier release; run `reprise train` again"
    )


def _gone(version: str) -> VersionNotFoundError:
    return VersionNotFoundError(
        f"version {version} is no longer kept, and the campaign's picks are of that version; begin another campaign, "
        "and keep more versions (REPRISE_KEEP_VERSIONS) where campaigns take longer than trainings"
    )


def _until(recent: RecentActivity, at: datetime) -> RecentActivity:
    moment = at.timestamp()
    orders = [wire for wire in recent.orders if any(event.at <= moment for event in recent_events([wire]))]
    return replace(recent, orders=orders, session=(), shown=())
