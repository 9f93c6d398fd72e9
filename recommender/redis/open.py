"""Storage on the server that the settings name: that of REPRISE_REDIS_URL, or else the embedded one of REPRISE_HOME."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

from recommender.connection.embedded import embedded_server
from recommender.data_dir import DataDirectory
from recommender.redis.shops import RedisShopStorage
from recommender.settings import Settings
from recommender.storage.shops import ShopStorage
from recommender.storage.versions import VersionStore


@contextmanager
def store_url(settings: Settings) -> Iterator[str]:
    """URL of the server. An embedded one runs as long as the block does.

    Raises StoreUnavailableError or HomeError where the embedded server does not start; REPRISE_REDIS_URL is not
    tried.
    """
    if settings.redis_url is not None:
        yield settings.redis_url.get_secret_value()
        return
    with embedded_server(DataDirectory(settings.home)) as url:
        yield url


@contextmanager
def open_storage(settings: Settings) -> Iterator[ShopStorage]:
    """Storage of all shops on the server.

    Raises as `store_url`, and SettingsError where REPRISE_REDIS_URL is not an address of Redis.
    """
    home = DataDirectory(settings.home)
    with store_url(settings) as url, closing(RedisShopStorage(url, settings.redis_timeout_ms, home)) as storage:
        yield storage


@contextmanager
def open_version_store(settings: Settings) -> Iterator[VersionStore]:
    """Published versions of the settings' shop. Raises as `open_storage`."""
    with open_storage(settings) as storage:
        yield storage.store(settings.shop)
