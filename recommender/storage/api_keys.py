"""API keys: who may ask, for which shop, and for what.

A key is `sk_<key_id>_<secret>` (secret: between servers) or `pk_<key_id>_<secret>` (publishable: in a browser). Only a
digest of it is kept, so whoever reads the server's memory or its Redis learns no key. The digest of a secret key signs
customer tokens (see `api.security.customer_tokens`), so it is not shown anywhere either.
"""

import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Literal, get_args

from recommender.errors import UsageError

Scope = Literal["read", "events", "catalogue", "campaigns", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
KeyKind = Literal["secret", "publishable"]
PREFIXES: dict[KeyKind, str] = {"secret": "sk", "publishable": "pk"}
SECRET_BYTES = 32
_ORIGIN = re.compile(r"https?://(?:[a-z0-9-]+(?:\.[a-z0-9-]+)*|\[[0-9a-f:]+\])(?::[0-9]{1,5})?")
"""As browsers send it (RFC 6454, 6.2): in lower case, without a path."""
_DEFAULT_PORT = re.compile(r"http://.*:80|https://.*:443")


@dataclass(frozen=True, slots=True)
class ApiKey:
    """One key as it is kept.

    Attributes:
        key_id: names it in lists and answers; no secret.
        shop: the shop whose data it opens; a caller cannot name another.
        kind: a publishable key opens product lists only, and a person's with a token that the shop signed.
        scopes: what it may do; a publishable key reads.
        origins: `https://shop.example`, … where browsers may use a publishable key; empty: in no browser.
        digest: SHA-256 of the whole key, in hex; empty once it is revoked.
        created_at: ISO-8601 UTC.
        label: what the shop calls it.
        rate_per_s: requests it may make in a second, for long; None: as the settings say for its kind.
        revoked_at: ISO-8601 UTC; None while it works.
    """

    key_id: str
    shop: str
    kind: KeyKind
    scopes: tuple[Scope, ...]
    origins: tuple[str, ...]
    digest: str = field(repr=False)
    created_at: str
    label: str = ""
    rate_per_s: float | None = None
    revoked_at: str | None = None

    def revoke(self, at: datetime) -> "ApiKey":
        """What is kept of it afterwards: it opens nothing. `at` is aware.

        It stays, so that a server that lost its keys can be told from one whose last key was revoked.
        """
        return replace(self, scopes=(), origins=(), digest="", revoked_at=_moment(at))


def make_api_key(
    *,
    shop: str,
    kind: KeyKind,
    scopes: Sequence[Scope],
    origins: Sequence[str],
    created_at: datetime,
    label: str = "",
    rate_per_s: float | None = None,
) -> tuple[str, ApiKey]:
    """A new key, 256 bits of chance, and what is kept of it. `created_at` is aware.

    Raises:
        UsageError: the kind does not go with the scopes or origins, or an origin is not of a browser's form.
    """
    _check(kind, scopes, origins)
    key_id = secrets.token_hex(8)
    key = f"{PREFIXES[kind]}_{key_id}_{secrets.token_hex(SECRET_BYTES)}"
    kept_scopes: tuple[Scope, ...] = ("read",) if kind == "publishable" else tuple(s for s in SCOPES if s in scopes)
    return key, ApiKey(
        key_id=key_id,
        shop=shop,
        kind=kind,
        scopes=kept_scopes,
        origins=tuple(dict.fromkeys(origins)),
        digest=digest_of(key),
        created_at=_moment(created_at),
        label=label,
        rate_per_s=rate_per_s,
    )


def digest_of(key: str) -> str:
    """SHA-256 of a key, in hex. A slow hash would protect a password; a key is as random as its digest."""
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()


def _check(kind: KeyKind, scopes: Sequence[Scope], origins: Sequence[str]) -> None:
    if kind == "secret" and not scopes:
        raise UsageError(f"a secret key needs a scope: one or more of {', '.join(SCOPES)}")
    if kind == "secret" and origins:
        raise UsageError("a secret key must not be in a browser: leave out the origin, or make a publishable key")
    if kind == "publishable" and set(scopes) - {"read"}:
        raise UsageError("a publishable key takes no scope but read: everyone can take it out of the shop's pages")
    for origin in origins:
        if not _ORIGIN.fullmatch(origin) or _DEFAULT_PORT.fullmatch(origin):
            raise UsageError(
                f"origin {origin!r} is not as a browser sends it; write https://shop.example, "
                "in lower case, without a path or a default port"
            )


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
