"""The alert rules send nobody to what is not there."""

import io
import json
import re
from functools import partial
from pathlib import Path

import yaml

from api.security.permissions import Permission, accessible
from api.telemetry.logs import make_logger
from recommender.errors import StoreError

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
    fields = {field for line in stream.getvalue().splitlines() for field in json.loads(line)}
    rules = yaml.safe_load(RULES.read_text())["groups"][0]["rules"]
    named = {word for rule in rules for word in re.findall(r"`(\w+)`", rule["annotations"]["action"])}
    assert len(named) >= 5
    assert named <= fields


def _fail(error):
    raise error
