"""Permissions: one rule a route, the same for every method, and the time that a request of it may take."""

import math
from collections.abc import Callable
from enum import Enum
from functools import wraps
from typing import Any, TypeVar, cast

from flask import request

from api.security.callers import Principal
from recommender.connection.time_limit import time_limit
from recommender.errors import ForbiddenError, StoreUnavailableError
from recommender.storage.api_keys import Scope

RECEIVED_AT = "reprise.received_at"
"""Where the WSGI environment holds the moment when a request came, in seconds of the monotonic clock."""
EVENTS_S = 0.9
"""Seconds that a request may wait for Redis that keeps events: it is answered within one."""
ADMINISTRATION_S = 4.9
"""Likewise of administration and campaigns, which are answered within five."""
_ATTRIBUTE = "reprise_access"
_SCOPES: dict[str, tuple[Scope, ...]] = {
    "EVENTS": ("events",),
    "CAMPAIGNS": ("campaigns",),
    "CATALOGUE": ("catalogue", "admin"),
    "ADMIN": ("admin",),
}
"""Scopes of permissions, by name; the others want `read`."""
_View = TypeVar("_View", bound=Callable[..., Any])


class Permission(Enum):
    """Who may call a route.

    Attributes:
        scopes: of which a key must have one.
        in_browsers: whether a publishable key opens it.
        keyless: whether it is open without any key, or, as with the console, asks for it in its own way.
    """

    OPEN = "anyone, without a key"
    CONSOLE = "whoever signed in there with a secret key of scope read; to change something, admin"
    SIGNED = "whoever has the link, which is signed; without a key"
    PRODUCTS = "a secret key with scope read, or a publishable key"
    PERSON = "a secret key with scope read, or a publishable key with that customer's token"
    SESSION = "as PRODUCTS; as PERSON where the body names a customer"
    SERVER = "a secret key with scope read"
    EVENTS = "a secret key with scope events, or a publishable key, which tells of its own visitors"
    CAMPAIGNS = "a secret key with scope campaigns"
    CATALOGUE = "a secret key with scope catalogue or admin"
    ADMIN = "a secret key with scope admin"

    def __init__(self, _words: str) -> None:
        self.scopes: tuple[Scope, ...] = _SCOPES.get(self.name, ("read",))
        self.keyless = self.name in ("OPEN", "SIGNED", "CONSOLE")
        self.in_browsers = self.name in ("PRODUCTS", "PERSON", "SESSION", "EVENTS")


def accessible(access: Permission) -> Callable[[_View], _View]:
    """Decorator that sets the permission of a view, and limits the time that it waits for Redis."""

    def decorate(view: _View) -> _View:
        @wraps(view)
        def limited(**arguments: Any) -> Any:
            seconds = limit_s(access, request.method)
            with time_limit(math.inf if seconds is None else seconds, request.environ.get(RECEIVED_AT)):
                return view(**arguments)

        setattr(limited, _ATTRIBUTE, access)
        return cast(_View, limited)

    return decorate


def limit_s(access: Permission | None, method: str) -> float | None:
    """Seconds that a request may wait for Redis in all; None for pages, each of whose reads has the short time-out."""
    if access in (Permission.ADMIN, Permission.CATALOGUE, Permission.CAMPAIGNS, Permission.CONSOLE):
        return ADMINISTRATION_S
    return EVENTS_S if access is Permission.EVENTS or (access, method) == (Permission.SIGNED, "POST") else None


def access_of(view: Callable[..., Any]) -> Permission | None:
    """The permission of a view; None where none was declared."""
    return getattr(view, _ATTRIBUTE, None)


def allow(access: Permission | None, principal: Principal, customer_id: str | None) -> None:
    """Authorize a request.

    Args:
        access: the route's rule; None where none was declared.
        principal: the caller.
        customer_id: the person whose data is asked for, if it is one's.

    Raises:
        ForbiddenError: the rule does not let this caller pass.
        StoreUnavailableError: the API keys could not be read yet.
    """
    if access is None:
        raise ForbiddenError("nobody may call this route: it has no rule")
    if principal.kind == "unknown" and ("read" not in access.scopes or not access.in_browsers):
        raise StoreUnavailableError("the API keys cannot be read yet; try again in a moment")
    if principal.kind != "publishable":
        if principal.scopes.isdisjoint(access.scopes):
            raise ForbiddenError(f"this key does not open this route; it needs scope {' or '.join(access.scopes)}")
        return
    if not access.in_browsers:
        raise ForbiddenError("a publishable key does not open this route; ask with a secret key, from a server")
    if access is Permission.PERSON and (customer_id is None or principal.customer_id != customer_id):
        raise ForbiddenError("the customer token names another customer")
