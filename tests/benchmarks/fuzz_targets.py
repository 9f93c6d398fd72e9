"""What `fuzz.py` runs: each target takes arbitrary bytes and raises only where a promise is broken."""

import io
import itertools
import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import timedelta
from typing import Any, NoReturn
from urllib.parse import unquote_to_bytes

from flask import Flask

from api import create_app
from api.security.callers import find_principal
from api.security.customer_tokens import read_customer
from recommender import errors
from recommender.catalogue.catalogue import Catalogue
from recommender.events.event import Event, check_event
from recommender.publication.lists import LIST_NAMES, ListKey
from recommender.publication.manifest import Manifest
from recommender.publication.product import Product
from recommender.redis import shops
from recommender.redis.read import to_list
from recommender.settings import Settings
from recommender.slate.placements import Placement
from recommender.slate.reading import FetchedLists
from recommender.storage.versions import ListQuery
from tests.fakes.shops import MemoryShopStorage
from tests.fakes.versions import MemoryVersionStore
from tests.support import small_shop
from tests.support.keyed_shop import add_key, add_publishable_key, bearer, customer_token

FRESH_AFTER = 20_000
"""Requests that one app answers: what they leave in it must not pile up, or make a find depend on all before."""
JSON = ("application/json", "application/problem+json")
OTHERS = ("text/html", "text/javascript", "text/css", "text/plain")
UNREADABLE = (ValueError, TypeError, LookupError, AttributeError, RecursionError, errors.RepriseError)
"""What a parser of our own data may raise; its callers make it a StoreError."""
Environ = dict[str, Any]
_TOKEN = frozenset(b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")


class NonsenseStore(MemoryVersionStore):
    """A server that holds `wire` in place of each list and `text` in place of each product."""

    wire = b""
    text = b""

    def read(self, query: ListQuery) -> FetchedLists | None:
        reading = super().read(query)
        try:
            lists = {key: to_list(key, self.wire) for key in query.keys}
        except ValueError as error:
            raise errors.StoreError(str(error)) from None
        indices = {record.product_index for found in lists.values() for record in found or ()}
        return reading and FetchedLists(reading.version, lists, Catalogue(dict.fromkeys(indices, self.text)))


def answer_requests() -> Callable[[bytes], None]:
    """A whole request, as text: `METHOD target`, headers, an empty line, the body."""
    apps = itertools.chain.from_iterable(
        itertools.repeat(_app(MemoryVersionStore()), FRESH_AFTER) for _ in itertools.count()
    )

    def run(data: bytes) -> None:
        environ = to_environ(data)
        if environ is not None:
            check(next(apps), environ)

    return run


def answer_from_nonsense() -> Callable[[bytes], None]:
    """A list and a product as the server might hold them: what is asked for is answered, or refused with 503."""
    store = NonsenseStore()
    app = _app(store)
    paths = ["/v1/products/MILK/similar", "/v1/customers/ANNA/recommendations", "/v1/popular"]

    def run(data: bytes) -> None:
        store.wire, _, store.text = data.partition(b"\n\n")
        app.extensions["reprise"].shops._caches.clear()  # each input is alone
        for path in paths:
            check(app, _environ(b"GET", path.encode()), allowed=(503,))

    return run


def read_lists() -> Callable[[bytes], None]:
    """The wire form of a list: its name, then what is stored."""

    def run(data: bytes) -> None:
        name = LIST_NAMES[data[0] % len(LIST_NAMES)] if data else LIST_NAMES[0]
        try:
            found = to_list(ListKey(name, "owner"), data[1:])
        except ValueError:
            return
        if found is None or len(found.records) != len(found):
            raise AssertionError(f"{name}: not as many records as its length")

    return run


def read_events() -> Callable[[bytes], None]:
    """One event, from the log and from a request."""

    def run(data: bytes) -> None:
        try:
            event = Event.from_json(data)
        except ValueError:
            pass
        else:
            if Event.from_json(event.to_json()) != event:
                raise AssertionError("written and read back, it is another event")
        with suppress(ValueError, RecursionError, errors.EventRejectedError):
            check_event(json.loads(data), small_shop.NOW + timedelta(days=1), "EUR")

    return run


def read_callers() -> Callable[[bytes], None]:
    """Authorization, Origin, Host, REMOTE_ADDR and customer token, a line each."""
    storage = MemoryShopStorage({"default": MemoryVersionStore()})
    key, publishable = add_key(storage, "read"), add_publishable_key(storage)
    shops = create_app(Settings(log_level="error"), storage).extensions["reprise"].shops
    good = [bearer(key)["Authorization"], bearer(publishable)["Authorization"], customer_token(key, "ANNA")]
    names = ("HTTP_AUTHORIZATION", "HTTP_ORIGIN", "HTTP_HOST", "REMOTE_ADDR")

    def run(data: bytes) -> None:
        lines = data.decode("latin-1").split("\n")
        lines = [good[ord(line[1]) % 3] + line[2:] if line[:1] == "$" and line[1:] else line for line in lines]
        given = dict(zip(names, lines, strict=False))
        for shops.api_keys in ({}, storage.api_keys()):
            _may_refuse(lambda: find_principal(given, shops.api_keys, "default"))
        token = lines[4] if len(lines) > 4 else None
        named = _may_refuse(lambda: read_customer(token, shops.api_keys, "default", small_shop.NOW, 900))
        if named not in (None, "ANNA"):
            raise AssertionError(f"a token that nobody signed names {named!r}")

    return run


def read_what_is_kept() -> Callable[[bytes], None]:
    """Manifests, products, placements and API keys, as the server might hold them."""
    readers: list[Callable[[bytes], Any]] = [
        Manifest.from_json,
        Product.from_json,
        Placement.model_validate_json,
        shops._from_json,
    ]

    def run(data: bytes) -> None:
        for read in readers:
            with suppress(*UNREADABLE):
                read(data)

    return run


TARGETS: dict[str, Callable[[], Callable[[bytes], None]]] = {
    "requests": answer_requests,
    "nonsense": answer_from_nonsense,
    "lists": read_lists,
    "events": read_events,
    "callers": read_callers,
    "kept": read_what_is_kept,
}


def to_environ(data: bytes) -> Environ | None:
    """The WSGI environment of a request in text; None for one that no server would pass on."""
    head, _, body = data.partition(b"\n\n")
    first, *lines = head.split(b"\n")
    method, _, target = first.partition(b" ")
    if not method or not set(method) <= _TOKEN:
        return None
    environ = _environ(method, target, body)
    for line in lines:
        name, _, value = line.partition(b":")
        if set(name) <= _TOKEN and not any(byte < 32 and byte != 9 for byte in value):
            key = name.decode().upper().replace("-", "_")
            bare = key in ("CONTENT_TYPE", "CONTENT_LENGTH")
            environ[key if bare else f"HTTP_{key}"] = value.strip().decode("latin-1")
    return environ


def check(app: Flask, environ: Environ, allowed: Iterable[int] = ()) -> None:
    """Answer, and raise where the answer is an error of ours, no JSON, or has headers that no server could send."""
    started: list[tuple[int, list[tuple[str, str]]]] = []
    chunks = app.wsgi_app(environ, lambda status, headers, exc_info=None: started.append((int(status[:3]), headers)))
    body = b"".join(chunks)
    status, headers = started[-1]
    if status >= 500 and status not in (501, *allowed):
        raise AssertionError(f"{status}: {body[:500]!r}")
    for name, value in headers:
        if not (name + value).isascii() or any(ord(sign) < 32 for sign in name + value):
            raise AssertionError(f"header {name!r}: {value!r}")
    if environ["REQUEST_METHOD"] == "HEAD" or status in (204, 304):
        if body:
            raise AssertionError(f"{status} with a body")
    elif body:
        _check_body(body, dict(headers)["Content-Type"])


def _check_body(body: bytes, content_type: str) -> None:
    if content_type in JSON:
        json.loads(body, parse_constant=_refuse_constant)
    elif not content_type.startswith(OTHERS):
        raise AssertionError(f"content type {content_type!r}")


def _refuse_constant(constant: str) -> NoReturn:
    raise AssertionError(f"{constant} is no JSON")


def _may_refuse(ask: Callable[[], Any]) -> Any:
    try:
        return ask()
    except errors.RepriseError:
        return None


def _app(store: MemoryVersionStore) -> Flask:
    store.publish(small_shop.publication(), keep=3)
    return create_app(Settings(log_level="error"), MemoryShopStorage({"default": store}), lambda: small_shop.NOW)


def _environ(method: bytes, target: bytes, body: bytes = b"") -> Environ:
    path, _, query = target.partition(b"?")
    return {
        "REQUEST_METHOD": method.decode(),
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query.decode("latin-1"),
        "SCRIPT_NAME": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "localhost",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.input_terminated": True,
        "wsgi.errors": io.StringIO(),
    }
