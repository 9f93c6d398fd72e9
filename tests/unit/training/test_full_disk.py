"""Every writer of files on a disk without room: a HomeError with the remedy, and what was there before."""

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl
import pytest

import recommender
import training
from recommender.campaigns.documents import LinkMaker
from recommender.campaigns.mail.render import Renderer
from recommender.data_dir import DataDirectory, training_lock
from recommender.errors import HomeError
from recommender.settings import MailSettings
from tests.support.campaigns import CampaignShop, Customer, make_version
from tests.support.event_files import batch, event
from tests.support.full_disk import full_disk
from tests.support.mail_samples import TOLD
from training.artifacts import save
from training.campaigns.mail.addresses import open_addresses
from training.campaigns.mail.outbox import open_outbox
from training.campaigns.picks.file_formats import Csv, Html, Jsonl, Parquet
from training.campaigns.picks.flat_rows import FlatRows
from training.campaigns.picks.parts import PickCounts, parts_of
from training.demo.shop import make_shop
from training.events.archive import Archive
from training.frame_files import write_frame
from training.quarantine import write_quarantine

Write = Callable[[], object]
FORMATS = ("csv", "jsonl", "parquet", "html")


@pytest.fixture(params=[0, 100], ids=["at once", "midway"])
def room(request) -> int:
    return request.param


def files(folder: Path) -> dict[Path, bytes]:
    """What is there, apart from empty files (locks), files of SQLite, and mails beside a part that is not whole."""
    found = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return {
        path: held for path, held in found.items() if held and "mails" not in path.parts and ".sqlite" not in path.name
    }


def assert_told(write: Write, folder: Path, room: int) -> None:
    before = files(folder)
    with (
        full_disk(room),
        pytest.raises(HomeError, match=r"cannot (write|keep) .*(File too large|full|disk I/O).*free the disk"),
    ):
        write()
    assert files(folder) == before


@pytest.mark.parametrize("what", ["write", "join_small_files", "forget"])
def test_archive(tmp_path, what, room):
    archive = Archive(tmp_path, "default")
    for number in range(3):
        archive.write(batch([event(f"a{number}"), event(f"b{number}", "BEN")], first=10 * number))
    calls: dict[str, Write] = {
        "write": lambda: archive.write(batch([event("new")], first=1_000)),
        "join_small_files": lambda: archive.join_small_files(most=1),
        "forget": lambda: archive.forget(["BEN"]),
    }
    assert_told(calls[what], tmp_path, room)
    assert len(archive.read()) == 6


def test_a_version(tmp_path, make_publication, room):
    publication = make_publication("v1", {"popular": {"": [0, 1, 2]}}, n_products=3)
    save(publication, DataDirectory(tmp_path))
    assert_told(lambda: save(publication, DataDirectory(tmp_path)), tmp_path, room)


def test_the_quarantine(tmp_path, room):
    path = tmp_path / "bad.csv"
    write_quarantine(path, pl.DataFrame({"reason": ["no date"]}))
    assert_told(lambda: write_quarantine(path, pl.DataFrame({"reason": ["x" * 1_000]})), tmp_path, room)


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
def test_frames(tmp_path, suffix, room):
    frame, path = pl.DataFrame({"a": range(1_000)}), tmp_path / f"out.{suffix}"
    path.write_bytes(b"old")

    def write() -> None:
        with write_frame(path) as file:
            frame.write_parquet(file) if suffix == "parquet" else frame.write_csv(file)

    assert_told(write, tmp_path, room)


def test_the_made_up_shop(tmp_path, room):
    assert_told(lambda: make_shop(tmp_path, customers=20, end=date(2026, 11, 20), seed=1), tmp_path, room)


@pytest.mark.parametrize("what", ["write", "join"])
@pytest.mark.parametrize("name", FORMATS)
def test_picks(tmp_path, name, what, room):
    shop = CampaignShop(make_version({"ANNA": Customer(discover={"BREAD": 0.25})}, ["BREAD"]))
    campaign = shop.begin("c", slots=2)
    mail = MailSettings()
    picks = [outcome.picks for outcome in shop.outcomes(campaign).values()]
    links = LinkMaker(mail, "tea")
    format_ = {
        "csv": Csv(FlatRows(campaign, 2, links, TOLD)),
        "jsonl": Jsonl(campaign, links, TOLD),
        "parquet": Parquet(FlatRows(campaign, 2, links, TOLD)),
        "html": Html(campaign, Renderer(mail, "tea")),
    }[name]
    part = tmp_path / "parts" / "0.part"
    if what == "join":
        format_.write(picks, part)
        assert_told(lambda: format_.join([part], tmp_path / "out"), tmp_path, min(room, 10))
    else:
        assert_told(lambda: format_.write(picks, part), tmp_path, min(room, 10))


def test_marks_of_parts(tmp_path, room):
    parts = parts_of(tmp_path / "out.csv", range(3), 3)
    with parts.locked():
        assert_told(lambda: parts.commit(0, PickCounts(without={"x" * 100: 1})), tmp_path, room)
        assert_told(lambda: parts.settle({"campaign": "c" * 100}, set()), tmp_path, room)


def test_the_address_book(tmp_path):
    book = tmp_path / "addresses.csv"
    book.write_text("customer_id,email\n" + "".join(f"C{n},c{n}@mail.example\n" for n in range(3)))

    def read() -> None:
        with open_addresses(book, tmp_path / "outbox"):
            pytest.fail("nothing was written")

    assert_told(read, tmp_path, 0)


def test_the_outbox(tmp_path, room):
    def write() -> None:
        with open_outbox(tmp_path / "c.sqlite") as outbox:
            outbox.claim(0, [f"C{number}" for number in range(1_000)])

    assert_told(write, tmp_path, room)


def test_the_lock_of_trainings(tmp_path):
    def lock() -> None:
        with training_lock(DataDirectory(tmp_path)):
            pytest.fail("the lock was written")

    assert_told(lock, tmp_path, 0)


def test_polars_writes_through_write_frame_alone():
    writes = re.compile(r"\.(write_parquet|write_ipc|write_ndjson|sink_\w+)\(|\.write_csv\(\w")
    roots = [Path(package.__file__ or "").parent for package in (recommender, training)]
    writers = [path for root in roots for path in root.rglob("*.py") if writes.search(path.read_text())]
    assert len(writers) >= 5
    assert [path for path in writers if "write_frame(" not in path.read_text()] == []
