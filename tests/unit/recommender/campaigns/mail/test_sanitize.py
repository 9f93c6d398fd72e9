"""Titles, addresses, prices and names are whatever anybody wrote into a catalogue or a list: none does anything."""

import email.message
import email.policy
import re
import unicodedata

import pytest
from pydantic import SecretStr

from recommender.campaigns.mail.render import Renderer
from recommender.settings import MailSettings
from tests.support.mail_samples import CAMPAIGN, SECRET, hostile
from tests.unit.recommender.campaigns.mail.test_render import Tags

TEXTS = [
    "{{ 7*7 }}",
    "{% raw %}{{ campaign }}",
    "{product} {0.__class__} {name!r}",
    "<script>alert(1)</script>",
    "</style></title></table><h1>won</h1>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "<!--[if mso]><a href=https://evil.example>",
    "--> <![endif]-->",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "safe\u202etxt.exe\u202c\u2066isolated",
    "Subject\r\nBcc: everybody@shop.example\r\n\r\n<html>",
    "line\u2028separator\x85next\x00nul\x1b[31m",
    "lone \ud800 surrogate",
    "A" * 5_000,
    "\u0627" * 5_000,
    "%s %(x)s $name ${name}",
    "*|UNSUB|* {{{unescaped}}}",
]
ADDRESSES = [
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\nscript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:x",
    "file:///etc/passwd",
    "//evil.example/x",
    "/relative",
    "https://shop.example@evil.example/",
    "https://shop.example\\@evil.example/",
    "https://shop.example/\r\nSet-Cookie: a=b",
    'https://shop.example/"onclick="alert(1)',
    "https://shop.example/' x='",
    "https://shop.example/ space",
    "https://shop.example/\u202egpj",
    "https://[::1",
    "https://shop.example:99999/",
    "https:///nowhere",
    "https://shop.example/" + "a" * 5_000,
    " https://shop.example/",
    "",
]
TAGS = {"html", "head", "meta", "title", "style", "body", "div", "table", "tr", "td", "h1", "p", "a", "span", "img"} | {
    "bdi",
    "br",
}


def render(locale="en", **fields):
    name = fields.pop("name", None)
    settings = MailSettings(secret=SecretStr(SECRET) if fields.pop("signed", False) else None)
    return Renderer(settings, "default", currency="EUR").render(CAMPAIGN, hostile(**fields), name=name, locale=locale)


def skeleton(html):
    """The tags and the names of their attributes: what no text may change."""
    return [(tag, sorted(attrs)) for tag, attrs in Tags(html).tags]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("locale", ["en", "ar"])
def test_a_title_is_text_and_nothing_else(text, locale):
    mail, plain = render(locale, title=text), render(locale, title="Plain")
    assert skeleton(mail.html) == skeleton(plain.html)
    assert {tag for tag, _ in skeleton(mail.html)} <= TAGS
    assert "49" not in Tags(mail.html).texts
    check_characters(mail)


@pytest.mark.parametrize("text", TEXTS)
def test_so_are_a_price_a_name_and_an_id(text):
    plain = skeleton(render(name="Plain", price="x").html)
    mail = render(name=text, price=text)
    assert skeleton(mail.html) == plain
    check_characters(mail)
    nameless = render(title="", product_id=text)
    assert skeleton(nameless.html) == plain
    check_characters(nameless)


@pytest.mark.parametrize("text", TEXTS)
def test_no_subject_can_begin_another_header(text):
    subject = render(title=text).subject
    message = email.message.EmailMessage(policy=email.policy.SMTP)
    message["Subject"] = subject
    assert list(message) == ["Subject"]
    assert len(subject) <= 200
    assert subject == " ".join(subject.splitlines())


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("signed", [False, True])
def test_what_is_no_address_of_the_web_is_no_link(address, signed):
    mail = render(url=address, image_url=address, signed=signed)
    page = Tags(mail.html)
    assert [link["href"] for link in page.all("a") if "unsubscribe" not in link["href"]] == []
    assert page.all("img") == []
    assert not re.search("evil|javascript|alert|vbscript|passwd", mail.html + mail.text, re.IGNORECASE)


def test_an_address_with_an_ampersand_stays_what_it_was():
    mail = render(url="https://shop.example/?a=1&copy=2", image_url="https://xn--kse-qla.example/ü?b=<".rstrip("<"))
    assert Tags(mail.html).all("a")[0]["href"] == "https://shop.example/?a=1&copy=2"
    assert Tags(mail.html).all("img")[0]["src"] == "https://xn--kse-qla.example/ü?b="


def test_five_thousand_characters_are_cut_to_what_a_phone_shows():
    mail = render(title="A" * 5_000)
    assert max(map(len, Tags(mail.html).texts[1:])) < 2_000
    assert "A" * 119 + "…" in mail.html
    assert "A" * 120 not in mail.html + mail.text + mail.subject


def check_characters(mail):
    for text in (mail.html, mail.text, mail.subject):
        text.encode("utf-8")
        assert not re.search("[\u202a-\u202e\u2066-\u2069]", text)
        assert {one for one in text if unicodedata.category(one) == "Cc"} <= {"\n"}
