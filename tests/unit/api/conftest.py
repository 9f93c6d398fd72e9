import pytest
from flask import Flask
from flask.testing import FlaskClient

from api import create_app
from recommender.errors import StoreUnavailableError
from recommender.publication.manifest import Manifest
from recommender.settings import Settings
from recommender.slate.reading import Reading
from recommender.storage.versions import ListQuery
from tests.fakes.store import MemoryStore
from tests.fakes.warehouse import MemoryWarehouse
from tests.support import small_shop


class DownStore(MemoryStore):
    """Redis that does not answer."""

    def read(self, query: ListQuery) -> Reading | None:
        raise StoreUnavailableError("Redis at localhost:6379 does not answer")

    def current(self) -> str | None:
        raise StoreUnavailableError("Redis at localhost:6379 does not answer")

    def manifests(self) -> list[Manifest]:
        raise StoreUnavailableError("Redis at localhost:6379 does not answer")


class CountingStore(MemoryStore):
    """Counts the round trips."""

    reads = 0

    def read(self, query: ListQuery) -> Reading | None:
        self.reads += 1
        return super().read(query)


@pytest.fixture
def store() -> CountingStore:
    store = CountingStore()
    store.publish(small_shop.publication(), keep=3)
    return store


@pytest.fixture
def app(store: CountingStore) -> Flask:
    return create_app(Settings(), MemoryWarehouse({"default": store}), lambda: small_shop.NOW)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def empty_client() -> FlaskClient:
    return create_app(Settings(), MemoryWarehouse({"default": MemoryStore()}), lambda: small_shop.NOW).test_client()


@pytest.fixture
def down_client() -> FlaskClient:
    return create_app(Settings(), MemoryWarehouse({"default": DownStore()}), lambda: small_shop.NOW).test_client()
