"""Requests: bounded in bytes and in time, so that nobody holds a thread by sending slowly, or never.

Heads are bounded by Granian, as `reprise serve` tells it, and bodies here. A server hands a request over when its head
is there, and the thread that answers reads the body. Granian does not limit how long that takes: as many slow clients
as a worker has threads would stop it for good. So another thread reads, the one that answers waits, and a client whose
body is not there in time is hung up on, which ends the reading.
"""

import threading
from concurrent.futures import Future, ThreadPoolExecutor

from flask import Flask, Request, Response
from werkzeug.exceptions import RequestEntityTooLarge, RequestTimeout

MAX_HEAD_BYTES = 32 << 10
"""Of the first line and all headers; HTTP itself knows no limit. More is a 431."""
HEAD_TIMEOUT_S = 10
"""From the connection, or from the answer before, to the end of a head."""
MAX_CONNECTIONS = 512
"""Of one worker, idle ones included; others wait. Well under the 1,024 files that most systems let a process open."""
MAX_BODY_BYTES = 1 << 20
BODY_TIMEOUT_S = 5.0
PROMPT_S = 0.05
"""A body that comes with its head, or right after it, is here by then."""
MAX_SLOW_BODIES = 10
"""Bodies of one process that may take longer than PROMPT_S at once. Each holds a thread: the server must have more, for
all the other requests."""

_slow = threading.BoundedSemaphore(MAX_SLOW_BODIES)
_readers = ThreadPoolExecutor(max_workers=8 * MAX_SLOW_BODIES, thread_name_prefix="body")


def attach(app: Flask) -> None:
    """Bound the bodies of all requests to `app`."""
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.after_request(_hang_up)


def read_body(request: Request) -> bytes:
    """The whole body, as it was sent: nothing is unpacked.

    Raises:
        RequestEntityTooLarge: it is not shorter than MAX_BODY_BYTES.
        RequestTimeout: it was not there in time.
    """
    try:
        body = _wait(_readers.submit(request.stream.read))
    except TimeoutError:
        raise RequestTimeout(
            f"the body was not here in time; send it along with the head, within {BODY_TIMEOUT_S:g} s at most"
        ) from None
    if len(body) >= MAX_BODY_BYTES:  # one sent in chunks is cut there, without an error
        raise RequestEntityTooLarge
    return body


def _wait(reading: "Future[bytes]") -> bytes:
    """Raises TimeoutError."""
    try:
        return reading.result(PROMPT_S)
    except TimeoutError:
        if not _slow.acquire(blocking=False):
            raise
    try:
        return reading.result(BODY_TIMEOUT_S - PROMPT_S)
    finally:
        _slow.release()


def _hang_up(response: Response) -> Response:
    """Promise one byte more than there is: no server keeps a connection whose answer was cut off.

    An answer that was whole would leave the connection open, as its request is not, and the other thread reading.
    """
    if response.status_code == RequestTimeout.code:
        response.content_length = (response.content_length or 0) + 1
    return response
