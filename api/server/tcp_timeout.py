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
AFTERWARDS = 10
"""Attempts after the socket listens: connections that came in before its time-out was set do not inherit it."""
PAUSE_S = 0.1
_DESCRIPTORS = Path("/proc/self/fd")


def drop_stuck_clients() -> None:
    """Have the sockets that this process will listen on drop such clients. No effect where the system cannot."""
    if hasattr(socket, "TCP_USER_TIMEOUT") and _DESCRIPTORS.is_dir():
        threading.Thread(target=_set_timeout_when_open, daemon=True, name="sockets").start()


def _set_timeout_when_open() -> None:
    """Poll for the socket: the server opens it after the app was made, and has no hook for it."""
    left = ATTEMPTS
    while left:
        listens: list[bool] = []
        with suppress(OSError):  # as where there is no descriptor left to look with
            listens = [_set_timeout(int(entry.name)) for entry in list(_DESCRIPTORS.iterdir())]
        left = min(left, AFTERWARDS) - 1 if any(listens) else left - 1
        time.sleep(PAUSE_S)


def _set_timeout(descriptor: int) -> bool:
    """Set the time-out of a TCP socket, which its connections inherit (see tcp(7)); whether it listens."""
    with suppress(OSError):
        if not S_ISSOCK(os.fstat(descriptor).st_mode):
            return False  # no socket would close the copy
        with socket.socket(fileno=os.dup(descriptor)) as copy:
            if copy.family in (socket.AF_INET, socket.AF_INET6) and copy.type == socket.SOCK_STREAM:
                copy.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD_S * 1000)
                return bool(copy.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
    return False
