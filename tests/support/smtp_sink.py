"""A real mail server for tests: it keeps what it takes, and misbehaves to the addresses that it was told of."""

import asyncio
import ssl
import subprocess
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, NamedTuple

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

STALL_S = 30.0
"""How long a stall lasts: longer than every client of a test waits."""


class Taken(NamedTuple):
    """One mail that the server said yes to, or kept without an answer."""

    recipient: str
    wire: bytes
    options: tuple[str, ...]

    @property
    def message(self) -> EmailMessage:
        """As a mail program reads it."""
        return message_from_bytes(self.wire, policy=policy.default)  # type: ignore[return-value]


class Sink:
    """What the server does, and what it got.

    Attributes:
        taken: in the order of coming.
        acts: address → what is done to it, one act a try, then it is accepted: a reply to RCPT such as
            `450 4.2.0 later`, or `stall`, `drop` (before DATA), `drop in data`, `drop after data`, `stall after data`,
            `data 451 later`.
        port: where it listens.
        connections: how many there were.
        logins: users who tried to log in.
        refused_senders: addresses that it takes no mail from.
        thinks_s: seconds between a mail and the answer to it.
        hung_up: released for each mail that was cut off by `drop in data`.
    """

    def __init__(self) -> None:
        self.taken: list[Taken] = []
        self.acts: defaultdict[str, list[str]] = defaultdict(list)
        self.port = 0
        self.connections = 0
        self.logins: list[str] = []
        self.refused_senders: set[str] = set()
        self.thinks_s = 0.0
        self.hung_up = threading.Semaphore(0)

    @property
    def counts(self) -> Counter[str]:
        """Mails that were kept by address."""
        return Counter(mail.recipient for mail in self.taken)

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self, server: "_Server", session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refused_senders:
            return "553 5.1.8 you are nobody"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: "_Server", session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        acts = self.acts[address]
        server.act = acts.pop(0) if acts else ""
        if server.act == "stall":
            await asyncio.sleep(STALL_S)
        if server.act == "drop":
            server.transport.abort()
        if server.act[:1] in ("4", "5"):
            return server.act
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: "_Server", session: Session, envelope: Envelope) -> str:  # noqa: N802
        if server.act.startswith("data "):
            return server.act.removeprefix("data ")
        content = envelope.original_content
        assert content is not None
        self.taken += [Taken(to, content, tuple(envelope.mail_options)) for to in envelope.rcpt_tos]
        await asyncio.sleep(STALL_S if server.act == "stall after data" else self.thinks_s)
        if server.act == "drop after data":
            server.transport.abort()
        return "250 2.0.0 OK"


class _Server(SMTP):
    """One connection."""

    act = ""
    transport: Any

    def connection_made(self, transport: Any) -> None:
        self.event_handler.connections += 1
        super().connection_made(transport)

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        if self.act == "drop in data":
            await self.push("354 go on")
            await self._reader.readline()
            self.transport.abort()
            # the socket is closed in the loop's next turn, and with it this coroutine ends
            self.loop.call_later(0.05, self.event_handler.hung_up.release)
            return
        await super().smtp_DATA(arg)


@contextmanager
def run_sink(
    *,
    host: str = "127.0.0.1",
    tls: ssl.SSLContext | None = None,
    implicit: bool = False,
    password: str | None = None,
    **options: Any,
) -> Iterator[Sink]:
    """A server until the end of the block.

    Args:
        host: the address to listen on.
        tls: STARTTLS is offered, and demanded, with this.
        implicit: TLS from the first byte instead.
        password: demanded of everybody, over `tls`; any user.
        options: further ones of aiosmtpd's SMTP.
    """
    sink, loop = Sink(), asyncio.new_event_loop()

    def check(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        sink.logins.append(data.login.decode())
        return AuthResult(success=data.password.decode() == password, handled=False)

    if tls is not None and not implicit:
        options |= {"tls_context": tls, "require_starttls": True}
    if password is not None:
        options |= {"authenticator": check, "auth_required": True, "auth_require_tls": not implicit}

    def make() -> SMTP:
        return _Server(sink, loop=loop, **{"enable_SMTPUTF8": True, "data_size_limit": 1 << 26, **options})

    server = loop.run_until_complete(loop.create_server(make, host, 0, backlog=64, ssl=tls if implicit else None))
    sink.port = server.sockets[0].getsockname()[1]
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield sink
    finally:
        asyncio.run_coroutine_threadsafe(_stop(server), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


async def _stop(server: asyncio.Server) -> None:
    server.close()
    tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def make_certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """A certificate for `localhost` and 127.0.0.1 that nobody but itself signed, and a server's context with it."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=localhost"
    command += " -addext subjectAltName=DNS:localhost,IP:127.0.0.1"
    subprocess.run([*command.split(), "-keyout", key, "-out", certificate], check=True, capture_output=True)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    return certificate, context
