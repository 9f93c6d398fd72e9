"""The mail server of `--smtp`: host, port, encryption and login."""

import ipaddress
from dataclasses import dataclass
from typing import Literal, NamedTuple
from urllib.parse import unquote, urlsplit

from recommender.errors import UsageError

Security = Literal["starttls", "tls", "none"]
_SCHEMES: dict[str, tuple[Security, int]] = {
    "smtp": ("starttls", 587),
    "smtps": ("tls", 465),
    "smtp+plain": ("none", 25),
}


@dataclass(frozen=True)
class MailServer:
    """The SMTP server that mails are handed to.

    Attributes:
        security: `starttls` is demanded, `tls` from the first byte, or `none`.
        user: None where the server asks for no login.
        password: never in a message.
    """

    host: str
    port: int
    security: Security
    user: str | None = None
    password: str | None = None

    def __repr__(self) -> str:
        return f"{self.host}:{self.port}"


def parse_server(url: str, password: str | None) -> MailServer:
    """The server at `smtp://user@host:587` (STARTTLS, but not to this machine itself) or `smtps://…` (TLS).

    `smtp+plain://host` goes without TLS, and so without a password.

    Raises:
        UsageError: it is no such address, holds a password, or would send one where others can read it.
    """
    parts = _split(url)
    if parts.scheme not in _SCHEMES or not parts.hostname:
        raise UsageError(
            f"--smtp {parts.scheme}://… is no mail server; write smtp://user@host:587 or smtps://user@host"
        )
    if parts.password is not None:
        raise UsageError("--smtp holds a password, which others can see; set REPRISE_SMTP_PASSWORD instead")
    security, port = _SCHEMES[parts.scheme]
    if security == "starttls" and is_this_machine(parts.hostname):
        security = "none"
    user = None if parts.username is None else unquote(parts.username)
    if user is not None and password is None:
        raise UsageError(f"{parts.hostname} wants user {user!r} to have a password; set REPRISE_SMTP_PASSWORD")
    if user is not None and security == "none" and not is_this_machine(parts.hostname):
        raise UsageError("smtp+plain:// would send the password for everybody to read; use smtp:// or smtps://")
    return MailServer(parts.hostname, parts.port or port, security, user, password)


class _Parts(NamedTuple):
    scheme: str
    username: str | None
    password: str | None
    hostname: str | None
    port: int | None


def _split(url: str) -> _Parts:
    try:
        parts = urlsplit(url if "://" in url else f"smtp://{url}")
        return _Parts(parts.scheme, parts.username, parts.password, parts.hostname, parts.port)
    except ValueError:
        raise UsageError("--smtp is no address; write smtp://user@host:587") from None


def is_this_machine(host: str) -> bool:
    """Whether `host` is a loopback address or `localhost`, so that nobody can listen in on the way."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
