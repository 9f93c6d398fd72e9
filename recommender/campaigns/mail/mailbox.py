"""Mailboxes: an address that a mail can be sent to, and how its owner is greeted."""

import re
from typing import NamedTuple

_LOCAL_PART = re.compile(r"""[^\s@<>()\[\]\\,;:"\x00-\x1f\x7f.]+(\.[^\s@<>()\[\]\\,;:"\x00-\x1f\x7f.]+)*""")
_DOMAIN = re.compile(r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])")
_TWO_READINGS = re.compile("[ßς\u200c\u200d]")
"""Letters of domains that IDNA 2003, which Python knows, and IDNA 2008 take for different ones."""


class Mailbox(NamedTuple):
    """A customer's mailbox.

    Attributes:
        address: with a domain in ASCII.
        name: as the file has it; None where it has none.
        locale: of the mail; None stands for the campaign's.
    """

    address: str
    name: str | None = None
    locale: str | None = None


def check_address(email: str) -> str | None:
    """`email` with its domain in ASCII; None where it is no address that a mail can be sent to.

    Stricter than RFC 5321: no quoted local part, no address literal, no domain without a dot.
    """
    local_part, at, domain = email.rpartition("@")
    if not at or len(local_part.encode()) > 64 or not _LOCAL_PART.fullmatch(local_part):
        return None
    if _TWO_READINGS.search(domain):
        return None
    try:
        ascii_domain = domain.encode("idna").decode()
    except UnicodeError:
        return None
    return f"{local_part}@{ascii_domain}" if _DOMAIN.fullmatch(ascii_domain.lower()) else None
