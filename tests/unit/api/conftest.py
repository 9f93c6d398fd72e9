import pytest
from flask import Flask
from flask.testing import FlaskClient

from api import create_app
from recommender.errors import StoreUnavailableError
from recommender.publication.manifest import Manifest
from recommender.settings import Settings
from recommender.slate.reading import FetchedLists
from recommender.storage.versions import ListQuery
from tests.fakes.shops import MemoryShopStorage
from tests.fakes.versions import MemoryVersionStore
from tests.support import small_shop


class DownStore(MemoryVersionStore):
    """Redis that does not answer."""

    def read(self, query: ListQuery) -> FetchedLists | None:
        raise StoreUnavailableError("Redis at localhost:6379 does not answer")

    def current(self) -> str | None:
        raise StoreUnavailableError("Redis at localhost:6379 does not answer")

    def manifests(self) -> list[Manifest]:
        raise StoreUnavailableError("Redis at localhost:6379 does not answer")


class CountingStore(MemoryVersionStore):
    """Counts the round trips."""

    reads = 0

    def read(self, query: ListQuery) -> FetchedLists | None:
        self.reads += 1
        return super().read(query)


@pytest.fixture
def store() -> CountingStore:
    store = CountingStore()
    store.publish(small_shop.publication(), keep=3)
    return store


@pytest.fixture
def app(store: CountingStore) -> Flask:
    return create_app(Settings(), MemoryShopStorage({"default": store}), lambda: small_shop.NOW)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def empty_client() -> FlaskClient:
    return create_app(
        Settings(), MemoryShopStorage({"default": MemoryVersionStore()}), lambda: small_shop.NOW
    ).test_client()


@pytest.fixture
def down_client() -> FlaskClient:
    return create_app(Settings(), MemoryShopStorage({"default": DownStore()}), lambda: small_shop.NOW).test_client()
