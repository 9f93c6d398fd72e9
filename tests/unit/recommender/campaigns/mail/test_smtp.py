"""What each answer of a mail server means; the server says what it is told to."""

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from recommender.campaigns.mail.mail_server import MailServer
from recommender.campaigns.mail.smtp import Envelope, Reply, Session
from recommender.errors import MailError

LETTER = Envelope("news@shop.example", "anna@mail.example", b"Subject: hi\r\n\r\nhello\r\n")
WAIT_S = 30.0
"""Far more than anything here takes."""
GREETING, EHLO, FINE, GO_ON = "220 hello", "250 hello", "250 2.1.0 fine", "354 go on"


@contextmanager
def server(replies: Sequence[str], hung_up: threading.Event) -> Iterator[MailServer]:
    """Says `replies` one by one: the first as a greeting, the others in answer to a line or, after 354, to a mail."""
    listener = socket.create_server(("127.0.0.1", 0))

    def talk() -> None:
        connection, _ = listener.accept()
        with connection, connection.makefile("rb") as lines:
            for number, reply in enumerate(replies):
                if number:
                    in_mail = replies[number - 1].startswith("354")
                    while (line := lines.readline()) and in_mail and line != b".\r\n":
                        pass
                connection.sendall(reply.encode() + b"\r\n")
            connection.shutdown(socket.SHUT_WR)
            hung_up.set()
            lines.read()

    thread = threading.Thread(target=talk, daemon=True)
    thread.start()
    try:
        yield MailServer("127.0.0.1", listener.getsockname()[1], "none")
    finally:
        listener.close()
        thread.join(WAIT_S)


def send(*replies: str) -> tuple[Reply, bool]:
    """What becomes of one mail, and whether the server may have it."""
    ended = threading.Event()
    with server(replies, threading.Event()) as told:
        session = Session(told, timeout_s=WAIT_S)
        try:
            return session.send(LETTER, ended.set), ended.is_set()
        finally:
            session.close()


@pytest.mark.parametrize(
    ("reply", "meant"),
    [
        ("250 2.0.0 queued for anna@mail.example", Reply("sent", "250 2.0.0")),
        ("252 odd, but yes", Reply("sent", "252")),
        ("354 what?", Reply("unknown", "an answer that makes no sense")),
        ("rubbish", Reply("unknown", "an answer that makes no sense")),
        ("421 4.3.2 closing", Reply("lost", "421 4.3.2")),
        ("451 4.3.0 later", Reply("deferred", "451 4.3.0")),
        ("554 5.7.1 spam to anna@mail.example", Reply("refused", "554 5.7.1")),
        ("550 5.1.1 no such user", Reply("refused", "550 5.1.1")),
    ],
)
def test_answers_to_the_end_of_a_mail(reply: str, meant: Reply):
    assert send(GREETING, EHLO, FINE, FINE, GO_ON, reply) == (meant, True)


@pytest.mark.parametrize(
    ("reply", "meant"),
    [
        ("550 5.1.1 <anna@mail.example> unknown", Reply("bounced", "550 5.1.1")),
        ("550 no such user", Reply("bounced", "550")),
        ("551 user not local", Reply("bounced", "551")),
        ("553 5.1.3 not allowed", Reply("bounced", "553 5.1.3")),
        ("550 5.7.1 relaying denied", Reply("refused", "550 5.7.1")),
        ("552 5.2.2 mailbox full", Reply("refused", "552 5.2.2")),
        ("554 no", Reply("refused", "554")),
        ("450 4.2.0 greylisted", Reply("deferred", "450 4.2.0")),
        ("421 4.7.0 too many", Reply("lost", "421 4.7.0")),
    ],
)
def test_answers_to_the_recipient(reply: str, meant: Reply):
    assert send(GREETING, EHLO, FINE, reply) == (meant, False)


@pytest.mark.parametrize(
    ("replies", "meant"),
    [
        (["421 busy"], Reply("lost", "421")),
        ([GREETING, EHLO, "451 4.3.0 not now"], Reply("deferred", "451 4.3.0")),
        ([GREETING, EHLO, FINE, FINE, "452 4.3.1 full"], Reply("deferred", "452 4.3.1")),
        ([GREETING, EHLO, FINE], Reply("lost", "connection lost")),
    ],
)
def test_answers_before_a_mail(replies: list[str], meant: Reply):
    assert send(*replies) == (meant, False)


def test_a_connection_that_is_gone_before_the_end_leaves_nothing_behind():
    hung_up = threading.Event()
    with server([GREETING, EHLO, FINE, FINE, GO_ON], hung_up) as told:
        reply = Session(told, timeout_s=WAIT_S).send(LETTER, lambda: assert_set(hung_up))
        assert reply == Reply("lost", "connection lost")


def assert_set(event: threading.Event) -> None:
    assert event.wait(WAIT_S)


@pytest.mark.parametrize(
    ("replies", "words"),
    [
        (["554 no"], "will not talk to us: 554"),
        ([GREETING, EHLO, "550 5.7.1 who are you"], "takes no mails from news@shop.example: 550 5.7.1; check --from"),
    ],
)
def test_servers_that_want_no_mail_of_ours(replies: list[str], words: str):
    with pytest.raises(MailError) as caught:
        send(*replies)
    assert words in str(caught.value)
