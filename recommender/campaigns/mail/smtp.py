"""The SMTP session: one connection to a mail server, and its reply to each mail.

Passwords go over TLS alone. Of a server's answers only the codes are kept: their text often repeats the address.
DKIM signatures are the mail server's task.
"""

import re
import select
import smtplib
import socket
import ssl
from collections.abc import Callable
from contextlib import ExitStack
from typing import Literal, NamedTuple, NoReturn

from recommender.campaigns.mail.mail_server import MailServer
from recommender.errors import MailError

TIMEOUT_S = 60.0
"""Longest wait for a connection or one answer."""
_NO_SUCH_MAILBOX = (550, 551, 553)
_ENHANCED = re.compile(rb"^([245]\.\d{1,3}\.\d{1,3})\b")
_UNAVAILABLE = 421
"""The server is about to hang up; it says so in answer to anything."""


class Envelope(NamedTuple):
    """One mail for SMTP, after RFC 5321: sender, recipient and message.

    Attributes:
        sender: address that bounces go to.
        recipient: address.
        wire: headers and body, lines ended by CRLF.
        utf8: whether an address needs SMTPUTF8 (RFC 6531).
    """

    sender: str
    recipient: str
    wire: bytes
    utf8: bool = False


ReplyKind = Literal["sent", "refused", "bounced", "deferred", "lost", "unknown"]


class Reply(NamedTuple):
    """The server's reply to one mail.

    Attributes:
        kind: `sent`: the server has it. `refused`: it never takes it. `bounced`: there is no such mailbox.
            `deferred`: not now. `lost`: the connection failed before the end of the mail, so the server does not have
            it. `unknown`: it failed after, so it may.
        code: such as `550 5.1.1`; what happened, where the server gave no code.
    """

    kind: ReplyKind
    code: str


class Session:
    """One SMTP connection, opened when it is needed. Not to be shared between threads."""

    def __init__(self, server: MailServer, timeout_s: float = TIMEOUT_S, context: ssl.SSLContext | None = None) -> None:
        self._server = server
        self._timeout_s = timeout_s
        self._context = context
        self._smtp: smtplib.SMTP | None = None

    def send(self, envelope: Envelope, ending: Callable[[], None]) -> Reply:
        """Hand in one mail.

        Args:
            envelope: the mail.
            ending: called just before the end of the mail is sent: from there on the server may have it.

        Raises:
            MailError: the server will take no mail of ours at all.
        """
        try:
            smtp = self._smtp = self._smtp or self._connect()
            reply = self._hand_in(smtp, envelope)
            if reply is None:
                ending()
                reply = self._refuse_to_end(smtp)
        except (smtplib.SMTPException, OSError) as error:
            self.close()
            return Reply("lost", _describe(error))
        if reply is not None:
            self._begin_anew(smtp, reply)
            return reply
        return self._end(smtp)

    def close(self) -> None:
        """Close the connection; the next mail opens another one."""
        smtp, self._smtp = self._smtp, None
        if smtp is not None:
            smtp.close()

    def quit(self) -> None:
        """Send QUIT and close; errors are ignored."""
        try:
            if self._smtp is not None:
                self._smtp.quit()
        except (smtplib.SMTPException, OSError):
            pass
        finally:
            self.close()

    def _hand_in(self, smtp: smtplib.SMTP, envelope: Envelope) -> Reply | None:
        """All but the end of a mail; None where the server wants it."""
        if envelope.utf8 and not smtp.has_extn("smtputf8"):
            return Reply("refused", "no SMTPUTF8")
        code, text = smtp.mail(envelope.sender, ["SMTPUTF8"] if envelope.utf8 else [])
        if code >= 500:
            raise MailError(
                f"{self._server!r} takes no mails from {envelope.sender}: {_code(code, text)}; check --from"
            )
        if code != 250:
            return _not_taken(code, text)
        code, text = smtp.rcpt(envelope.recipient)
        if code not in (250, 251):
            return _not_taken(code, text, bounces=True)
        code, text = smtp.docmd("DATA")
        if code != 354:
            return _not_taken(code, text)
        smtp.send(_stuff_dots(envelope.wire))
        return None

    def _refuse_to_end(self, smtp: smtplib.SMTP) -> Reply | None:
        """Whether the server has given up on the mail before its end; None where it waits for it, as it should."""
        if smtp.sock is None or not select.select([smtp.sock], [], [], 0)[0]:
            return None
        code, text = smtp.getreply()
        return Reply("lost", _code(code, text))

    def _end(self, smtp: smtplib.SMTP) -> Reply:
        try:
            smtp.send(b".\r\n")
        except OSError as error:  # the connection was gone before: nothing of it went out
            self.close()
            return Reply("lost", _describe(error))
        try:
            code, text = smtp.getreply()
        except (smtplib.SMTPException, OSError) as error:
            self.close()
            return Reply("unknown", _describe(error))
        if 200 <= code < 300:
            return Reply("sent", _code(code, text))
        if code < 400:  # no answer to the end of a mail: it says neither yes nor no
            self.close()
            return Reply("unknown", "an answer that makes no sense")
        reply = _not_taken(code, text)
        self._begin_anew(smtp, reply)
        return reply

    def _begin_anew(self, smtp: smtplib.SMTP, reply: Reply) -> None:
        """Make the connection ready for the next mail, or close it."""
        if reply.kind == "lost":
            self.close()
            return
        try:
            code, _ = smtp.rset()
        except (smtplib.SMTPException, OSError):
            code = 0
        if code != 250:
            self.close()

    def _connect(self) -> smtplib.SMTP:
        server = self._server
        with ExitStack() as on_failure:
            try:
                smtp = self._open()
                on_failure.callback(smtp.close)
                self._greet(smtp)
            except ssl.SSLCertVerificationError as error:
                raise MailError(f"{server!r} cannot prove who it is: {error.verify_message}; check host, CA") from None
            except smtplib.SMTPNotSupportedError as error:
                raise MailError(f"{server!r}: {error}; try smtps://, or smtp+plain:// in your own network") from None
            except smtplib.SMTPResponseException as error:
                self._refuse(error.smtp_code, error.smtp_error)
            on_failure.pop_all()
            return smtp

    def _open(self) -> smtplib.SMTP:
        host, port = self._server.host, self._server.port
        if self._server.security == "tls":
            return smtplib.SMTP_SSL(host, port, timeout=self._timeout_s, context=self._tls())
        return smtplib.SMTP(host, port, timeout=self._timeout_s)

    def _greet(self, smtp: smtplib.SMTP) -> None:
        server = self._server
        if smtp.sock is not None:
            smtp.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # the end of a mail is its own write
        smtp.ehlo_or_helo_if_needed()
        if server.security == "starttls":
            smtp.starttls(context=self._tls())
            smtp.ehlo_or_helo_if_needed()
        if server.user is not None:
            smtp.login(server.user, server.password or "")

    def _refuse(self, code: int, text: bytes | str) -> NoReturn:
        """Raises MailError where it is no use to try again, else SMTPServerDisconnected."""
        enhanced = _code(code, text)
        if code == 535:
            raise MailError(
                f"{self._server!r} refuses user {self._server.user!r}: {enhanced}; check REPRISE_SMTP_PASSWORD"
            )
        if code >= 500:
            raise MailError(f"{self._server!r} will not talk to us: {enhanced}")
        raise smtplib.SMTPServerDisconnected(enhanced)

    def _tls(self) -> ssl.SSLContext:
        self._context = self._context or ssl.create_default_context()
        return self._context


def _not_taken(code: int, text: bytes, *, bounces: bool = False) -> Reply:
    enhanced = _code(code, text)
    if code == _UNAVAILABLE or code < 400:
        return Reply("lost", enhanced)
    if code < 500:
        return Reply("deferred", enhanced)
    # 5.7.x is a policy of the server's: it says nothing of the mailbox (RFC 3463)
    gone = bounces and code in _NO_SUCH_MAILBOX and not enhanced.partition(" ")[2].startswith("5.7.")
    return Reply("bounced" if gone else "refused", enhanced)


def _code(code: int, text: bytes | str) -> str:
    """Code and enhanced code, without the text."""
    found = _ENHANCED.match(text if isinstance(text, bytes) else text.encode())
    return f"{code} {found[1].decode()}" if found else str(code)


def _describe(error: Exception) -> str:
    """What happened to a connection, without the server's text."""
    if isinstance(error, smtplib.SMTPServerDisconnected) and str(error)[:3].isdigit():
        return str(error)
    if isinstance(error, TimeoutError) or "timed out" in str(error):
        return "no answer in time"
    return "cannot connect" if isinstance(error, ConnectionRefusedError | socket.gaierror) else "connection lost"


def _stuff_dots(wire: bytes) -> bytes:
    """RFC 5321, 4.5.2: a line that begins with a dot gets another one."""
    ended = wire if wire.endswith(b"\r\n") else wire + b"\r\n"
    return re.sub(rb"(?m)^\.", b"..", ended)
