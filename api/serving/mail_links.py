"""What the links of a mail lead to at the moment when they are opened."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import cast

from flask import Flask, current_app

from api.background.event_sink import EventSink
from api.serving.service import Service, service
from recommender.campaigns.links import MailLink, read_link
from recommender.catalogue.catalogue import Catalogue, decode_product, entry_bytes
from recommender.errors import NoMailSecretError, StoreUnavailableError
from recommender.person import encode_id
from recommender.publication.product import Objection, Product
from recommender.slate.merchandising import blocks_at, is_blocked
from recommender.slate.placements import Block
from recommender.storage.cache import ListCache
from recommender.storage.lru import LruCache
from recommender.web_address import web_address

PLACEMENT = "email"
"""What it blocks is not shown by a link either."""
MAX_PRODUCT_BYTES = 4 << 20
"""About 5,000 products of all shops."""
_EXTENSION = "reprise_mail_links"


class MailLinks:
    """The products behind the links of mails, each asked for once a version. Safe to share between threads.

    Args:
        service: gives the caches of the shops.
        events: keeps what readers did.
    """

    def __init__(self, service: Service, events: EventSink) -> None:
        self.events = events
        self._service = service
        self._products = _MailProducts()

    def attach(self, app: Flask) -> None:
        """Make `mail_links()` find this one while `app` answers."""
        app.extensions[_EXTENSION] = self

    def find(self, link: MailLink, slot: int) -> Product | None:
        """What `slot`, from 1, shows now; None where it can show nothing. At most one round trip.

        Raises:
            StoreUnavailableError: Redis does not answer, and the product of the slot is not in memory.
        """
        builder = self._service.builder(link.shop, None)
        placement = builder.state.placements.get(PLACEMENT)
        blocks = blocks_at(placement.blocks, builder.as_of) if placement else []
        known = self._products.find(builder.cache, link.shop, link.product_ids)
        if link.product_ids[slot - 1] not in known:
            raise StoreUnavailableError("Redis does not answer, and the product of this link was not read before")
        hosts = self._service.settings.link_hosts
        led_to = {one: _within(product, hosts) for one, product in known.items()}
        return shown_in(link, slot, led_to, blocks, builder.as_of.timestamp())


def mail_links() -> MailLinks:
    """Those of the app that is answering."""
    return cast(MailLinks, current_app.extensions[_EXTENSION])


def read_signed(signed: str) -> MailLink:
    """The content of a link to the service that is answering.

    Raises:
        ForgedLinkError: it was signed with another secret, or not at all.
        NoMailSecretError: this server has no secret to tell by.
    """
    secret = service().settings.mail.secret
    if secret is None:
        raise NoMailSecretError(
            "this server has no mail secret, so it can read no link of a mail; give it the REPRISE_MAIL__SECRET "
            "that mails are made with"
        )
    return read_link(signed, secret.get_secret_value())


def shown_in(
    link: MailLink, slot: int, products: Mapping[str, Product | None], blocks: Sequence[Block], now: float
) -> Product | None:
    """What one slot of a mail shows.

    Its own product while that is offered; else the first spare that is offered and that no slot before it took. Where
    all spares are taken, its own product even if it is sold out: its page can say more than none.

    Args:
        link: the picks and the spares.
        slot: from 1, at most `link.slots`.
        products: by id, those that are known.
        blocks: of the placement, those that hold now.
        now: seconds since 1970.
    """
    picks = link.product_ids[: link.slots]
    wanted = [products.get(one) for one in link.product_ids[link.slots :] if one not in picks]
    spares = iter([one for one in wanted if one is not None and _objection(one, blocks, now) is None])
    found = None
    for product_id in picks[:slot]:
        own = products.get(product_id)
        found = own if own is not None and _objection(own, blocks, now) is None else next(spares, None)
    own = products.get(picks[slot - 1])
    return found or (own if own is not None and _objection(own, blocks, now) != "blocked" else None)


def _within(product: Product | None, hosts: Collection[str]) -> Product | None:
    """The product, without an address that leads out of `hosts`."""
    if product is None or web_address(product.url, hosts) == product.url:
        return product
    return replace(product, url=None)


def _objection(product: Product, blocks: Sequence[Block], now: float) -> Objection | None:
    """Why a link may not lead to a product; one without an address, or that the placement blocks, is blocked."""
    if web_address(product.url) is None or is_blocked(product, blocks):
        return "blocked"
    return product.objection(now)


class _MailProducts:
    """Products by id: asked for once a version, and the last copies while Redis does not answer."""

    def __init__(self) -> None:
        self._memory = LruCache(MAX_PRODUCT_BYTES)
        """(shop, product id) → (version, JSON; None for one that the version does not know)."""

    def find(self, cache: ListCache, shop: str, product_ids: Sequence[str]) -> dict[str, Product | None]:
        """As known to the version that answers, or to the shop since; None for what neither knows.

        While Redis does not answer, those in memory; the others are left out.
        """
        state = cache.state
        position, recent = state.position, state.catalogue or state.before
        kept = {one: self._memory.get((shop, one)) for one in product_ids}
        texts = {one: entry[1] for one, entry in kept.items() if entry and entry[0] == position.version}
        missing = [one for one in product_ids if one not in texts]
        if missing:
            stale = {one: entry[1] for one in missing if (entry := kept[one]) and entry[1] is not None}
            texts |= self._read(cache, shop, missing, position.version) or stale | _scan(recent, missing)
        live = position.overrides
        known = {one: decode_product(text) for one, text in texts.items()}
        return {one: live.new_product(one) if found is None else live.apply_to(found) for one, found in known.items()}

    def _read(
        self, cache: ListCache, shop: str, missing: Sequence[str], version: str | None
    ) -> dict[str, bytes | None] | None:
        """None while Redis does not answer."""
        if not cache.answering:
            return None
        if version is None:
            return dict.fromkeys(missing)
        try:
            found = cache.store.find_products(version, missing)
        except StoreUnavailableError:
            cache.answering = False
            return None
        for one in missing:
            self._memory.keep((shop, one), (version, found.get(one)), entry_bytes(found.get(one)))
        return {one: found.get(one) for one in missing}


def _scan(catalogue: Catalogue | None, product_ids: Collection[str]) -> dict[str, bytes]:
    """The JSON of products in a catalogue that only knows them by index: milliseconds, only while Redis is down."""
    starts = {encode_id(f'{{"product_id":{json.dumps(one, ensure_ascii=False)}'): one for one in product_ids}
    wanted = tuple(starts)
    found = [text for text in (catalogue.texts if catalogue else {}).values() if text.startswith(wanted)]
    return {one: text for text in found for start, one in starts.items() if text.startswith(start)}
