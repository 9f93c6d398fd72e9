"""HTTP byte by byte, for what a well-behaved client does not send."""

import re
import socket
import threading
import time
from collections import Counter
from collections.abc import Sequence

Address = tuple[str, int]
BEGUN_S = 10.0
"""How long a busy machine may take for the first byte of an answer."""
MOST_PIECES = 300
"""A minute of them: many times what a head or a body may take."""
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3}) ")


def connect(address: Address, timeout_s: float = 10.0) -> socket.socket:
    """A connection of its own."""
    connection = socket.create_connection(address, timeout_s)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def exchange(address: Address, sent: bytes, *, more: Sequence[bytes] = (), quiet_s: float = 1.0) -> bytes:
    """What comes back for `sent`, then each of `more` after a moment, until the server hangs up or is quiet so long."""
    with connect(address) as connection:
        try:
            connection.sendall(sent)
            for part in more:
                time.sleep(0.05)
                connection.sendall(part)
        except OSError:  # it hung up before all was sent; what it said may still be there
            pass
        return read_rest(connection, quiet_s)


def read_rest(connection: socket.socket, quiet_s: float) -> bytes:
    """Everything until the other side hangs up, or sends nothing for so long after it has begun."""
    connection.settimeout(max(quiet_s, BEGUN_S))
    received = bytearray()
    try:
        while chunk := connection.recv(65_536):
            received += chunk
            connection.settimeout(quiet_s)
    except OSError:
        pass
    return bytes(received)


def statuses(received: bytes) -> list[int]:
    """The status of each answer in it."""
    return [int(status) for status in _STATUS.findall(received)]


def get(path: str, *headers: str, version: str = "1.1") -> bytes:
    """A GET as bytes, with `path` as it is."""
    lines = [f"GET {path} HTTP/{version}", "Host: localhost", *headers, "", ""]
    return "\r\n".join(lines).encode("utf-8", "surrogatepass")


def post(path: str, body: bytes, *headers: str, length: bool = True) -> bytes:
    """A POST of JSON as bytes; without a length where `headers` say how it is sent."""
    lengths = [f"Content-Length: {len(body)}"] if length else []
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", "Content-Type: application/json", *lengths, *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def chunks(body: bytes, size: int) -> bytes:
    """A body as Transfer-Encoding: chunked wants it."""
    parts = [body[first : first + size] for first in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def trickle_until_closed(connection: socket.socket, sent: bytes) -> int:
    """How often `sent` could be sent, over and over, before the server hung up."""
    connection.settimeout(0.2)
    for times in range(MOST_PIECES):
        try:
            connection.sendall(sent)
            if connection.recv(65_536) == b"":
                return times
        except TimeoutError:
            continue
        except OSError:
            return times
    raise AssertionError(f"the server took {MOST_PIECES} pieces and did not hang up")


def is_closed(connection: socket.socket) -> bool:
    """Whether the other side hung up."""
    connection.settimeout(0.1)
    try:
        return connection.recv(1) == b""
    except TimeoutError:
        return False
    except OSError:
        return True


def flood(
    address: Address, name: str, n: int, route: str = "/v1/products/{}/similar", threads: int = 4
) -> Counter[int]:
    """Ask for `n` different ids, many at a time on each connection; how often each status came."""
    counted: Counter[int] = Counter()
    lock = threading.Lock()

    def ask(first: int) -> None:
        found: Counter[int] = Counter()
        with connect(address, 60) as connection:
            for start in range(first, n, threads * 50):
                numbers = range(start, min(start + threads * 50, n), threads)
                connection.sendall(b"".join(get(route.format(f"{name}-{number}")) for number in numbers))
                received, answers = b"", []
                while len(answers) < len(numbers):
                    received += connection.recv(1 << 20)
                    if received.count(b"HTTP/1.1 ") >= len(numbers):  # reading them is slow: only when all are there
                        answers = statuses(received)
                found.update(answers)
        with lock:
            counted.update(found)

    askers = [threading.Thread(target=ask, args=(number,)) for number in range(threads)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    return counted
