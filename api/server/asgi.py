"""The ASGI application of `reprise serve`: lists and probes are answered in the event loop, the rest in threads.

Most of what a shop asks for is a list. In the loop one thread answers them, and others are read from Redis meanwhile:
no thread is handed Python's lock in the middle of an answer.
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, MutableMapping
from functools import lru_cache
from io import BytesIO, RawIOBase
from typing import TYPE_CHECKING, Any, Never
from urllib.parse import unquote_to_bytes

from flask import Flask
from werkzeug.exceptions import RequestTimeout
from werkzeug.test import run_wsgi_app

from api.security.permissions import RECEIVED_AT
from api.server.lanes import Lanes
from api.serving.fast_path import FastPath, Ready
from api.serving.service import service
from api.web.body_limits import BODY_TIMEOUT_S, MAX_BODY_BYTES, MAX_SLOW_BODIES, PROMPT_S
from api.web.problems import REFUSAL

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class AsgiApp:
    """The ASGI application in front of Flask.

    Args:
        app: answers all but plain GETs of lists; every request while requests are traced.
    """

    def __init__(self, app: Flask) -> None:
        self._fast_path = app.wsgi_app if isinstance(app.wsgi_app, FastPath) else None
        self._flask: WSGIApplication = app.wsgi_app if self._fast_path is None else self._fast_path.app
        self._lanes = Lanes(app, service(app).shops)
        self._bodies = Bodies()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, as ASGI 3 wants it. A client that goes away before all is sent gets no answer."""
        if scope["type"] != "http":
            raise NotImplementedError(f"Reprise speaks HTTP, not {scope['type']}")
        environ = to_environ(scope)
        ready = None if self._fast_path is None else await self._fast_path.answer(environ, in_loop=True)
        if ready is None:
            ready = await self._answer_with_flask(environ, receive)
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in ready.headers]
        await send({"type": "http.response.start", "status": ready.status, "headers": headers})
        await send({"type": "http.response.body", "body": ready.body})

    async def _answer_with_flask(self, environ: "WSGIEnvironment", receive: Receive) -> Ready:
        lane = self._lanes.find(environ)
        refusal = None if lane is None else self._lanes.refusal(lane)
        if lane is None or refusal is not None:
            return _run(self._flask, environ | {"wsgi.input": BytesIO(), REFUSAL: refusal})
        environ["wsgi.input"] = await self._bodies.receive(environ, receive)
        environ[RECEIVED_AT] = time.monotonic()
        return await lane.run(_run, self._flask, environ)


class Bodies:
    """Receiver of bodies, so that no thread waits for a client. What is over MAX_BODY_BYTES is not received."""

    def __init__(self) -> None:
        self._n_slow = 0

    async def receive(self, environ: "WSGIEnvironment", receive: Receive) -> BytesIO | RawIOBase:
        """The body of a request; reading it raises RequestTimeout where it was not there in time."""
        n_bytes = environ.get("CONTENT_LENGTH")
        if n_bytes is None and "HTTP_TRANSFER_ENCODING" not in environ:
            return BytesIO()
        if n_bytes is not None and int(n_bytes) > MAX_BODY_BYTES:  # refused by its length
            return BytesIO()
        receiving = asyncio.create_task(_receive(receive))
        await asyncio.wait([receiving], timeout=PROMPT_S)
        if not receiving.done() and self._n_slow < MAX_SLOW_BODIES:
            self._n_slow += 1
            await asyncio.wait([receiving], timeout=BODY_TIMEOUT_S - PROMPT_S)
            self._n_slow -= 1
        if receiving.done():
            return BytesIO(receiving.result())
        receiving.cancel()
        return _Late()


class _Late(RawIOBase):
    """A body that was not there in time."""

    def readinto(self, _buffer: object) -> Never:
        raise RequestTimeout(
            f"the body was not here in time; send it along with the head, within {BODY_TIMEOUT_S:g} s at most"
        )


async def _receive(receive: Receive) -> bytes:
    body, more = bytearray(), True
    while more and len(body) <= MAX_BODY_BYTES:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return bytes(body)


def to_environ(scope: Scope) -> "WSGIEnvironment":
    """The WSGI environment (PEP 3333) of an ASGI scope, still without `wsgi.input`."""
    path, server = scope["raw_path"], scope["server"] or ("", 0)
    environ = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": (unquote_to_bytes(path) if b"%" in path else path).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1]),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": scope["client"][0] if scope["client"] else "",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in scope["headers"]:  # an underscore would be taken for a hyphen
        if b"_" not in name:
            key, text = _key(name), value.decode("latin-1")
            environ[key] = f"{environ[key]},{text}" if key in environ else text
    return environ


@lru_cache(maxsize=256)
def _key(name: bytes) -> str:
    key = name.decode("latin-1").upper().replace("-", "_")
    return key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"


def _run(app: "WSGIApplication", environ: "WSGIEnvironment") -> Ready:
    chunks, status, headers = run_wsgi_app(app, environ, buffered=True)
    return Ready(int(status[:3]), list(headers), b"".join(chunks))
