from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from urllib.parse import urlsplit

import pytest

from recommender.campaigns.links import MailLink, read_link
from recommender.campaigns.mail.mailbox import Mailbox
from recommender.campaigns.mail.message import MessageBuilder, make_message_builder
from recommender.campaigns.mail.render import Rendered
from recommender.campaigns.mail.smtp import Envelope
from recommender.errors import UsageError
from recommender.settings import MailSettings
from tests.support.small_shop import NOW

SECRET = "a secret of thirty-two characters"
MAIL = MailSettings.model_validate({"secret": SECRET, "link_base": "https://reprise.shop.example/api/"})
_HTML = "<p>Käse <b>3 €</b></p>\n" + "x" * 2_000
_TEXT = "Käse\n.\n.dot\nFrom here\n" + "y" * 2_000
RENDERED = Rendered("Time for käse 🧀", _HTML, _TEXT)


def builder(sender: str = "Shop <news@shop.example>") -> MessageBuilder:
    return make_message_builder(MAIL, "corner", "2026-11-reorder", sender, public=True)


def write(customer_id: str = "ANNA", to: Mailbox = Mailbox("anna@mail.example", "Anna"), rendered=RENDERED) -> Envelope:  # noqa: B008
    return builder().build(rendered, customer_id, to, NOW)


def read(envelope: Envelope) -> EmailMessage:
    return message_from_bytes(envelope.wire, policy=policy.default)  # type: ignore[return-value]


def test_headers_as_the_standard_library_reads_them_back():
    message = read(write())
    assert message.defects == []
    assert str(message["From"]) == "Shop <news@shop.example>"
    assert str(message["To"]) == "Anna <anna@mail.example>"
    assert message["Subject"] == "Time for käse 🧀"
    assert message["Date"].datetime == NOW
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["Precedence"] == "bulk"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Feedback-ID"] == "2026-11-reorder:corner:mail:reprise"
    assert message["MIME-Version"] == "1.0"


def test_the_unsubscribe_link_is_one_line_that_opens_the_right_door():
    envelope = write("käse/🧀 " + "k" * 400)
    lines = envelope.wire.partition(b"\r\n\r\n")[0].split(b"\r\n")
    (line,) = [line for line in lines if line.startswith(b"List-Unsubscribe:")]
    url = line.decode().removeprefix("List-Unsubscribe: <").removesuffix(">")
    path = urlsplit(url).path.split("/")
    assert url.startswith("https://reprise.shop.example/api/v1/m/")
    assert path[-1] == "unsubscribe"
    assert read_link(path[-2], SECRET) == MailLink("corner", "2026-11-reorder", "käse/🧀 " + "k" * 400)


def test_an_id_that_no_header_can_hold_is_told():
    assert builder().fits("k" * 512)
    assert not builder().fits("".join(chr(0x4E00 + 7 * number) for number in range(512)))


def test_text_comes_first_then_html_and_both_come_back_whole():
    message = read(write())
    assert message.get_content_type() == "multipart/alternative"
    text, html = message.iter_parts()
    assert (text.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    assert text.get_content().replace("\r\n", "\n").rstrip("\n") == RENDERED.text
    assert html.get_content().replace("\r\n", "\n").rstrip("\n") == RENDERED.html
    assert max(map(len, write().wire.split(b"\r\n"))) <= 998


def test_the_same_mail_is_the_same_bytes_and_names_nobody():
    one, again, other = write(), write(), write("BOB")
    assert one == again
    later = builder().build(RENDERED, "ANNA", Mailbox("anna@mail.example"), NOW + timedelta(days=1))
    assert read(later)["Message-ID"] == read(one)["Message-ID"] != read(other)["Message-ID"]
    assert read(one)["Message-ID"].endswith("@shop.example>")
    assert "ANNA" not in read(one)["Message-ID"]


@pytest.mark.parametrize(
    "name", ["Müller, Anna", 'Anna "the cat"', "アンナ 🧀", "Anna <eve@mail.example>", "a" * 300, ""]
)
def test_any_name_comes_back(name: str):
    message = read(write(to=Mailbox("anna@mail.example", name)))
    (address,) = message["To"].addresses
    assert (address.display_name, address.addr_spec) == (name, "anna@mail.example")


@pytest.mark.parametrize("poison", ["\r\nBcc: eve@mail.example", "\nX: y", "\x00", "\u2028Bcc: x"])
def test_no_text_begins_another_header(poison: str):
    rendered = RENDERED.__class__(f"Hi{poison}", RENDERED.html, RENDERED.text)
    message = read(write(to=Mailbox("anna@mail.example", f"Anna{poison}"), rendered=rendered))
    assert message["Bcc"] is None
    assert message["X"] is None
    assert message.defects == []
    assert [address.addr_spec for address in message["To"].addresses] == ["anna@mail.example"]


def test_only_a_local_part_beyond_ascii_needs_smtputf8():
    plain = write(to=Mailbox("anna@xn--kse-qla.example", "Jörg"))
    assert not plain.utf8
    assert plain.wire.isascii()
    utf8 = write(to=Mailbox("jörg@xn--kse-qla.example", "Jörg"))
    assert utf8.utf8
    assert "To: Jörg <jörg@xn--kse-qla.example>\r\n".encode() in utf8.wire
    assert utf8.wire.partition(b"\r\n\r\n")[2].isascii()


@pytest.mark.parametrize(
    ("mail", "sender", "words"),
    [
        ({}, "news@shop.example", "REPRISE_MAIL__SECRET"),
        ({"secret": SECRET}, "news@shop.example", "needs https"),
        ({"secret": SECRET, "link_base": "https://käse.example"}, "news@shop.example", "xn--"),
        ({"secret": SECRET, "link_base": "https://shop.example"}, "news", "--from"),
        ({"secret": SECRET, "link_base": "https://shop.example"}, "a@shop.example\nBcc: b@shop.example", "--from"),
    ],
)
def test_what_no_mail_can_be_sent_with(mail: dict[str, str], sender: str, words: str):
    with pytest.raises(UsageError) as caught:
        make_message_builder(MailSettings.model_validate(mail), "corner", "c", sender, public=True)
    assert words in str(caught.value)
