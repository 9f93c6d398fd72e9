"""Who asks, and what they may: decided before any view runs.

Every view says with `accessible` who may call it; one that does not is refused to everybody. `api.callers` finds out
who asks, `api.access` has the rules, `api.tokens` the customer tokens, `api.cors` what browsers may, `api.rate_limits`
how often.
"""

from dataclasses import replace
from typing import Any

from flask import Flask, Response, current_app, g, request

from api.access import Access, access_of, accessible, allow
from api.callers import Caller, find_caller
from api.cors import answer_preflight, is_preflight, origin_headers
from api.rate_limits import Allowance
from api.service import service
from api.shops import Shops
from api.tokens import HEADER, read_customer
from recommender.errors import TooManyRequestsError

__all__ = ["Access", "Caller", "accessible", "admit", "allow", "attach", "find_caller", "require_customer"]

_ALLOWANCE = "reprise.allowance"
"""Where the WSGI environment holds what the rate limit said, once a request is counted."""


def attach(app: Flask, shops: Shops, own_shop: str) -> None:
    """Check every request of `app` before its view, leave its caller in `g.caller`, and write what the answer owes it.

    A browser's preflight has no key and is answered here.
    """

    def check() -> Response | None:
        if request.endpoint is None:  # no such route
            return None
        access = access_of(current_app.view_functions[request.endpoint])
        if access is not None and access.keyless:
            return None
        if access is not None and access.in_browsers and is_preflight(request):
            allowed = answer_preflight(request.headers["Origin"], (shops.api_keys or {}).values(), _methods())
            if allowed is not None:
                return allowed
        g.caller = find_caller(request.environ, shops, own_shop)
        g.allowance = request.environ.get(_ALLOWANCE) or shops.rate_limits.take(g.caller)
        _refuse_too_many(g.allowance)
        if access is Access.PERSON:
            require_customer((request.view_args or {})["customer_id"])
        else:
            allow(access, g.caller, None)
        return None

    app.before_request(check)
    app.after_request(_finish)


def require_customer(customer_id: str) -> None:
    """Let the caller see this customer's lists.

    Raises:
        UnauthorizedError: a publishable key came without a token that is good.
        ForbiddenError: the token names another customer, or the key does not read.
    """
    if g.caller.kind == "publishable":
        own, keys = service(), service().shops.api_keys or {}
        token, ttl_s = request.headers.get(HEADER), own.settings.customer_token_ttl_s
        g.caller = replace(g.caller, customer_id=read_customer(token, keys, g.caller.shop, own.clock(), ttl_s))
    allow(Access.PERSON, g.caller, customer_id)


def admit(environ: dict[str, Any], caller: Caller, shops: Shops) -> list[tuple[str, str]]:
    """Count a request before Flask sees it, which then counts it no more; the headers that its answer owes the caller.

    Raises:
        TooManyRequestsError: the key asked more often than it may.
    """
    allowance = environ[_ALLOWANCE] = shops.rate_limits.take(caller)
    _refuse_too_many(allowance)
    return _headers(environ.get("HTTP_ORIGIN"), caller, allowance)


def _refuse_too_many(allowance: Allowance | None) -> None:
    if allowance is not None and allowance.retry_after_s:
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
    if "caller" in g:
        for name, value in _headers(request.headers.get("Origin"), g.caller, g.get("allowance")):
            response.headers.add(name, value)
    return response


def _headers(origin: str | None, caller: Caller, allowance: Allowance | None) -> list[tuple[str, str]]:
    headers = [] if allowance is None else allowance.headers()
    if caller.kind == "publishable":
        headers += [("Vary", "Origin"), *origin_headers(origin, caller.origins)]
    return headers
