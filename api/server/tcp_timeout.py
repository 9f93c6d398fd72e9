"""Clients that do not read their answers: the system drops them, as Granian has no time-out for writing.

Their answers would lie in the memory of the worker, and their connections count, until they go away by themselves.
"""

import os
import socket
import threading
import time
from contextlib import suppress
from pathlib import Path
from stat import S_ISSOCK

UNREAD_S = 10
"""What was sent and is not taken in this time ends the connection; it is noticed up to 10 s later."""
LOOKS = 600
PAUSE_S = 0.1
_DESCRIPTORS = Path("/proc/self/fd")


def drop_stuck_clients() -> None:
    """Have the sockets that this process will listen on drop such clients. Does nothing where the system cannot."""
    if hasattr(socket, "TCP_USER_TIMEOUT") and _DESCRIPTORS.is_dir():
        threading.Thread(target=_bound_when_there, daemon=True, name="sockets").start()


def _bound_when_there() -> None:
    """The server opens its socket after the app was made, and tells nobody: look until it is there."""
    for _ in range(LOOKS):
        if sum(_bound(int(one.name)) for one in list(_DESCRIPTORS.iterdir())):
            return
        time.sleep(PAUSE_S)


def _bound(descriptor: int) -> bool:
    """Whether it is a socket that listens on a network; then its connections inherit the bound (see tcp(7))."""
    with suppress(OSError):
        if not S_ISSOCK(os.fstat(descriptor).st_mode):
            return False  # no socket would close the copy
        with socket.socket(fileno=os.dup(descriptor)) as found:
            return _bound_socket(found)
    return False


def _bound_socket(found: socket.socket) -> bool:
    is_tcp = found.family in (socket.AF_INET, socket.AF_INET6) and found.type == socket.SOCK_STREAM
    listens = is_tcp and bool(found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
    if listens:
        found.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD_S * 1000)
    return listens
