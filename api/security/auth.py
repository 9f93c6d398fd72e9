"""Authentication and authorization of every request, before any view runs.

Every view declares its permission with `accessible`; one that does not is refused to everybody. `api.security.callers`
finds the principal, `api.security.permissions` has the rules, `api.security.customer_tokens` the customer tokens,
`api.security.cors` the rules for browsers, `api.security.rate_limits` the rates.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from flask import Flask, Response, current_app, g, request

from api.security.callers import Principal, find_principal
from api.security.cors import answer_preflight, is_preflight, origin_headers
from api.security.customer_tokens import HEADER, read_customer
from api.security.permissions import Permission, access_of, accessible, allow
from api.security.rate_limits import Allowance, RateLimits
from recommender.errors import ForbiddenError, TooManyRequestsError
from recommender.storage.api_keys import ApiKey

__all__ = [
    "Guard",
    "Permission",
    "Principal",
    "accessible",
    "admit",
    "allow",
    "attach",
    "charge_rows",
    "customer_of_token",
    "find_principal",
    "require_customer",
]

_EXTENSION = "reprise_guard"
_ALLOWANCE = "reprise.allowance"
"""Where the WSGI environment holds the allowance of a request, once it is counted."""


@dataclass(frozen=True)
class Guard:
    """Settings and keys that decide on a request.

    Attributes:
        keys: gives the API keys by key id; None until they could be read for the first time.
        rate_limits: of each key.
        own_shop: whose data callers on this machine see while there are no keys.
        token_ttl_s: seconds for which a customer token is good.
        clock: the aware moment of a request.
    """

    keys: Callable[[], Mapping[str, ApiKey] | None]
    rate_limits: RateLimits
    own_shop: str
    token_ttl_s: int
    clock: Callable[[], datetime]

    def read_customer(self, token: str | None, shop: str) -> str:
        """The customer that a token of this shop names. Raises UnauthorizedError where it is not good."""
        return read_customer(token, self.keys() or {}, shop, self.clock(), self.token_ttl_s)


def attach(app: Flask, guard: Guard) -> None:
    """Check every request of `app` before its view, set `g.principal`, add rate-limit and CORS headers.

    A browser's preflight has no key and is answered here.
    """
    app.extensions[_EXTENSION] = guard

    def check() -> Response | None:
        if request.endpoint is None:  # no such route
            return None
        access = access_of(current_app.view_functions[request.endpoint])
        if access is not None and access.keyless:
            return None
        if request.method == "OPTIONS" and access is not None and access.in_browsers and is_preflight(request):
            allowed = answer_preflight(request.headers["Origin"], (guard.keys() or {}).values(), _methods())
            if allowed is not None:
                return allowed
        g.principal = find_principal(request.environ, guard.keys(), guard.own_shop)
        if g.principal.key_id is not None:
            of_browser = access is Permission.EVENTS and g.principal.kind == "publishable"
            purpose = ":events" if of_browser else ""  # the one does not use up what the other may ask
            g.allowance = request.environ.get(_ALLOWANCE) or guard.rate_limits.take(g.principal, purpose)
            _refuse_too_many(g.allowance)
        if access is Permission.PERSON:
            require_customer((request.view_args or {})["customer_id"])
        else:
            allow(access, g.principal, None)
            if access is Permission.EVENTS:
                _require_own_page(g.principal)
        return None

    app.before_request(check)
    app.after_request(_finish)


def require_customer(customer_id: str, in_body: str | None = None) -> None:
    """Let the caller see this customer's lists; a token `in_body` counts where no header has one.

    Raises:
        UnauthorizedError: a publishable key came without a token that is good.
        ForbiddenError: the token names another customer, or the key does not read.
    """
    if g.principal.kind == "publishable":
        guard: Guard = current_app.extensions[_EXTENSION]
        named = guard.read_customer(request.headers.get(HEADER) or in_body, g.principal.shop)
        g.principal = replace(g.principal, customer_id=named)
    allow(Permission.PERSON, g.principal, customer_id)


def customer_of_token(in_body: str | None) -> str | None:
    """The customer whom the token in the header, or else in the body, names; None where neither has one.

    Raises UnauthorizedError: it is not good.
    """
    guard: Guard = current_app.extensions[_EXTENSION]
    token = request.headers.get(HEADER) or in_body
    return guard.read_customer(token, g.principal.shop) if token else None


def _require_own_page(principal: Principal) -> None:
    """Keep events of programs out that took a publishable key from a page; a key without origins is for apps."""
    if principal.kind == "publishable" and principal.origins and request.headers.get("Origin") not in principal.origins:
        raise ForbiddenError("events with this key come from pages of its own origins alone; send their `Origin`")


def charge_rows(n: int) -> None:
    """Count the `n` rows of a batch of a publishable key as so many requests; as one it was counted before."""
    if g.principal.kind == "publishable":
        guard: Guard = current_app.extensions[_EXTENSION]
        g.allowance = guard.rate_limits.charge(g.principal, n - 1)


def admit(environ: dict[str, Any], principal: Principal, rate_limits: RateLimits) -> list[tuple[str, str]]:
    """Rate-limit and CORS headers of a request of a key, which is counted here and not again by Flask.

    Raises:
        TooManyRequestsError: the key is over its rate.
    """
    allowance = environ[_ALLOWANCE] = rate_limits.take(principal)
    _refuse_too_many(allowance)
    return _headers(environ.get("HTTP_ORIGIN"), principal, allowance)


def _refuse_too_many(allowance: Allowance) -> None:
    if allowance.retry_after_s:
        raise TooManyRequestsError(
            f"this key may ask {allowance.limit} times in a row, then has to slow down; "
            f"ask again in {allowance.retry_after_s} s",
            allowance.retry_after_s,
        )


def _methods() -> set[str]:
    return set((request.url_rule and request.url_rule.methods) or ())


def _finish(response: Response) -> Response:
    if response.status_code == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    if "Access-Control-Allow-Origin" not in response.headers:  # a preflight is answered with it
        for name, value in _headers_of_request():
            response.headers.add(name, value)
    return response


def _headers_of_request() -> list[tuple[str, str]]:
    """Rate-limit and CORS headers of the request's answer; where no key let it in, as for preflights any key counts."""
    origin = request.headers.get("Origin")
    if "principal" in g:
        return _headers(origin, g.principal, g.get("allowance"))
    guard: Guard = current_app.extensions[_EXTENSION]
    listed = {one for key in (guard.keys() or {}).values() for one in key.origins}
    return [("Vary", "Origin"), *origin_headers(origin, listed)]


def _headers(origin: str | None, principal: Principal, allowance: Allowance | None) -> list[tuple[str, str]]:
    headers = [] if allowance is None else allowance.headers()
    if principal.kind == "publishable":
        headers += [("Vary", "Origin"), *origin_headers(origin, principal.origins)]
    return headers
