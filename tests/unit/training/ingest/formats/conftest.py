from datetime import UTC, datetime

import pytest

from recommender.cli.progress import Progress
from recommender.reading import ReadingOptions
from recommender.settings import Settings
from training.ingest.ingest import PurchaseSource, ingest


@pytest.fixture
def read(tmp_path):
    """Reads a file or folder in a format."""

    def read(path, format_, as_of=datetime(2024, 6, 1, tzinfo=UTC), **settings):
        settings = Settings(home=tmp_path / "home", **settings)
        return ingest(PurchaseSource([path], ReadingOptions(format=format_)), settings, as_of, Progress(show=False))

    return read


@pytest.fixture
def lines():
    """Columns of a ledger as rows."""

    def lines(ingested, *columns):
        return list(ingested.ledger.select(*(columns or ("customer_id", "product_id", "quantity"))).iter_rows())

    return lines
