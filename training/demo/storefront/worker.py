"""The worker process of the demo: the service, whose clock the storefront moves, and the storefront beside it."""

import os
import threading
import time
from datetime import timedelta
from http.client import HTTPConnection, HTTPException

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from api.server.asgi import AsgiApp
from api.server.http_worker import create_worker
from recommender.data_dir import DataDirectory
from recommender.settings import Settings, load_settings
from recommender.words.language import LANGUAGES
from training.demo.sites import storefront_port
from training.demo.storefront.backend import Backend
from training.demo.storefront.catalogue import read_catalogue
from training.demo.storefront.clock import DemoClock
from training.demo.storefront.keys import DemoKeys, DemoStorage
from training.demo.storefront.orders import Orders
from training.demo.storefront.people import find_people
from training.demo.storefront.web.app import create_shop
from training.demo.storefront.web.site import Site
from training.demo.storefront.web.visit import Shop


def create_demo_worker() -> AsgiApp:
    """The service of this process. The storefront answers at the next port from the same moment on.

    Raises:
        SettingsError: as `api.create_app`.
        KeyError: no keys came along: only `python -m storefront` starts it.
    """
    settings, clock, keys = load_settings(), DemoClock(), DemoKeys.from_environment(os.environ)
    worker = create_worker(DemoStorage(settings, keys), clock)
    shop = open_shop(settings, keys, clock)
    # it listens before the service does: who comes in between waits a moment
    where = settings.host, storefront_port(settings)
    server = make_server(*where, create_shop(shop), threaded=True, request_handler=_Quiet)
    threading.Thread(target=_run, args=(server, shop, settings), daemon=True, name="storefront").start()
    return worker


def open_shop(settings: Settings, keys: DemoKeys, clock: DemoClock) -> Shop:
    """The shop over the files that `reprise demo` wrote."""
    folder, address = DataDirectory(settings.home).shop, (settings.host, settings.port)
    english = read_catalogue(folder / "products.csv")
    catalogues = {"fa": english.in_persian()}
    backends = {language: Backend(address, keys.sites[language], clock) for language in keys.sites}
    sites = {
        language: Site(language, catalogues.get(language, english), backends.get(language, backends["en"]))
        for language in LANGUAGES
    }
    people = find_people(folder / "purchases.csv")
    orders = Orders(folder / "orders.json", [(backends[one], sites[one].catalogue) for one in backends])
    return Shop(sites, people, orders, clock, settings.port)


def take_back_earlier_orders(shop: Shop) -> None:
    """Give back what an earlier demo bought, at whichever day its clock stood: the service remembers it."""
    last = shop.orders.last_at
    if last is not None:
        shop.clock.move((last - shop.clock() + timedelta(days=1)).days)
        shop.orders.take_back()
        shop.clock.move(-shop.clock.days_ahead)


def _run(server: BaseWSGIServer, shop: Shop, settings: Settings) -> None:
    while not _answers(settings):
        time.sleep(0.05)
    take_back_earlier_orders(shop)
    server.serve_forever()


def _answers(settings: Settings) -> bool:
    connection = HTTPConnection(settings.host, settings.port, timeout=5)
    try:
        connection.request("GET", "/health/ready")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


class _Quiet(WSGIRequestHandler):
    """Without a line for each request: the service writes those that matter."""

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - the signature is werkzeug's
        """Say nothing."""
