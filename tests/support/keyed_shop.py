"""API keys for tests, and customer tokens as a shop's back end signs them."""

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256

from itsdangerous import TimestampSigner
from itsdangerous.encoding import base64_encode

from recommender.storage.api_keys import KeyKind, Scope, make_api_key
from recommender.storage.shops import ShopStorage
from tests.support.small_shop import NOW

ORIGIN = "https://shop.example"


def add_key(
    storage: ShopStorage,
    *scopes: Scope,
    shop: str = "default",
    kind: KeyKind = "secret",
    origins: Sequence[str] = (),
    rate_per_s: float | None = None,
) -> str:
    """Keep a new key and return it."""
    key, kept = make_api_key(
        shop=shop, kind=kind, scopes=scopes, origins=origins, created_at=NOW, rate_per_s=rate_per_s
    )
    storage.add_api_key(kept)
    return key


def add_publishable_key(storage: ShopStorage, *origins: str, shop: str = "default", rate_per_s: float | None = None):
    """Keep a new publishable key and return it; pages of ORIGIN may use it where no other is named."""
    return add_key(storage, shop=shop, kind="publishable", origins=origins or (ORIGIN,), rate_per_s=rate_per_s)


def key_id(key: str) -> str:
    """The part of a key that is no secret."""
    return key.split("_")[1]


def bearer(key: str, token: str | None = None, origin: str | None = None) -> dict[str, str]:
    """The headers of a request with this key."""
    given = {"Authorization": f"Bearer {key}", "Reprise-Customer-Token": token, "Origin": origin}
    return {name: value for name, value in given.items() if value is not None}


def customer_token(key: str, customer_id: str, at: datetime = NOW, salt: str = "reprise.customer-token") -> str:
    """What a back end with secret key `key` would have signed at `at`."""
    signer = TimestampSigner(sha256(key.encode()).hexdigest(), salt, key_derivation="hmac", digest_method=sha256)
    signer.get_timestamp = lambda: int(at.timestamp())  # type: ignore[method-assign]
    return signer.sign(f"{key_id(key)}.{base64_encode(customer_id).decode()}").decode()
