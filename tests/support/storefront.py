"""The demo's storefront over the small shop, beside a service that answers over HTTP: all in this process."""

import json
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from flask import Flask
from werkzeug.serving import BaseWSGIServer

from api import create_app
from recommender.settings import Settings
from recommender.words.language import LANGUAGES
from tests.fakes.shops import MemoryShopStorage
from tests.support import small_shop
from tests.support.wsgi_server import listen
from training.demo.storefront.backend import Backend
from training.demo.storefront.catalogue import Catalogue, Product
from training.demo.storefront.clock import DemoClock
from training.demo.storefront.keys import DemoKeys
from training.demo.storefront.orders import Orders
from training.demo.storefront.people import History, Line
from training.demo.storefront.web.app import create_shop
from training.demo.storefront.web.site import Site
from training.demo.storefront.web.visit import Shop

HOST = "127.0.0.1"


@dataclass
class Storefront:
    """A storefront, its address in a browser, and the service that it asks."""

    app: Flask
    shop: Shop
    address: str
    storage: MemoryShopStorage
    service: BaseWSGIServer

    def events(self, *types: str) -> list[dict[str, object]]:
        """What the service was told since this was asked last, of some types or of all."""
        queue = self.storage.event_log("default").queue
        entries = queue.take("test")
        queue.settle([entry.entry_id for entry in entries])
        told = [json.loads(entry.wire) for entry in entries]
        return [one for one in told if not types or one["event_type"] in types]


def catalogue() -> Catalogue:
    """The products of the small shop, each with a price; the KETTLE is sold out in the shop, OLD everywhere."""
    return Catalogue(
        Product(
            one.product_id,
            one.title or one.product_id,
            one.category or "Other",
            one.price or "2.00",
            "EUR",
            one.in_stock,
        )
        for one in small_shop.PRODUCTS
    )


def open_storefront(folder: Path, until_the_end: ExitStack) -> Storefront:
    """A storefront in English and Persian; ANNA of the small shop is its weekly buyer. It is 2026-11-20."""
    clock, storage = DemoClock(lambda: small_shop.NOW), MemoryShopStorage()
    shop_server = listen(None, until_the_end, HOST)
    address = f"http://{HOST}:{shop_server.server_port}"
    keys = DemoKeys.make("default", [address], small_shop.NOW)
    for key in keys.records:
        storage.add_api_key(key)
        store = storage.store(key.shop)
        if store.current() is None:
            store.publish(small_shop.publication(), keep=1)
    service = listen(create_app(Settings(log_level="error"), storage, clock), until_the_end, HOST)
    backends = {language: Backend((HOST, service.server_port), keys.sites[language], clock) for language in keys.sites}
    english = catalogue()
    sites = {language: Site(language, english, backends.get(language, backends["en"])) for language in LANGUAGES}
    sites["fa"] = replace(sites["fa"], catalogue=english.in_persian())
    day = clock().date()
    anna = History("ANNA", [Line(day - timedelta(days=6), "MILK"), Line(day - timedelta(days=1), "BREAD")], day)
    orders = Orders(folder / "orders.json", [(backends[one], sites[one].catalogue) for one in backends])
    shop = Shop(sites, {"weekly": anna}, orders, clock, service.server_port)
    shop_server.app = create_shop(shop)
    return Storefront(shop_server.app, shop, address, storage, service)
