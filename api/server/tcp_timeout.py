"""Write time-out of TCP: the system drops clients that do not read their answers, as Granian does not.

Their answers would stay in the memory of the worker, and their connections count, until they end by themselves.
"""

import os
import socket
import threading
import time
from contextlib import suppress
from pathlib import Path
from stat import S_ISSOCK

UNREAD_S = 10
"""Seconds after which sent bytes that a client does not take end its connection; it is noticed up to 10 s later."""
ATTEMPTS = 600
PAUSE_S = 0.1
_DESCRIPTORS = Path("/proc/self/fd")


def drop_stuck_clients() -> None:
    """Have the sockets that this process will listen on drop such clients. No effect where the system cannot."""
    if hasattr(socket, "TCP_USER_TIMEOUT") and _DESCRIPTORS.is_dir():
        threading.Thread(target=_set_timeout_when_open, daemon=True, name="sockets").start()


def _set_timeout_when_open() -> None:
    """Poll for the socket: the server opens it after the app was made, and has no hook for it."""
    for _ in range(ATTEMPTS):
        if sum(_set_timeout(int(entry.name)) for entry in list(_DESCRIPTORS.iterdir())):
            return
        time.sleep(PAUSE_S)


def _set_timeout(descriptor: int) -> bool:
    """Whether it is a socket that listens on a network; then its connections inherit the time-out (see tcp(7))."""
    with suppress(OSError):
        if not S_ISSOCK(os.fstat(descriptor).st_mode):
            return False  # no socket would close the copy
        with socket.socket(fileno=os.dup(descriptor)) as found:
            return _set_socket_timeout(found)
    return False


def _set_socket_timeout(found: socket.socket) -> bool:
    is_tcp = found.family in (socket.AF_INET, socket.AF_INET6) and found.type == socket.SOCK_STREAM
    listens = is_tcp and bool(found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
    if listens:
        found.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD_S * 1000)
    return listens
