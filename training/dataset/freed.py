"""Freed memory: given back to the system, which the C library otherwise keeps in pieces for arrays to come."""

import ctypes
from contextlib import suppress


def give_back() -> None:
    """Give back what was freed, where the C library can (glibc). Takes milliseconds."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
