"""A TCP server between the service and Redis: it passes bytes on, or answers nonsense in place of Redis."""

import select
import socket
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field


@dataclass
class Middleman:
    """What it does, and what it has seen. Made by `middleman`.

    Attributes:
        port: where it listens on loopback.
        nonsense: what it answers to whatever it gets; b"" answers nothing, None passes everything on to Redis.
        hangs_up: whether it closes each connection as soon as something comes.
        delay_s: how long it keeps each piece of data that it passes on, in seconds.
        loses: whether it loses every second piece, of all connections together.
        connections: how many were made to it.
        questions: how many pieces of data came that it did not pass on.
    """

    port: int = 0
    nonsense: bytes | None = None
    hangs_up: bool = False
    delay_s: float = 0.0
    loses: bool = False
    connections: int = 0
    questions: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    _pieces: int = 0

    @property
    def url(self) -> str:
        """Its address as one of Redis."""
        return f"redis://127.0.0.1:{self.port}"

    def be_honest(self) -> None:
        """Pass everything on again."""
        self.nonsense, self.hangs_up, self.delay_s, self.loses = None, False, 0.0, False

    def passes_on(self) -> bool:
        """Wait as long as it keeps a piece of data; whether it then passes it on."""
        time.sleep(self.delay_s)
        self._pieces += 1
        return not (self.loses and self._pieces % 2)


@contextmanager
def middleman(redis_port: int) -> Iterator[Middleman]:
    """A middleman before the Redis at `redis_port` of this machine."""
    state = Middleman()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with state.lock:
                state.connections += 1
            with suppress(OSError), socket.create_connection(("127.0.0.1", redis_port)) as redis:
                while _pass_on(state, self.request, redis):
                    pass

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True
        request_queue_size = 128

    with Server(("127.0.0.1", 0), Handler) as server:
        state.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield state
        server.shutdown()


def _pass_on(state: Middleman, client: socket.socket, redis: socket.socket) -> bool:
    """Wait for data and deal with it; whether there will be more."""
    ready = select.select([client, redis], [], [])[0]
    if redis in ready:
        answer = redis.recv(1 << 16)
        if state.nonsense is None and not state.hangs_up and state.passes_on():
            client.sendall(answer)
        return bool(answer)
    question = client.recv(1 << 16)
    if state.nonsense is None and not state.hangs_up:
        if state.passes_on():
            redis.sendall(question)
        return bool(question)
    if question:
        with state.lock:
            state.questions += 1
        client.sendall(state.nonsense or b"")
    return bool(question) and not state.hangs_up
