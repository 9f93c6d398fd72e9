"""Principals: the caller of a request, as its API key identifies it."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address
from typing import Any, Literal
from urllib.parse import urlsplit

from api.security.query_key import QUERY_KEY
from recommender.errors import ForbiddenError, UnauthorizedError
from recommender.storage.api_keys import PREFIXES, SCOPES, ApiKey, KeyKind, Scope, digest_of

NO_SHOP = ""
"""The shop of a caller whose key cannot be looked up, as no keys were ever read: nothing is published in it."""
ALL_SCOPES: frozenset[Scope] = frozenset(SCOPES)
_PUBLISHABLE = f"{PREFIXES['publishable']}_"
_OWN_SITES = ("same-origin", "none")
"""Values of Sec-Fetch-Site of our own pages, and of what a person typed; programs send none."""
_UNKNOWN_KEY = ApiKey("", "", "secret", (), (), digest="0" * 64, created_at="")
"""Stands in for a key that is not known, so that looking takes as long as for one that is."""


@dataclass(frozen=True, slots=True)
class Principal:
    """The authenticated caller of a request.

    Attributes:
        shop: the tenant whose data this caller sees.
        kind: `local` is anyone on this machine while there are no keys; `unknown` anyone at all while the keys cannot
            be read, whose shop is empty.
        scopes: what the key opens.
        key_id: None for those without a key.
        customer_id: whom the customer token names; None where none was looked at.
        origins: web sites that may use the key.
        rate_per_s: requests a second; None as the settings say.
    """

    shop: str
    kind: KeyKind | Literal["local", "unknown"]
    scopes: frozenset[Scope]
    key_id: str | None = None
    customer_id: str | None = None
    origins: tuple[str, ...] = ()
    rate_per_s: float | None = None


def find_principal(environ: Mapping[str, Any], keys: Mapping[str, ApiKey] | None, own_shop: str) -> Principal:
    """The principal of a request.

    Args:
        environ: its WSGI environment (PEP 3333).
        keys: by key id; None until they could be read for the first time.
        own_shop: whom `local` callers see.

    Raises:
        UnauthorizedError: no key where one is needed, one that is not known, or a secret one in the query.
        ForbiddenError: it comes from a web site that may not use this key.
    """
    if not environ.get(QUERY_KEY, _PUBLISHABLE).startswith(_PUBLISHABLE):
        raise UnauthorizedError(
            "only a publishable key (`pk_…`) may stand in the query, which others can read; revoke a secret one that "
            "was sent there, and send the next as `Authorization: Bearer <key>`"
        )
    if keys is None:  # a page gets an answer even now, with nothing in it
        return Principal(NO_SHOP, "unknown", frozenset({"read"}))
    return _find_local(environ, own_shop) if not keys else _find_by_key(environ, keys)


def _find_by_key(environ: Mapping[str, Any], keys: Mapping[str, ApiKey]) -> Principal:
    scheme, _, given = _credentials(environ).partition(" ")
    given = given.lstrip(" ")  # RFC 9110, 11.4: one blank or more
    parts = given.split("_", maxsplit=2)
    key = keys.get(parts[1], _UNKNOWN_KEY) if len(parts) == 3 else _UNKNOWN_KEY
    if not hmac.compare_digest(digest_of(given), key.digest) or scheme.lower() != "bearer":
        raise UnauthorizedError("send a key that is known here: `Authorization: Bearer <key>`")
    origin = environ.get("HTTP_ORIGIN")
    if origin is not None and origin not in key.origins and not _is_own_page(origin, environ, key.kind):
        raise ForbiddenError(f"pages of {origin!r} may not use this key; make a publishable key with that --origin")
    return Principal(key.shop, key.kind, frozenset(key.scopes), key.key_id, None, key.origins, key.rate_per_s)


def _credentials(environ: Mapping[str, Any]) -> str:
    if QUERY_KEY not in environ:
        return str(environ.get("HTTP_AUTHORIZATION", ""))
    if "HTTP_AUTHORIZATION" in environ:
        raise UnauthorizedError("send one key: in `Authorization`, or as `key` in the query")
    return f"Bearer {environ[QUERY_KEY]}"


def _find_local(environ: Mapping[str, Any], own_shop: str) -> Principal:
    """Anyone on this machine, but no page that a browser on this machine shows (see DNS rebinding)."""
    remedy = "there are no API keys yet, so only this machine is answered: `reprise keys create`"
    if not _is_local(environ.get("REMOTE_ADDR")):
        raise UnauthorizedError(remedy)
    host, origin = environ.get("HTTP_HOST", "localhost"), environ.get("HTTP_ORIGIN")
    if not _names_this_machine(host):
        raise ForbiddenError(f"host {host!r} is not a name of this machine; {remedy}")
    if origin is not None and not _is_same_host(origin, environ):
        raise ForbiddenError(f"pages of {origin!r} may not ask; {remedy}")
    if (
        environ.get("HTTP_SEC_FETCH_SITE", "none") not in _OWN_SITES
    ):  # a picture or a script is asked for without Origin
        raise ForbiddenError(f"pages of other sites may not ask; {remedy}")
    return Principal(own_shop, "local", ALL_SCOPES)


@lru_cache(maxsize=256)
def _is_local(address: str | None) -> bool:
    """Without an address it came over no network, but a socket in the file system."""
    try:
        return not address or ip_address(address).is_loopback
    except ValueError:
        return False


@lru_cache(maxsize=256)
def _names_this_machine(host: str) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or name.endswith(".localhost") or ip_address(name).is_loopback
    except ValueError:
        return False


def _is_own_page(origin: str, environ: Mapping[str, Any], kind: KeyKind) -> bool:
    """Whether a page that no key lists is our own.

    That Origin and Host are the same says nothing of a page whose name was pointed at us (DNS rebinding); it has a
    publishable key, which is no secret, but none that is.
    """
    trusted = kind == "secret" or _names_this_machine(environ.get("HTTP_HOST", ""))
    return trusted and _is_same_host(origin, environ)


def _is_same_host(origin: str, environ: Mapping[str, Any]) -> bool:
    """Whether the page is our own: the documentation at /docs tries out the API."""
    return origin.partition("://")[2] == environ.get("HTTP_HOST")
