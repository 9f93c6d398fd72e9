"""HTTP service of published lists: plan, read, build a slate under its cap, answer."""

import atexit
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from typing import TextIO

from flask import Flask

from api.background.event_sink import EventSink
from api.background.impressions import MOST_IMPRESSIONS_PER_S
from api.background.restoration import Restoration
from api.console import routes as console
from api.ids import ShopId, fresh_recommendation_id
from api.routes import (
    batch,
    campaigns,
    customers,
    docs,
    events,
    mails,
    models,
    operations,
    placements,
    products,
    recommendations,
    unsubscribe,
)
from api.security import auth
from api.security.rate_limits import RateLimits
from api.serving.fast_path import FastPath
from api.serving.list_routes import Lists
from api.serving.mail_links import MailLinks
from api.serving.service import Service
from api.serving.tenants import Tenants
from api.telemetry import logs
from api.telemetry.metrics import start_at_zero
from api.telemetry.shop_figures import FiguresReader
from api.telemetry.tracing import trace
from api.web import access_log, body_limits, problems
from api.widget import routes as widget
from recommender.data_dir import DataDirectory
from recommender.redis.open import open_storage
from recommender.settings import Settings, load_settings
from recommender.storage.api_keys import KeyKind
from recommender.storage.shops import ShopStorage

_VIEWS = (
    products,
    customers,
    recommendations,
    batch,
    events,
    campaigns,
    placements,
    models,
    mails,
    unsubscribe,
    docs,
    widget,
    console,
    operations,
)


def create_app(
    settings: Settings | None = None,
    storage: ShopStorage | None = None,
    clock: Callable[[], datetime] | None = None,
    log: TextIO | None = None,
) -> Flask:
    """The Flask application, assembled from the settings.

    Args:
        settings: None reads the environment and the settings file.
        storage: of all shops; None opens the one that the settings name, and closes it when the process ends.
        clock: gives the aware moment of an answer; None is the machine's clock.
        log: stream of the log lines; None is standard error.

    Raises:
        SettingsError: a setting is unknown or has a value that cannot be.
    """
    settings = settings or load_settings()
    clock = clock or partial(datetime.now, UTC)
    app = Flask(__name__, static_folder=None)
    app.url_map.merge_slashes = False  # `a//b` is a product id of its own
    app.url_map.converters["shop_id"] = ShopId
    logger = logs.make_logger(settings.log_level, log)
    rates: dict[KeyKind, float] = {"secret": settings.secret_rate_per_s, "publishable": settings.publishable_rate_per_s}
    opened = storage or _open(settings)
    home = DataDirectory(settings.home) if storage is None else None
    keys_made, restoration = (home.keys_made, Restoration(opened, home, logger)) if home else (None, None)
    figures = FiguresReader(opened, settings.shop)
    shops = Tenants(
        opened,
        logger,
        RateLimits(rates),
        settings.placements,
        keys_made,
        restoration=restoration,
        figures=figures,
    )
    sink = partial(EventSink, storage=shops.storage, bound=settings.max_waiting_events, logger=logger)
    impressions = None
    if settings.log_impressions:  # anybody may ask in the name of a new session: they leave room for what a shop tells
        sparing = partial(
            sink, bound=settings.max_waiting_events // 2, most_per_s=MOST_IMPRESSIONS_PER_S, sender="service"
        )
        impressions = sparing("impressions", most_waiting=1_000)
    new_id = partial(fresh_recommendation_id, clock)
    service = Service(settings, shops, clock, new_id, impressions)
    service.attach(app)
    MailLinks(service, sink("mail_events", most_waiting=10_000, at_once=200)).attach(app)
    start_at_zero(settings.placements)
    access_log.attach(app, logger)
    body_limits.attach(app)
    ttl_s = settings.customer_token_ttl_s
    auth.attach(app, auth.Guard(lambda: shops.api_keys, shops.rate_limits, settings.shop, ttl_s, clock))
    problems.attach(app)
    for module in _VIEWS:
        app.register_blueprint(module.blueprint)
    app.wsgi_app = trace(FastPath(app.wsgi_app, service, Lists(app), partial(access_log.log, app)))  # type: ignore[method-assign,assignment]
    return app


def _open(settings: Settings) -> ShopStorage:
    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(open_storage(settings))
