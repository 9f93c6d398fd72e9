import pytest

from recommender.campaigns.mail.mail_server import MailServer, parse_server
from recommender.errors import UsageError


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://shop@mail.example", MailServer("mail.example", 587, "starttls", "shop", "s3cret")),
        (
            "smtp://a%40b.example@mail.example:25",
            MailServer("mail.example", 25, "starttls", "a@b.example", "s3cret"),
        ),
        ("smtps://shop@mail.example", MailServer("mail.example", 465, "tls", "shop", "s3cret")),
        ("smtp://127.0.0.1:2525", MailServer("127.0.0.1", 2525, "none", None, "s3cret")),
        ("smtp://shop@localhost", MailServer("localhost", 587, "none", "shop", "s3cret")),
        ("smtp+plain://relay.internal", MailServer("relay.internal", 25, "none", None, "s3cret")),
        ("mail.example:2587", MailServer("mail.example", 2587, "starttls", None, "s3cret")),
    ],
)
def test_addresses_of_servers(url: str, server: MailServer):
    assert parse_server(url, "s3cret") == server
    assert "s3cret" not in repr(server)


@pytest.mark.parametrize(
    ("url", "password", "words"),
    [
        ("https://mail.example", "x", "https://"),
        ("smtp://", "x", "smtp://user@host:587"),
        ("smtp://mail.example:nine", "x", "smtp://user@host:587"),
        ("smtp://shop:s3cret@mail.example", None, "REPRISE_SMTP_PASSWORD"),
        ("smtp://shop@mail.example", None, "REPRISE_SMTP_PASSWORD"),
        ("smtp+plain://shop@mail.example", "x", "for everybody to read"),
    ],
)
def test_what_cannot_be(url: str, password: str | None, words: str):
    with pytest.raises(UsageError) as caught:
        parse_server(url, password)
    assert words in str(caught.value)
    assert "s3cret" not in str(caught.value)
