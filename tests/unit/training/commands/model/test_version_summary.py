"""How a training ended is known to the service, whose metrics tell it."""

from contextlib import contextmanager
from dataclasses import replace

import pytest

from recommender.cli.progress import Progress
from recommender.errors import GateRefusedError, StoreUnavailableError
from recommender.publication.manifest import Publication
from recommender.settings import Settings
from tests.fakes.shops import MemoryShopStorage
from tests.support import small_shop
from training.commands.model import version_summary
from training.commands.model.version_summary import publish_and_tell
from training.job import JobContext

NOW_S = small_shop.NOW.timestamp()


@pytest.fixture
def storage(monkeypatch) -> MemoryShopStorage:
    """The storage that is published to."""
    storage = MemoryShopStorage()

    @contextmanager
    def opened(_: Settings):
        yield storage

    monkeypatch.setattr(version_summary, "open_storage", opened)
    return storage


@pytest.fixture
def context() -> JobContext:
    return JobContext(small_shop.NOW, Settings(shop="corner"), Progress(show=False))


def judged(verdict: str) -> Publication:
    publication = small_shop.publication()
    return replace(publication, manifest=replace(publication.manifest, gate={"verdict": verdict, "reasons": ["odd"]}))


def test_a_version_that_is_published_is_noted(storage, context):
    publish_and_tell(judged("passed"), context, as_json=True)
    assert storage.store("corner").current() == small_shop.VERSION
    assert storage.figures("corner").trainings == {"published": NOW_S, "refused": 0}


def test_so_is_one_that_the_gate_refused(storage, context):
    with pytest.raises(GateRefusedError):
        publish_and_tell(judged("refused"), context, as_json=True)
    assert storage.store("corner").current() is None
    assert storage.figures("corner").trainings == {"published": 0, "refused": NOW_S}


def test_that_it_cannot_be_noted_undoes_no_publish(storage, context, monkeypatch, capsys):
    def fail(*_: object) -> None:
        raise StoreUnavailableError("Redis does not answer")

    monkeypatch.setattr(storage, "note_training", fail)
    publish_and_tell(judged("passed"), context, as_json=False)
    assert storage.store("corner").current() == small_shop.VERSION
    assert "it answers from now on" in capsys.readouterr().out
