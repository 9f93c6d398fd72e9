"""What Redis has lost is written back in the background."""

import io
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from api.background.restoration import Restoration
from api.telemetry.logs import make_logger
from recommender.data_dir import DataDirectory
from recommender.errors import StoreUnavailableError
from recommender.person import digest_of_person
from recommender.suppression_list import Suppression, SuppressionList
from tests.fakes.contacts import MemoryContacts
from tests.fakes.shops import MemoryShopStorage

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)


class Restarted(MemoryShopStorage):
    """Loses all of a shop where it starts anew."""

    failure: Exception | None = None
    process = 1

    def restart(self) -> None:
        self.process += 1
        self._stores.clear()

    def contacts(self, shop: str) -> MemoryContacts:
        if self.failure is not None:
            raise self.failure
        contacts = super().contacts(shop)
        contacts.server = lambda: str(self.process)  # type: ignore[method-assign]
        return contacts

    def unsubscribed(self, shop: str) -> bool:
        return self.contacts(shop).standings(["ANN"])[0].unsubscribed


@pytest.fixture
def storage() -> Restarted:
    return Restarted()


@pytest.fixture
def home(tmp_path: Path) -> DataDirectory:
    home = DataDirectory(tmp_path)
    for shop in ("coffee", "tea"):
        ann = Suppression(digest_of_person("ANN", None), "unsubscribe", 7)
        SuppressionList(home.suppressions(shop)).add([ann])
    return home


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def restoration(storage: Restarted, home: DataDirectory, stream: io.StringIO) -> Restoration:
    return Restoration(storage, home, make_logger("info", stream))


def told(stream: io.StringIO) -> list[tuple[str, str]]:
    return [(line["event"], line["subject"]) for line in map(json.loads, stream.getvalue().splitlines())]


def test_every_shop_of_the_home_is_restored_once_and_again_on_another_server(restoration, storage, stream):
    for _ in range(2):
        restoration.look()
        assert [storage.unsubscribed(shop) for shop in ("coffee", "tea")] == [True, True]
    storage.restart()
    assert not storage.unsubscribed("tea")
    restoration.look()
    assert [storage.unsubscribed(shop) for shop in ("coffee", "tea")] == [True, True]
    assert told(stream) == [("suppressions_restored", "coffee"), ("suppressions_restored", "tea")] * 2


@pytest.mark.parametrize("failure", [StoreUnavailableError("Redis is down"), RuntimeError("a bug of ANN")])
def test_a_failure_is_told_once_and_the_next_look_tries_again(restoration, storage, stream, failure):
    storage.failure = failure
    for _ in range(3):
        restoration.look()
    assert told(stream) == [("suppressions_not_restored", "(suppressions)")]
    assert "ANN" not in stream.getvalue()
    storage.failure = None
    restoration.look()
    assert storage.unsubscribed("coffee")


def test_a_home_that_cannot_be_written_is_told_at_the_start(restoration, home, stream, monkeypatch):
    monkeypatch.setattr("os.access", lambda *_: False)
    monkeypatch.setattr(restoration, "_work", lambda: None)
    restoration.start()
    assert told(stream) == [("suppressions_not_remembered", "(suppressions)")] * 2
    assert all(str(home.suppressions(shop)) in stream.getvalue() for shop in ("coffee", "tea"))
