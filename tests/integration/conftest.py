"""A made-up shop on disk, and `reprise` with a home of its own."""

from datetime import date
from pathlib import Path

import pytest

from tests.commands import Reprise, run_reprise
from training.shop import ShopFiles, make_shop


@pytest.fixture(scope="session")
def shop_files(tmp_path_factory: pytest.TempPathFactory) -> ShopFiles:
    """A year of a small grocery shop."""
    folder = tmp_path_factory.mktemp("shop")
    return make_shop(folder, customers=300, products=120, months=12, end=date(2026, 11, 20), seed=0)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A REPRISE_HOME that nobody used yet."""
    return tmp_path / "home"


@pytest.fixture
def reprise(home: Path) -> Reprise:
    """A function that runs `reprise` with the test's own home."""
    return lambda *arguments, **environment: run_reprise(home, *arguments, environment=environment)
