"""Links of a mail, signed: they say who was written to and which products were picked, and nobody can make one up."""

from typing import NamedTuple

from itsdangerous import BadData, URLSafeSerializer

from recommender.errors import ForgedLinkError

SALT = "reprise.mail-link"


class MailLink(NamedTuple):
    """What the links of one mail stand for.

    Attributes:
        shop: whose mail it is.
        campaign_id: which.
        customer_id: to whom.
        product_ids: the picks by slot, then spares for slots whose product is gone when the mail is opened.
    """

    shop: str
    campaign_id: str
    customer_id: str
    product_ids: tuple[str, ...]


def sign(link: MailLink, secret: str) -> str:
    """Text for an address: base64url, dots, dashes and underscores. The same link gives the same text."""
    return str(URLSafeSerializer(secret, SALT).dumps([*link[:3], list(link.product_ids)]))


def read_link(token: str, secret: str) -> MailLink:
    """The inverse of `sign`.

    Raises:
        ForgedLinkError: it was not signed with `secret`.
    """
    try:
        shop, campaign_id, customer_id, product_ids = URLSafeSerializer(secret, SALT).loads(token)
    except (BadData, ValueError, TypeError):
        raise ForgedLinkError("this link is not one of ours, or it was cut short; open it from the mail") from None
    return MailLink(shop, campaign_id, customer_id, tuple(product_ids))
