"""The alert rules send nobody to what is not there."""

import io
import json
import re
from functools import partial
from pathlib import Path

import yaml

from api import create_app
from api.security.permissions import Permission, accessible
from api.telemetry.logs import make_logger
from recommender.errors import StoreError
from recommender.settings import Settings
from tests.fakes.shops import MemoryShopStorage
from tests.support.keyed_shop import add_key, bearer

RULES = Path(__file__).parents[4] / "api" / "monitoring" / "alerts.yml"


def test_they_point_to_fields_that_log_lines_have(app):
    stream = io.StringIO()
    app.extensions["reprise_log"] = make_logger("info", stream)
    app.config["PROPAGATE_EXCEPTIONS"] = False
    errors = {"/bug": ZeroDivisionError(), "/store": StoreError("gone")}
    for path, error in errors.items():
        app.add_url_rule(path, path, accessible(Permission.OPEN)(partial(_fail, error)))
    for path in errors:
        app.test_client().get(path)
    storage = MemoryShopStorage()
    key, limited = add_key(storage, "read"), create_app(Settings(secret_rate_per_s=0.001), storage, log=stream)
    for _ in range(2):
        limited.test_client().get("/v1/popular", headers=bearer(key))
    fields = {field for line in stream.getvalue().splitlines() for field in json.loads(line)}
    rules = yaml.safe_load(RULES.read_text())["groups"][0]["rules"]
    named = {word for rule in rules for word in re.findall(r"`(\w+)`", rule["annotations"]["action"])}
    assert len(named) >= 5
    assert named <= fields


def _fail(error):
    raise error
