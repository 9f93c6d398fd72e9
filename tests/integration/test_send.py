"""A campaign sent to a real mail server that refuses, stalls and drops: who got how many mails, and what is known."""

import ssl
from collections import Counter
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import pytest

from recommender.campaigns.mail.mail_server import MailServer
from recommender.campaigns.mail.smtp import Envelope, Reply, Session
from recommender.cli.progress import Progress
from recommender.errors import BusyError, MailError, StoreError, StoreUnavailableError
from tests.support.mail_shop import CAMPAIGN, MailShop, mailbox, names
from tests.support.smtp_sink import Sink, make_certificate, run_sink
from training.campaigns.mail.outbox import State

FIVE = names(5)
ONCE = Counter({mailbox(one): 1 for one in FIVE})
STALLED_S = 2.0
"""How long a server that stalls is waited for; it stalls for longer."""


@pytest.fixture
def shop(tmp_path: Path) -> MailShop:
    return MailShop(tmp_path, FIVE)


@pytest.fixture
def sink():
    with run_sink() as sink:
        yield sink


class Tls(NamedTuple):
    """Of a server with a certificate that it signed itself, and of a client that trusts it."""

    server: ssl.SSLContext
    client: ssl.SSLContext


@pytest.fixture
def tls(tmp_path: Path) -> Tls:
    certificate, context = make_certificate(tmp_path)
    return Tls(context, ssl.create_default_context(cafile=str(certificate)))


def test_everybody_gets_one_mail_and_running_it_again_sends_none(shop: MailShop, sink: Sink):
    assert shop.send(sink.port) == {"sent": 5}
    assert shop.send(sink.port) == {"sent": 5}
    assert sink.counts == ONCE
    assert shop.events() == [("mail_sent", one) for one in FIVE]
    standings = shop.storage.contacts("default").standings(FIVE)
    assert [[mail.campaign_id for mail in one.mails] for one in standings] == [[CAMPAIGN]] * 5


def test_nothing_is_sent_once_redis_has_lost_who_unsubscribed(shop: MailShop, sink: Sink):
    def refuse() -> None:
        raise StoreError("Redis has lost 1 of them")

    with shop.sending(sink.port) as sending, pytest.raises(StoreError, match="has lost"):
        replace(sending, check=refuse).send(Progress(show=False).step)
    assert sink.counts == Counter()
    assert shop.send(sink.port) == {"sent": 5}


def test_a_mailbox_that_does_not_exist_bounces_and_frees_the_claim(shop: MailShop, sink: Sink):
    sink.acts[mailbox("C002")] = ["550 5.1.1 <c002@mail.example> unknown"] * 9
    assert shop.send(sink.port) == {"sent": 4, "bounced": 1}
    assert shop.send(sink.port) == {"sent": 4, "bounced": 1}
    assert sink.counts == ONCE - Counter([mailbox("C002")])
    assert ("mail_bounce", "C002") in shop.events()
    (standing,) = shop.storage.contacts("default").standings(["C002"])
    assert standing.bounced
    assert standing.mails == ()
    with shop.outbox() as outbox:
        assert outbox.details() == {"550 5.1.1": 1}  # the server's text repeats the address


def test_a_policy_of_the_server_is_no_bounce(shop: MailShop, sink: Sink):
    sink.acts[mailbox("C002")] = ["550 5.7.1 relaying denied"]
    assert shop.send(sink.port) == {"sent": 4, "refused": 1}
    assert [kind for kind, _ in shop.events()] == ["mail_sent"] * 4


def test_a_mail_that_is_not_wanted_yet_is_tried_again_later(shop: MailShop, sink: Sink):
    sink.acts[mailbox("C001")] = ["450 4.2.0 greylisted", "451 4.3.0 busy"]
    sink.acts[mailbox("C003")] = ["data 452 4.3.1 full"]
    assert shop.send(sink.port) == {"sent": 5}
    assert sink.counts == ONCE
    assert [pause for pause in shop.slept if pause >= 30] == [30.0, 120.0]


def test_what_is_never_wanted_now_stays_open_for_the_next_run(shop: MailShop, sink: Sink):
    sink.acts[mailbox("C001")] = ["450 4.2.0 greylisted"] * 4
    assert shop.send(sink.port) == {"sent": 4, "deferred": 1}
    assert shop.send(sink.port) == {"sent": 5}
    assert sink.counts == ONCE


@pytest.mark.parametrize("act", ["421 4.3.2 closing", "stall", "drop"])
def test_a_connection_that_fails_before_a_mail_is_made_again(shop: MailShop, sink: Sink, act: str):
    sink.acts[mailbox("C001")] = [act, act]
    assert shop.send(sink.port, timeout_s=STALLED_S) == {"sent": 5}
    assert sink.counts == ONCE
    assert sink.connections >= 2


def test_a_mail_that_was_cut_off_before_its_end_is_sent_again(shop: MailShop, sink: Sink):
    sink.acts[mailbox("C001")] = ["drop in data", "drop in data"]
    tries = Counter[str]()
    with shop.sending(sink.port) as sending:
        mark = sending.outbox.mark

        def mark_and_wait(customer_id: str, state: State, at: datetime, detail: str = "") -> None:
            mark(customer_id, state, at, detail)
            tries[customer_id] += state == "sending"
            if customer_id == "C001" and state == "sending" and tries["C001"] <= 2:
                assert sink.hung_up.acquire(timeout=60)  # the server is gone before the end of the mail is sent

        sending.outbox.mark = mark_and_wait  # type: ignore[method-assign]
        sending.send(Progress(show=False).step)
        assert sending.outbox.counts()["sent"] == 5
    assert tries["C001"] == 3
    assert sink.counts == ONCE


@pytest.mark.parametrize("act", ["drop after data", "stall after data"])
def test_a_lost_answer_is_unknown_and_never_sent_again(shop: MailShop, sink: Sink, act: str):
    sink.acts[mailbox("C004")] = [act]
    assert shop.send(sink.port, timeout_s=STALLED_S) == {"sent": 4, "unknown": 1}
    assert shop.send(sink.port) == {"sent": 4, "unknown": 1}
    assert sink.counts == ONCE
    with shop.outbox() as outbox:
        assert outbox.unknown(10) == ["C004"]
    assert shop.events() == [("mail_sent", one) for one in FIVE[:4]]


def test_who_was_written_to_from_elsewhere_gets_no_second_mail(shop: MailShop, sink: Sink):
    sink.acts[mailbox("C004")] = ["450 4.2.0 later"] * 4
    assert shop.send(sink.port) == {"sent": 4, "deferred": 1}
    for file in shop.folder.glob("outbox*"):
        file.unlink()
    assert shop.send(sink.port) == {"sent": 5}
    assert sink.counts == ONCE
    assert shop.events() == [("mail_sent", one) for one in FIVE]


def test_without_an_address_the_claim_is_freed_and_the_mail_waits_for_one(shop: MailShop, sink: Sink):
    file = shop.folder / "addresses.csv"
    whole = file.read_text()
    file.write_text(whole.replace(mailbox("C000"), ""))
    assert shop.send(sink.port) == {"sent": 4, "no_address": 1}
    assert shop.storage.contacts("default").standings(["C000"])[0].mails == ()
    file.write_text(whole)
    assert shop.send(sink.port) == {"sent": 5}
    assert sink.counts == ONCE


def test_a_server_that_is_away_stops_it_and_nothing_is_lost(shop: MailShop):
    with run_sink() as gone:
        port = gone.port
    with pytest.raises(MailError, match=r"failed 1\d times in a row, with cannot connect"):
        shop.send(port)
    assert 60 < sum(shop.slept) < 500
    with run_sink() as sink:
        assert shop.send(sink.port) == {"sent": 5}
        assert sink.counts == ONCE


def test_a_server_that_refuses_everybody_stops_it(tmp_path: Path, sink: Sink):
    shop = MailShop(tmp_path, names(60))
    for one in names(60):
        sink.acts[mailbox(one)] = ["554 5.7.1 you are on a list"]
    with pytest.raises(MailError, match=r"refused 5\d times in a row, with 554 5\.7\.1"):
        shop.send(sink.port)
    assert sink.taken == []
    sink.acts.clear()
    assert shop.send(sink.port) == {"sent": 60}
    assert sink.counts == {mailbox(one): 1 for one in names(60)}
    assert shop.events() == [("mail_sent", one) for one in names(60)]


@pytest.mark.openssl
def test_a_wrong_password_stops_it_at_once_and_is_in_no_message(shop: MailShop, tls: Tls):
    with run_sink(tls=tls.server, password="right") as sink:
        wrong = MailServer("localhost", sink.port, "starttls", "shop", "wr0ng")
        with pytest.raises(MailError, match=r"refuses user 'shop': 535\b.*; check REPRISE_SMTP_PASSWORD") as caught:
            shop.send(sink.port, server=wrong, context=tls.client)
        assert "wr0ng" not in str(caught.value) + repr(wrong)
        assert 1 <= len(sink.logins) <= 8  # a connection tries two ways to log in
        assert sink.taken == []
        right = MailServer("localhost", sink.port, "starttls", "shop", "right")
        assert shop.send(sink.port, server=right, context=tls.client) == {"sent": 5}
        assert sink.counts == ONCE


@pytest.mark.openssl
def test_a_certificate_that_nobody_trusts_gets_no_password(shop: MailShop, tls: Tls):
    with run_sink(tls=tls.server, password="right") as sink:
        server = MailServer("localhost", sink.port, "starttls", "shop", "right")
        with pytest.raises(MailError, match="cannot prove who it is"):
            shop.send(sink.port, server=server)
        assert (sink.logins, sink.taken) == ([], [])


@pytest.mark.openssl
def test_tls_from_the_first_byte(shop: MailShop, tls: Tls):
    with run_sink(tls=tls.server, implicit=True) as sink:
        server = MailServer("localhost", sink.port, "tls")
        with pytest.raises(MailError, match="cannot prove who it is"):
            shop.send(sink.port, server=server)
        assert shop.send(sink.port, server=server, context=tls.client) == {"sent": 5}
        assert sink.counts == ONCE


def test_starttls_is_demanded(shop: MailShop, sink: Sink):
    server = MailServer("127.0.0.1", sink.port, "starttls")
    with pytest.raises(MailError, match=r"try smtps://, or smtp\+plain://"):
        shop.send(sink.port, server=server)
    assert sink.taken == []


def test_a_second_process_is_refused(shop: MailShop, sink: Sink):
    with shop.outbox(), pytest.raises(BusyError, match="being sent by another process"):
        shop.send(sink.port)
    assert sink.taken == []


def test_redis_that_fails_after_the_mails_is_told_of_them_the_next_time(shop: MailShop, sink: Sink, monkeypatch):
    log = shop.storage.event_log("default")

    def fail(*_: object) -> None:
        raise StoreUnavailableError("Redis does not answer")

    with monkeypatch.context() as patch:
        patch.setattr(log, "accept", fail)
        with pytest.raises(StoreUnavailableError):
            shop.send(sink.port)
    assert sink.counts == ONCE
    assert shop.send(sink.port) == {"sent": 5}
    assert sink.counts == ONCE
    assert shop.events() == [("mail_sent", one) for one in FIVE]


def test_the_pace_is_kept_over_all_connections(tmp_path: Path, sink: Sink):
    shop = MailShop(tmp_path, names(60))
    began = shop.now
    assert shop.send(sink.port, per_second=4.0) == {"sent": 60}
    assert (shop.now - began).total_seconds() >= 59 / 4
    assert sink.counts == {mailbox(one): 1 for one in names(60)}


def test_what_arrives_is_what_was_written(sink: Sink):
    wire = b"Subject: dots\r\n\r\n.\r\n..\r\n.hidden\r\nFrom here\r\n" + b"x" * 900 + b"\r\n"
    session = Session(MailServer("127.0.0.1", sink.port, "none"))
    for number in range(2):
        reply = session.send(Envelope("news@shop.example", "a@mail.example", wire), lambda: None)
        assert (reply, sink.taken[number].wire) == (Reply("sent", "250 2.0.0"), wire)
    session.quit()
    assert sink.connections == 1


def test_mails_in_other_scripts_come_whole(shop: MailShop, sink: Sink):
    (shop.folder / "addresses.csv").write_text(
        "customer_id,email,name,locale\nC000,jörg@käse.example,Jörg,de\nC001,b@mail.example,,ar\n", encoding="utf-8"
    )
    assert shop.send(sink.port) == {"sent": 2, "no_address": 3}
    german, arabic = sorted(sink.taken, key=lambda mail: len(mail.recipient), reverse=True)
    assert (german.recipient, german.options) == ("jörg@xn--kse-qla.example", ("SMTPUTF8",))
    assert arabic.options == ()
    assert (german.message.defects, arabic.message.defects) == ([], [])
    assert "Jörg" in german.message.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert 'dir="rtl"' in arabic.message.get_body(("html",)).get_content()  # type: ignore[union-attr]


def test_a_server_without_smtputf8_refuses_only_who_needs_it(shop: MailShop):
    (shop.folder / "addresses.csv").write_text(
        "customer_id,email\nC000,jörg@mail.example\nC001,b@mail.example\n", encoding="utf-8"
    )
    with run_sink(enable_SMTPUTF8=False) as sink:
        assert shop.send(sink.port) == {"sent": 1, "refused": 1, "no_address": 3}
        assert sink.counts == {"b@mail.example": 1}
    with shop.outbox() as outbox:
        assert outbox.details() == {"no SMTPUTF8": 1}
