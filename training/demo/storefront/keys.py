"""The API keys of the demo: they are in no Redis, and end with it, so that no later `reprise serve` knows them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from recommender.data_dir import DataDirectory
from recommender.redis.shops import RedisShopStorage
from recommender.settings import Settings
from recommender.storage.api_keys import SCOPES, ApiKey, make_api_key
from training.demo.sites import persian_site
from training.demo.storefront.backend import Keys

_VARIABLE = "STOREFRONT_KEYS"


@dataclass(frozen=True)
class DemoKeys:
    """All keys of one demo.

    Attributes:
        sites: language → the keys of its site.
        trial: opens everything of the English site; for whoever tries out requests.
        records: what the service knows of all these.
    """

    sites: Mapping[str, Keys]
    trial: str
    records: Sequence[ApiKey]

    @classmethod
    def make(cls, shop: str, origins: Sequence[str], now: datetime) -> "DemoKeys":
        """New keys of `shop` and its Persian site, for pages of these origins; `now` is aware."""
        sites, records = {}, []
        for language, name in {"en": shop, "fa": persian_site(shop)}.items():
            secret, of_secret = make_api_key(
                shop=name, kind="secret", scopes=("read", "events"), origins=(), created_at=now, label="storefront"
            )
            publishable, of_publishable = make_api_key(
                shop=name, kind="publishable", scopes=(), origins=origins, created_at=now, label="storefront"
            )
            sites[language] = Keys(secret, publishable)
            records += [of_secret, of_publishable]
        trial, of_trial = make_api_key(
            shop=shop, kind="secret", scopes=SCOPES, origins=(), created_at=now, label="to try out"
        )
        return cls(sites, trial, [*records, of_trial])

    def to_environment(self) -> dict[str, str]:
        """The environment of the worker process, with the keys."""
        return {_VARIABLE: json.dumps(asdict(self))}

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "DemoKeys":
        """The inverse of `to_environment`. Raises KeyError where there are none."""
        found = json.loads(environment[_VARIABLE])
        sites = {language: Keys(*keys) for language, keys in found["sites"].items()}
        lists = ("scopes", "origins")
        records = [ApiKey(**one | {name: tuple(one[name]) for name in lists}) for one in found["records"]]
        return cls(sites, found["trial"], records)


class DemoStorage(RedisShopStorage):
    """Storage whose API keys are, beside those of Redis, the demo's own.

    Raises SettingsError where REPRISE_REDIS_URL is not an address of Redis.
    """

    def __init__(self, settings: Settings, keys: DemoKeys) -> None:
        url = "" if settings.redis_url is None else settings.redis_url.get_secret_value()
        super().__init__(url, settings.redis_timeout_ms, DataDirectory(settings.home))
        self._own = {key.key_id: key for key in keys.records}

    def api_keys(self) -> Mapping[str, ApiKey]:
        """See `ShopStorage.api_keys`."""
        return {**super().api_keys(), **self._own}
