"""API keys: who may ask, for which shop, and for what.

A key is `sk_<key_id>_<secret>` (secret: between servers) or `pk_<key_id>_<secret>` (publishable: in a browser). Only a
digest of it is kept, so whoever reads the server's memory or its Redis learns no key.
"""

from dataclasses import dataclass
from typing import Literal

Scope = Literal["read", "events", "admin"]
Kind = Literal["secret", "publishable"]


@dataclass(frozen=True, slots=True)
class ApiKey:
    """One key as it is kept.

    Attributes:
        key_id: names it in lists and answers; no secret.
        shop: the shop whose data it opens; a caller cannot name another.
        kind: a publishable key opens product lists only, and a person's with a token that the shop signed.
        scopes: what a secret key may do.
        origins: `https://shop.example`, … where a browser may use a publishable key; empty: anywhere.
        digest: SHA-256 of the whole key, in hex.
        created_at: ISO-8601 UTC.
        label: what the shop calls it.
    """

    key_id: str
    shop: str
    kind: Kind
    scopes: tuple[Scope, ...]
    origins: tuple[str, ...]
    digest: str
    created_at: str
    label: str = ""
