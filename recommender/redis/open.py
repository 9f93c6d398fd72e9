"""Which Redis the settings mean: the one of REPRISE_REDIS_URL, or else the embedded server of REPRISE_HOME."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

from recommender.connection.embedded import embedded_server
from recommender.data_dir import Home
from recommender.redis.shops import RedisWarehouse
from recommender.settings import Settings
from recommender.storage.shops import Warehouse
from recommender.storage.versions import Store


@contextmanager
def store_url(settings: Settings) -> Iterator[str]:
    """The address of the server, which runs as long as the block does.

    Raises StoreUnavailableError or HomeError where the embedded server does not start; an address of the user's own
    is not tried out here.
    """
    if settings.redis_url is not None:
        yield settings.redis_url.get_secret_value()
        return
    with embedded_server(Home(settings.home)) as url:
        yield url


@contextmanager
def open_warehouse(settings: Settings) -> Iterator[Warehouse]:
    """All shops of the server.

    Raises as `store_url`, and SettingsError where REPRISE_REDIS_URL is not an address of Redis.
    """
    with store_url(settings) as url, closing(RedisWarehouse(url, settings.redis_timeout_ms)) as warehouse:
        yield warehouse


@contextmanager
def open_store(settings: Settings) -> Iterator[Store]:
    """The published versions of the settings' shop. Raises as `open_warehouse`."""
    with open_warehouse(settings) as warehouse:
        yield warehouse.store(settings.shop)
