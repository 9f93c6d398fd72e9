"""Picks of one mail as JSON, for the service and for `reprise picks --format jsonl`."""

import json
from collections.abc import Collection
from typing import Any

from recommender.campaigns.links import address, link_of, sign
from recommender.settings import MailSettings
from recommender.slate.item_json import Presentation, to_item
from recommender.storage.campaign import Campaign, Picks
from recommender.web_address import web_address


class LinkMaker:
    """Factory of the links in one shop's mails: through the service with a secret, else straight to the shop.

    `hosts` are those that links may lead to; empty for any.
    """

    def __init__(self, settings: MailSettings, shop: str, hosts: Collection[str] = ()) -> None:
        self._base = settings.link_base
        self._secret = settings.secret
        self._shop = shop
        self._hosts = hosts

    def links(self, campaign: Campaign, picks: Picks) -> "Links":
        """The links of the mail with `picks`."""
        if self._secret is None:
            return Links(picks, self._base, None, self._hosts)
        token = sign(link_of(self._shop, campaign.campaign_id, picks), self._secret.get_secret_value())
        return Links(picks, self._base, token, self._hosts)


class Links:
    """The links of one mail; `token` is None where they are not signed."""

    def __init__(self, picks: Picks, base: str, token: str | None, hosts: Collection[str]) -> None:
        self._picks = picks
        self._base = base
        self._token = token
        self._hosts = hosts

    def url(self, slot: int) -> str | None:
        """Address of the product in a slot, from 1; None where the shop gave no web address."""
        return self._through(slot, "click", self._picks.items[slot - 1].product.url)

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
