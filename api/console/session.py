"""Console sessions: an API key is given once, and from then on a cookie stands for it.

The cookie names the key and is signed with its digest, as customer tokens are, so every worker can read it and a key
that is revoked ends its sessions everywhere. It is good for SESSION_S, in the browser that it was made for, and until
its owner signs out. While there are no keys, callers on this machine need no session, as of the API.
"""

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import NamedTuple

from flask import Request, Response
from itsdangerous import BadData

from api.console.refusals import BarredError
from api.security.callers import Principal, find_principal
from api.security.signer import Signer
from recommender.errors import ForbiddenError, StoreError, StoreUnavailableError, UnauthorizedError
from recommender.storage.api_keys import ApiKey
from recommender.storage.shops import ShopStorage

COOKIE = "reprise_console"
SESSION_S = 4 * 3_600
PATH = "/console"
_SALT = "reprise.console-session"


class Session(NamedTuple):
    """Who looks at the console.

    Attributes:
        principal: whose shop is shown, with the scopes that the key has now.
        session_id: of the cookie.
        csrf: what every form of this session carries.
        fresh: whether the cookie is still to be set.
    """

    principal: Principal
    session_id: str
    csrf: str
    fresh: bool = False

    @property
    def may_act(self) -> bool:
        """Whether something may be changed."""
        return "admin" in self.principal.scopes


def sign_in(request: Request, given: str, keys: Mapping[str, ApiKey] | None, now: datetime) -> tuple[Session, str]:
    """A new session of the API key that was `given`, and its cookie.

    Raises:
        UnauthorizedError: the key is not known here, or there are no keys.
        BarredError: the form came under another address than ours.
        ForbiddenError: it opens no page of the console.
        StoreUnavailableError: the keys could not be read yet.
    """
    if keys is None:
        raise StoreUnavailableError("the API keys cannot be read yet")
    asked = _environ(request) | {"HTTP_AUTHORIZATION": f"Bearer {given.strip()}"}
    try:
        principal = find_principal(asked, keys, "")
    except ForbiddenError:
        raise BarredError("other_address") from None
    if principal.key_id is None:
        raise UnauthorizedError("there are no API keys yet")
    _refuse_blind(principal)
    key, session_id = keys[principal.key_id], secrets.token_hex(16)
    cookie = Signer(key, _SALT, int(now.timestamp())).sign(f"{key.key_id}.{session_id}.{_browser(request)}").decode()
    return Session(principal, session_id, _csrf(key.digest, session_id)), cookie


def find_session(
    request: Request, keys: Mapping[str, ApiKey] | None, own_shop: str, storage: ShopStorage, now: datetime
) -> Session:
    """The session of a request.

    Raises:
        UnauthorizedError: there is none, or none any more.
        ForbiddenError: the key may not look any more, or while there are no keys a page of another site asks.
        StoreUnavailableError: the keys could not be read yet.
    """
    if keys is None:
        raise StoreUnavailableError("the API keys cannot be read yet")
    if not keys:
        principal = find_principal(_environ(request), keys, own_shop)
        known = request.cookies.get(COOKIE, "")
        session_id = known if len(known) == 32 and known.isalnum() else secrets.token_hex(16)
        return Session(principal, session_id, _csrf("", session_id), fresh=session_id != known)
    return _read(request, keys, storage, now)


def is_own_form(request: Request, session: Session) -> bool:
    """Whether a form was sent by a page of this very session."""
    return hmac.compare_digest(request.form.get("csrf", "").encode(), session.csrf.encode())


def set_cookie(response: Response, request: Request, value: str) -> None:
    """Have the browser keep a session's cookie: for our pages alone, out of reach of scripts and other sites."""
    secure = request.is_secure or request.headers.get("X-Forwarded-Proto") == "https"
    response.set_cookie(COOKIE, value, max_age=SESSION_S, path=PATH, secure=secure, httponly=True, samesite="Strict")


def drop_cookie(response: Response) -> None:
    """Have the browser forget it."""
    response.delete_cookie(COOKIE, path=PATH, httponly=True, samesite="Strict")


def _read(request: Request, keys: Mapping[str, ApiKey], storage: ShopStorage, now: datetime) -> Session:
    cookie = request.cookies.get(COOKIE, "")
    key = keys.get(cookie.partition(".")[0])
    if key is None or not key.digest:  # a revoked key has none
        raise UnauthorizedError("sign in first")
    try:
        value = Signer(key, _SALT, int(now.timestamp())).unsign(cookie, max_age=SESSION_S).decode()
    except (BadData, ValueError):
        raise UnauthorizedError("this session has ended; sign in again") from None
    _, session_id, browser = value.split(".")
    if browser != _browser(request):
        raise UnauthorizedError("this session is of another browser; sign in again")
    with suppress(StoreError):  # while Redis is gone, what is known is still shown
        if storage.has_ended(session_id):
            raise UnauthorizedError("this session has ended; sign in again")
    principal = Principal(key.shop, key.kind, frozenset(key.scopes), key.key_id)
    _refuse_blind(principal)
    return Session(principal, session_id, _csrf(key.digest, session_id))


def _refuse_blind(principal: Principal) -> None:
    if principal.kind == "publishable" or principal.scopes.isdisjoint(("read", "admin")):
        raise ForbiddenError(
            "this key opens no page here: take a secret key with scope read, or admin to change things"
        )


def _environ(request: Request) -> dict[str, str]:
    names = ("REMOTE_ADDR", "HTTP_HOST", "HTTP_ORIGIN", "HTTP_SEC_FETCH_SITE")
    return {name: request.environ[name] for name in names if name in request.environ}


def _browser(request: Request) -> str:
    return hashlib.sha256(request.headers.get("User-Agent", "").encode("utf-8", "replace")).hexdigest()[:16]


def _csrf(secret: str, session_id: str) -> str:
    return hmac.new(secret.encode(), f"csrf {session_id}".encode(), hashlib.sha256).hexdigest()
