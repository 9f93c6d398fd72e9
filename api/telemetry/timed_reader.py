"""A store whose reads are timed."""

from collections.abc import Sequence

from api.telemetry.metrics import timed, version_as_of_seconds
from recommender.catalogue.catalogue import Catalogue
from recommender.publication.manifest import version_as_of
from recommender.slate.reading import FetchedLists
from recommender.storage.versions import ListQuery, Reader, StoreState


class TimedReader:
    """A shop's store whose reads are timed; an answer that waited for them finds the seconds in `waited_s`."""

    def __init__(self, store: Reader, shop: str) -> None:
        self._store = store
        self._shop = shop

    def read(self, query: ListQuery) -> FetchedLists | None:
        """See `Reader.read`."""
        with timed("read"):
            return self._store.read(query)

    async def read_async(self, query: ListQuery) -> FetchedLists | None:
        """See `Reader.read_async`."""
        with timed("read"):
            return await self._store.read_async(query)

    def catalogue(self, version: str, most_bytes: int) -> Catalogue | None:
        """See `Reader.catalogue`."""
        return self._store.catalogue(version, most_bytes)

    def find_products(self, version: str, product_ids: Sequence[str]) -> dict[str, bytes]:
        """See `Reader.find_products`."""
        with timed("read"):
            return self._store.find_products(version, product_ids)

    def follow(self) -> StoreState:
        """See `Reader.follow`."""
        with timed("follow"):
            position = self._store.follow()
        if position.version is not None:
            version_as_of_seconds.labels(self._shop).set(version_as_of(position.version).timestamp())
        return position
