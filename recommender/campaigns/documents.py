"""Picks of one mail as JSON, for the service and for `reprise picks --format jsonl`."""

import json
from collections.abc import Collection
from typing import Any

from recommender.campaigns.links import address, cart_address, link_of, sign, tag
from recommender.settings import MailSettings
from recommender.slate.item_json import Presentation, to_item
from recommender.storage.campaign import Campaign, Picks
from recommender.web_address import web_address


class LinkMaker:
    """Factory of the links in one shop's mails: through the service with a secret, else straight to the shop.

    `hosts` are those that links may lead to; empty for any.
    """

    def __init__(self, settings: MailSettings, shop: str, hosts: Collection[str] = ()) -> None:
        self._settings = settings
        self._shop = shop
        self._hosts = hosts

    def links(self, campaign: Campaign, picks: Picks) -> "Links":
        """The links of the mail with `picks`."""
        secret, token = self._settings.secret, None
        if secret is not None:
            token = sign(link_of(self._shop, campaign.campaign_id, picks), secret.get_secret_value())
        return Links(picks, campaign.campaign_id, token, self._settings, self._hosts)


class Links:
    """The links of one mail; `token` is None where they are not signed."""

    def __init__(
        self, picks: Picks, campaign_id: str, token: str | None, settings: MailSettings, hosts: Collection[str]
    ) -> None:
        self._picks = picks
        self._campaign_id = campaign_id
        self._token = token
        self._settings = settings
        self._base = settings.link_base
        self._hosts = hosts

    def url(self, slot: int) -> str | None:
        """Address of the product in a slot, from 1; None where the shop gave no web address."""
        url = self._through(slot, "click", self._picks.items[slot - 1].product.url)
        return url if url is None or self._token is not None else self._tag(url)

    def order_url(self, slot: int) -> str | None:
        """Address that puts the product in a slot, from 1, into the basket; None where the shop names none."""
        cart_url, product = self._settings.cart_url, self._picks.items[slot - 1].product
        if cart_url is None or web_address(product.url, self._hosts) is None:
            return None
        if self._token is None:
            return self._tag(cart_address(cart_url, product.product_id))
        return address(self._base, self._token, slot, "order")

    def _tag(self, url: str) -> str:
        return tag(url, self._settings.utm_source, self._campaign_id)

    def image_url(self, slot: int) -> str | None:
        """Address of the image of the product in a slot, from 1; None where the shop gave no web address."""
        return self._through(slot, "image", self._picks.items[slot - 1].product.image_url)

    @property
    def unsubscribe_url(self) -> str | None:
        """Address to unsubscribe at; None where links are not signed."""
        return None if self._token is None else address(self._base, self._token, "unsubscribe")

    def _through(self, slot: int, action: str, target: str | None) -> str | None:
        target = web_address(target, self._hosts)
        return target if target is None or self._token is None else address(self._base, self._token, slot, action)


def to_document(campaign: Campaign, picks: Picks, links: Links, told: Presentation) -> dict[str, Any]:
    """Picks in plain JSON types: `link` and `image_link` go into the mail, `product` is as the shop described it."""
    items = [
        to_item(item, told) | {"link": links.url(slot), "image_link": links.image_url(slot)}
        for slot, item in enumerate(picks.items, start=1)
    ]
    return {
        "campaign_id": campaign.campaign_id,
        "customer_id": picks.customer_id,
        "variant": picks.variant,
        "items": items,
        "spares": list(picks.spares),
        "unsubscribe_url": links.unsubscribe_url,
    }


def to_line(campaign: Campaign, picks: Picks, links: Links, told: Presentation) -> bytes:
    """`to_document` as one line of JSON with its line end; the same picks give the same bytes."""
    text = json.dumps(to_document(campaign, picks, links, told), ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "backslashreplace") + b"\n"
