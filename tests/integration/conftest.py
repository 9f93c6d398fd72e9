"""A made-up shop on disk, and `reprise` with a home of its own."""

from datetime import date
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from recommender.cli.main import exit_code
from recommender.cli.main import reprise as door
from recommender.cli.progress import Progress
from recommender.errors import RepriseError
from recommender.reading import ReadingOptions
from recommender.settings import Settings
from tests.support.commands import Reprise, call_reprise
from tests.support.purchase_files import AS_OF
from training.demo.shop import ShopFiles, make_shop
from training.ingest.ingest import PurchaseSource, ingest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of a file in one process of pytest-xdist: what they share is started once."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.xdist_group(item.path.stem))


@pytest.fixture(scope="session")
def shop_files(tmp_path_factory: pytest.TempPathFactory) -> ShopFiles:
    """Nine months of a small grocery shop: a training on it takes two seconds."""
    folder = tmp_path_factory.mktemp("shop")
    return make_shop(folder, customers=120, products=60, months=9, end=date(2026, 11, 20), seed=0)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A REPRISE_HOME that nobody used yet."""
    return tmp_path / "home"


@pytest.fixture
def reprise(home: Path) -> Reprise:
    """A function that runs `reprise` with the test's own home, in this process."""
    return lambda *arguments, **environment: call_reprise(home, *arguments, environment=environment)


@pytest.fixture
def read(tmp_path):
    """Ingest files with bad rows allowed up to `share`."""

    def read(*paths, share=0.05, products=None, **reading):
        settings = Settings(home=tmp_path / "home", max_bad_rows_share=share)
        return ingest(PurchaseSource(paths, ReadingOptions(**reading), products), settings, AS_OF, Progress(show=False))

    return read


@pytest.fixture
def doctor(tmp_path, monkeypatch):
    """Run `reprise doctor` and return (exit code, output, message of the error)."""
    monkeypatch.setenv("REPRISE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)

    def doctor(*arguments):
        result = CliRunner().invoke(door, ["doctor", *map(str, arguments)])
        error = result.exception
        if error is None or isinstance(error, SystemExit):
            return result.exit_code, result.stdout, ""
        assert isinstance(error, RepriseError | click.ClickException), error
        return exit_code(error), result.stdout, str(error)

    return doctor
