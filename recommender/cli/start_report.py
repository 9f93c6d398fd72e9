"""Start report of long-running commands: what they found, a line each, so that what is missing is seen at once."""

from collections.abc import Collection, Iterator

from recommender.cli.console import echo
from recommender.connection.url import parse_redis_url
from recommender.errors import StoreError
from recommender.settings import Settings, find_settings_file
from recommender.storage.shops import ShopStorage


def print_start(settings: Settings, storage: ShopStorage, shops: Collection[str], *, as_json: bool) -> None:
    """Print the start report; on standard error where standard output belongs to a JSON document."""
    for line in describe_start(settings, storage, shops):
        echo(line, err=as_json)


def describe_start(settings: Settings, storage: ShopStorage, shops: Collection[str]) -> Iterator[str]:
    """The lines of the start report. They hold no password, and a Redis that does not answer is waited for once.

    Args:
        settings: of the process.
        storage: is asked for keys and versions.
        shops: whose versions are told.
    """
    yield f"settings file: {find_settings_file() or 'none, so the environment and the defaults hold'}"
    yield from _describe_storage(settings, storage, shops)
    without = "not set, so links in mails lead straight to the shop and none unsubscribes"
    yield f"mail secret: {'set' if settings.mail.secret else without}"


def _describe_storage(settings: Settings, storage: ShopStorage, shops: Collection[str]) -> Iterator[str]:
    url = settings.redis_url
    address = f"embedded, under {settings.home}" if url is None else parse_redis_url(url.get_secret_value()).address
    try:
        keys = storage.api_keys().values()
        versions = {shop: storage.store(shop).follow().version for shop in shops}
    except StoreError as error:
        yield f"Redis: {address}; it does not answer now: {error}"
        return
    yield f"Redis: {address}"
    for shop, version in versions.items():
        answers = f"{version} answers" if version else "no version yet: run `reprise train`"
        yield f"shop {shop}: {answers}"
    works = sum(not key.revoked_at for key in keys)
    none = "all are revoked, so nobody is answered" if keys else "none, so only this machine is answered"
    yield f"API keys: {works or f'{none}; `reprise keys create` makes one'}"
