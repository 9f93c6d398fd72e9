"""The message builder: a rendered mail as MIME (RFC 5322), text first, then HTML, with a newsletter's headers."""

import re
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import parseaddr
from hashlib import blake2b

from recommender.campaigns.links import MailLink, address, sign
from recommender.campaigns.mail.mailbox import Mailbox, check_address
from recommender.campaigns.mail.render import Rendered
from recommender.campaigns.mail.smtp import Envelope
from recommender.errors import UsageError
from recommender.person import encode_id
from recommender.settings import MailSettings

LONGEST_LINE = 998
"""RFC 5322, 2.1.1: characters of a line without its end."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


@dataclass(frozen=True)
class MessageBuilder:
    """Builder of the messages of one campaign.

    Attributes:
        sender: name and address of `From`.
        shop: name of the shop, signed into links.
        campaign_id: of the campaign, signed into links.
        link_base: address of the service that unsubscribe links lead to.
        secret: signs the links.
        is_test: whether its mails are tests, from which nobody can unsubscribe.
    """

    sender: Address
    shop: str
    campaign_id: str
    link_base: str
    secret: str
    is_test: bool = False

    def build(self, rendered: Rendered, customer_id: str, to: Mailbox, at: datetime) -> Envelope:
        """The envelope with one message; the same arguments give the same bytes.

        Args:
            rendered: subject and body.
            customer_id: of the recipient; it stands, signed, in the unsubscribe link alone.
            to: the recipient's mailbox.
            at: the moment of sending, aware.
        """
        utf8 = not (to.address.isascii() and self.sender.addr_spec.isascii())
        message = EmailMessage(policy.SMTPUTF8 if utf8 else policy.SMTP.clone(cte_type="7bit"))
        name = self._name(customer_id)
        message["From"] = self.sender
        message["To"] = _address(to.name, to.address)
        message["Subject"] = _CONTROL.sub(" ", rendered.subject)
        message["Date"] = at.replace(microsecond=0)
        message["Message-ID"] = f"<{name}@{self.sender.domain}>"
        if not self.is_test:
            message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        message["Feedback-ID"] = f"{self.campaign_id}:{self.shop}:mail:reprise"
        message["Precedence"] = "bulk"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(rendered.text, cte=None if not utf8 else "quoted-printable")
        message.add_alternative(rendered.html, subtype="html", cte=None if not utf8 else "quoted-printable")
        message.set_boundary(f"={name}")
        # written by hand: the standard library would encode a word of this length, which nobody could click on
        wire = self._unsubscribe_header(customer_id) + message.as_bytes()
        return Envelope(self.sender.addr_spec, to.address, wire, utf8)

    def fits(self, customer_id: str) -> bool:
        """Whether the unsubscribe link of a customer is short enough for a header."""
        return len(self._unsubscribe_header(customer_id)) <= LONGEST_LINE + 2

    def _name(self, customer_id: str) -> str:
        """Keyed hash that names the mail, and the customer only to the holder of the secret."""
        named = encode_id(f"{self.shop}\0{self.campaign_id}\0{customer_id}")
        return blake2b(named, key=self.secret.encode()[:64], digest_size=20).hexdigest()

    def _unsubscribe_header(self, customer_id: str) -> bytes:
        if self.is_test:
            return b""
        token = sign(MailLink(self.shop, self.campaign_id, customer_id), self.secret)
        return f"List-Unsubscribe: <{address(self.link_base, token, 'unsubscribe')}>\r\n".encode()


def make_message_builder(
    settings: MailSettings, shop: str, campaign_id: str, sender: str, *, public: bool, is_test: bool = False
) -> MessageBuilder:
    """The message builder of a campaign.

    Args:
        settings: where links lead, and the secret that signs them.
        shop: name of the shop.
        campaign_id: of the campaign.
        sender: `Name <address>`.
        is_test: whether the mails are tests, which need no link to unsubscribe.
        public: whether the mails leave this machine: then providers demand https (RFC 8058, 3.1).

    Raises:
        UsageError: there is no secret, an address is none, or the unsubscribe link would not work.
    """
    secret = settings.secret.get_secret_value() if settings.secret else ""
    if not secret and not is_test:
        raise UsageError(
            "a mail needs a link to unsubscribe, which is signed; set REPRISE_MAIL__SECRET, as for `serve`"
        )
    if not settings.link_base.isascii():
        raise UsageError(f"mail.link_base {settings.link_base} is not ASCII; write its host as xn--…")
    if public and not is_test and not settings.link_base.startswith("https://"):
        raise UsageError(
            f"unsubscribing needs https, and mail.link_base is {settings.link_base}; set REPRISE_MAIL__LINK_BASE"
        )
    name, written = parseaddr(sender)
    checked = check_address(written)
    if checked is None or _CONTROL.search(sender):
        raise UsageError(f"--from {sender!r} is no address; write 'Shop <news@shop.example>'")
    return MessageBuilder(_address(name, checked), shop, campaign_id, settings.link_base, secret, is_test)


def _address(name: str | None, written: str) -> Address:
    local_part, _, domain = written.rpartition("@")
    return Address(_CONTROL.sub(" ", name or ""), local_part, domain)
