"""An application that answers over HTTP from this process."""

import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING

from werkzeug.serving import BaseWSGIServer, make_server

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


def listen(app: "WSGIApplication | None", until_the_end: ExitStack, host: str = "localhost") -> BaseWSGIServer:
    """A server of `app`, which may be set later, on a free port, without a log; it ends with the stack."""
    server = make_server(host, 0, app, threaded=True)
    server.RequestHandlerClass = type("Quiet", (server.RequestHandlerClass,), {"log": lambda *_: None})
    threading.Thread(target=server.serve_forever, daemon=True).start()
    until_the_end.callback(server.server_close)
    until_the_end.callback(server.shutdown)
    return server
