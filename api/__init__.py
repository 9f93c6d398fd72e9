"""The service: read published lists, build a slate under its cap, answer."""

import atexit
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial

from flask import Flask

from api import health, logs, problems
from api.ids import ShopId, fresh_recommendation_id
from api.routes import customers, docs, models, placements, popular, products, recommendations
from api.service import Service
from recommender.connect import open_store
from recommender.settings import Settings, load_settings
from recommender.store import Store

MAX_BODY_BYTES = 1 << 20
_VIEWS = (products, customers, recommendations, popular, placements, models, docs, health)


def create_app(
    settings: Settings | None = None, store: Store | None = None, clock: Callable[[], datetime] | None = None
) -> Flask:
    """The one place of assembly.

    Args:
        settings: None reads the environment and `reprise.toml`.
        store: None opens the store that the settings name; it is closed when the process ends.
        clock: tells the aware moment of an answer; None is the machine's clock.

    Raises:
        SettingsError: a setting is unknown or has a value that cannot be.
    """
    settings = settings or load_settings()
    clock = clock or partial(datetime.now, UTC)
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.url_map.merge_slashes = False  # `a//b` is a product id of its own
    app.url_map.converters["shop_id"] = ShopId
    Service(settings, store or _open(settings), clock, partial(fresh_recommendation_id, clock)).attach(app)
    logs.attach(app, logs.make_logger(settings.log_level))
    problems.attach(app)
    for module in _VIEWS:
        app.register_blueprint(module.blueprint)
    return app


def _open(settings: Settings) -> Store:
    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(open_store(settings))
