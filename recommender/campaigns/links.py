"""Signed links of a mail: the token holds customer, campaign and products, and cannot be forged without the secret."""

from functools import lru_cache
from typing import NamedTuple
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from itsdangerous import BadData, URLSafeSerializer

from recommender.errors import ForgedLinkError
from recommender.person import encode_id
from recommender.storage.campaign import Picks

SALT = "reprise.mail-link"
NOT_OURS = "this link is not one of ours, or it was cut short; open it from the mail"
"""Message of every ForgedLinkError; it does not tell what is wrong."""
LONGEST_TOKEN = 1_500
"""Characters: what mail programs, proxies and servers still take as part of an address. Spares are left out for it."""


class MailLink(NamedTuple):
    """Content of the links of one mail.

    Attributes:
        shop: of the mail.
        campaign_id: of the mail.
        customer_id: whom the mail was sent to.
        product_ids: the picks by slot, then spares for slots whose product is gone when the mail is opened.
        slots: how many of `product_ids` are picks.
    """

    shop: str
    campaign_id: str
    customer_id: str
    product_ids: tuple[str, ...] = ()
    slots: int = 0


def link_of(shop: str, campaign_id: str, picks: Picks) -> MailLink:
    """The content of the links of the mail with `picks`."""
    shown = [item.product.product_id for item in picks.items]
    return MailLink(shop, campaign_id, picks.customer_id, (*shown, *picks.spares), len(shown))


def sign(link: MailLink, secret: str) -> str:
    """The signed token of a link, the same for the same link: base64url, dots, dashes and underscores.

    Where it would be longer than LONGEST_TOKEN the last spares are left out, as many as it takes.
    """
    for n_ids in range(len(link.product_ids), link.slots, -1):
        token = _dump(link, n_ids, secret)
        if len(token) <= LONGEST_TOKEN:
            return token
    return _dump(link, link.slots, secret)


def read_link(token: str, secret: str) -> MailLink:
    """The link of a token that `sign` made.

    Raises:
        ForgedLinkError: it was not signed with `secret`.
    """
    try:
        shop, campaign_id, customer_id, product_ids, slots = _serializer(secret).loads(token)
    except (BadData, ValueError, TypeError):
        raise ForgedLinkError(NOT_OURS) from None
    return MailLink(shop, campaign_id, customer_id, tuple(product_ids), slots)


def address(base: str, token: str, *path: str | int) -> str:
    """The address of a link in a mail: `address(base, token, 1, "click")`, `address(base, token, "unsubscribe")`."""
    return "/".join([base.rstrip("/"), "v1/m", token, *map(str, path)])


def tag(url: str, source: str | None, campaign_id: str) -> str:
    """An address of the shop with what its statistics know a campaign by; what it has already stays.

    Args:
        url: http or https.
        source: the `utm_source`; None adds nothing.
        campaign_id: the `utm_campaign`.
    """
    if source is None:
        return url
    parts = urlsplit(url)
    known = {name for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
    utm = {"utm_source": source, "utm_medium": "email", "utm_campaign": campaign_id}
    added = urlencode({name: value for name, value in utm.items() if name not in known})
    return urlunsplit(parts._replace(query="&".join(filter(None, (parts.query, added)))))


def cart_address(cart_url: str, product_id: str) -> str:
    """The address that puts a product into the basket; `cart_url` has `{product_id}` where the id goes."""
    return cart_url.replace("{product_id}", quote(encode_id(product_id), safe=""))


def _dump(link: MailLink, n_ids: int, secret: str) -> str:
    return str(_serializer(secret).dumps([*link[:3], link.product_ids[:n_ids], link.slots]))


@lru_cache(maxsize=8)
def _serializer(secret: str) -> URLSafeSerializer:
    return URLSafeSerializer(secret, SALT, serializer_kwargs={"ensure_ascii": True})  # an id may be no UTF-8
