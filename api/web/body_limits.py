"""Limits of a request in bytes and in time, so that slow clients hold no worker.

Heads are bounded by Granian, as `reprise serve` sets it up, bodies here and in `api.server.asgi`, which receives them.
"""

from flask import Flask, Request
from werkzeug.exceptions import RequestEntityTooLarge

MAX_HEAD_BYTES = 32 << 10
"""Most bytes of the first line and all headers; HTTP itself has no limit. More is a 431."""
HEAD_TIMEOUT_S = 10
"""Seconds from the connection, or from the answer before, to the end of a head."""
MAX_CONNECTIONS = 512
"""Most connections of one worker, idle ones included; others wait. Well under the 1,024 files that most
systems let a process open."""
MAX_BODY_BYTES = 1 << 20
MAX_BEACON_BYTES = 32 << 10
"""Of events with a publishable key; browsers send at most 64 KiB of all that outlives its page."""
BODY_TIMEOUT_S = 5.0
PROMPT_S = 0.05
"""Seconds in which a body arrives that comes with its head or right after it."""
MAX_SLOW_BODIES = 32
"""Bodies of one process that may take longer than PROMPT_S at once: they wait in its memory until they are whole."""


def attach(app: Flask) -> None:
    """Bound the bodies of all requests to `app`."""
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES


def read_body(request: Request, most: int = MAX_BODY_BYTES) -> bytes:
    """The whole body as it was sent; content encodings are not decoded.

    Raises:
        RequestEntityTooLarge: it is not shorter than `most` bytes.
        RequestTimeout: it was not there in time.
    """
    too_large = RequestEntityTooLarge(f"the body must be shorter than {most:,} bytes; send it in several requests")
    try:
        body = request.stream.read()
    except RequestEntityTooLarge:  # by its length, unread
        raise too_large from None
    if len(body) >= most:  # one sent in chunks is cut there, without an error
        raise too_large
    return body
