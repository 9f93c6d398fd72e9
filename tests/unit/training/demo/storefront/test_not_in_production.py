"""Nothing of the demo's shop answers in a service that `reprise serve` starts."""

from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from api import create_app
from recommender.settings import Settings
from tests.fakes.shops import MemoryShopStorage
from tests.support import small_shop
from training.demo.storefront.keys import DemoKeys
from training.demo.storefront.web.app import create_shop

ROOT = Path(__file__).parents[5]
EXAMPLES = {"slug": "milk", "category": "Dairy", "filename": "shop.css"}


def paths_of(app: Flask) -> set[str]:
    """A path of each route but the first page, which every service has."""
    routes = app.url_map.bind("localhost")
    rules = [(rule.endpoint, {name: EXAMPLES[name] for name in rule.arguments}) for rule in app.url_map.iter_rules()]
    return {routes.build(endpoint, values) for endpoint, values in rules} - {"/"}


def test_a_service_has_none_of_its_routes(monkeypatch: pytest.MonkeyPatch) -> None:
    shop: Any = None
    paths = paths_of(create_shop(shop))
    assert len(paths) >= 12
    for name, value in DemoKeys.make("default", [], small_shop.NOW).to_environment().items():
        monkeypatch.setenv(name, value)
    storage = MemoryShopStorage()
    service = create_app(Settings(log_level="error"), storage)
    for path in paths:
        assert service.test_client().get(path).status_code == 404, path
        assert service.test_client().post(path).status_code == 404, path
    assert b"Larder" not in service.test_client().get("/").data
    assert storage.api_keys() == {}


def test_nothing_but_the_demo_knows_of_it() -> None:
    """Its clock reaches a service as an argument; no setting, header or route names it."""
    assert [name for name in Settings.model_fields if "clock" in name or "storefront" in name] == []
    files = [path for package in ("api", "recommender", "training") for path in (ROOT / package).rglob("*.py")]
    named = {str(path.relative_to(ROOT)) for path in files if "storefront" in path.read_text()}
    others = {path for path in named if not path.startswith("training/demo/storefront/")}
    assert others == {"training/commands/model/demo.py", "training/demo/sites.py"}
