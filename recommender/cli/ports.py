"""Ports to listen on."""

import socket

from recommender.errors import UsageError


def refuse_taken_port(address: str, port: int) -> None:
    """Refuse a port that cannot be listened on: Granian would share it, and two servers take turns.

    Raises:
        UsageError: it is taken, or this user may not listen on it.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # what lingers after a stop is no listener
        try:
            probe.bind((address, port))
        except OSError as error:
            raise UsageError(
                f"cannot listen on {address}:{port}: {error.strerror}; stop what does, or choose another --port "
                "or REPRISE_PORT"
            ) from None
