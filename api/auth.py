"""Who asks, and what they may: decided before any view runs.

Every view says with `accessible` who may call it; one that does not is refused to everybody.
"""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from ipaddress import ip_address
from typing import Any, Literal, TypeVar

from flask import Flask, current_app, g, request

from api.shops import Shops
from recommender.api_keys import Scope
from recommender.errors import ForbiddenError, StoreUnavailableError, UnauthorizedError

ALL_SCOPES: frozenset[Scope] = frozenset({"read", "events", "admin"})
_ACCESS = "reprise_access"
_View = TypeVar("_View", bound=Callable[..., Any])


class Access(Enum):
    """Who may call a route."""

    OPEN = "anyone, without a key"
    PRODUCTS = "a secret key with scope read, or a publishable key"
    PERSON = "a secret key with scope read, or a publishable key with that customer's token"
    SESSION = "as PRODUCTS; as PERSON where the body names a customer"
    SERVER = "a secret key with scope read"
    EVENTS = "a secret key with scope events"
    ADMIN = "a secret key with scope admin"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks.

    Attributes:
        shop: whose data this caller sees.
        kind: `local` is anyone on this machine while there are no keys.
        scopes: what the key opens.
        key_id: None for `local`.
        customer_id: whom the customer token names, if one came along.
    """

    shop: str
    kind: Literal["local", "secret", "publishable"]
    scopes: frozenset[Scope]
    key_id: str | None = None
    customer_id: str | None = None


def accessible(access: Access) -> Callable[[_View], _View]:
    """Say who may call a view."""

    def decorate(view: _View) -> _View:
        setattr(view, _ACCESS, access)
        return view

    return decorate


def attach(app: Flask, shops: Shops, own_shop: str) -> None:
    """Check every request of `app` before its view, and leave its caller in `g.caller`."""

    def check() -> None:
        if request.endpoint is None:  # no such route
            return
        access = getattr(current_app.view_functions[request.endpoint], _ACCESS, None)
        if access is not Access.OPEN:
            g.caller = find_caller(request.environ, shops, own_shop)
            allow(access, g.caller, (request.view_args or {}).get("customer_id"))

    app.before_request(check)


def find_caller(environ: dict[str, Any], shops: Shops, own_shop: str) -> Caller:
    """Who sent the request.

    Raises:
        StoreUnavailableError: whether there are keys could not be read yet.
        UnauthorizedError: no key where one is needed, or one that is not known.
    """
    keys = shops.api_keys
    if keys is None:
        raise StoreUnavailableError("the API keys cannot be read yet; try again in a moment")
    if not keys:
        if not _is_local(environ.get("REMOTE_ADDR")):
            raise UnauthorizedError(
                "there are no API keys yet, so only this machine is answered: `reprise keys create`"
            )
        return Caller(own_shop, "local", ALL_SCOPES)
    scheme, _, given = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    parts = given.split("_", maxsplit=2)
    key = keys.get(parts[1]) if scheme.lower() == "bearer" and len(parts) == 3 else None
    digest = hashlib.sha256(given.encode("utf-8", "replace")).hexdigest()
    if key is None or not hmac.compare_digest(digest, key.digest):
        raise UnauthorizedError("send a key that is known here: `Authorization: Bearer <key>`")
    return Caller(key.shop, key.kind, frozenset(key.scopes), key.key_id)


def allow(access: Access | None, caller: Caller, customer_id: str | None) -> None:
    """Let `caller` pass.

    Args:
        access: the route's rule; None where nobody wrote one.
        caller: who asks.
        customer_id: the person that the path names, if it names one.

    Raises:
        ForbiddenError: the rule does not let this caller pass.
    """
    needed: Scope = {Access.ADMIN: "admin", Access.EVENTS: "events"}.get(access, "read")  # type: ignore[assignment,arg-type]
    if access is None or needed not in caller.scopes:
        raise ForbiddenError(f"this key does not open this route; it needs scope {needed}")


def _is_local(address: str | None) -> bool:
    """Without an address it came over no network, but a socket in the file system."""
    try:
        return not address or ip_address(address).is_loopback
    except ValueError:
        return False
