"""Data directory (REPRISE_HOME): its paths, atomic writes of its files, and the lock of trainings."""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from recommender.errors import BusyError, HomeError


@dataclass(frozen=True)
class DataDirectory:
    """Paths under one REPRISE_HOME. Folders are created when something is written to them."""

    root: Path

    @property
    def models(self) -> Path:
        """One folder per trained version."""
        return self.root / "models"

    @property
    def redis(self) -> Path:
        """Data and socket of the embedded server."""
        return self.root / "redis"

    @property
    def quarantine(self) -> Path:
        """Rejected rows of ingested files, with the reasons."""
        return self.root / "quarantine"

    @property
    def work(self) -> Path:
        """What is needed only while a command runs, such as copies of what is packed or stands in a database."""
        return self.root / "work"

    @property
    def training(self) -> Path:
        """What a training has made so far, until it has saved its version."""
        return self.work / "training"

    def examples(self, shop: str) -> Path:
        """What trainings of a shop learned from each past window, kept for the next one; no ids are in it."""
        return self.root / "examples" / f"shop={shop}"

    @property
    def reports(self) -> Path:
        """HTML reports, one file per version."""
        return self.root / "reports"

    @property
    def ledger(self) -> Path:
        """Archived events, a folder per shop and day."""
        return self.root / "ledger"

    def readings(self, shop: str) -> Path:
        """Rows that earlier readings of one shop's databases brought (`--since-last`), a file per query."""
        return self.root / "readings" / f"shop={shop}"

    @property
    def unfinished_picks(self) -> Path:
        """Where parts of picks files are that a run has not joined yet: a file for each, which holds their folder."""
        return self.root / "unfinished-picks"

    @property
    def keys_made(self) -> Path:
        """There since API keys were seen for the first time: a Redis without any has lost them."""
        return self.root / "keys-made"

    @property
    def customer_salt(self) -> Path:
        """The secret of the digests that stand for customer ids (`recommender.customer_salt`)."""
        return self.root / "customer-salt"

    def suppressions(self, shop: str) -> Path:
        """Who is not written to any more and who was erased, of one shop (`recommender.suppression_list`)."""
        return self.root / "suppressions" / f"{shop}.sqlite"

    def shops_with_suppressions(self) -> list[str]:
        """Shops of which there is such a file."""
        return sorted(path.stem for path in self.suppressions("any").parent.glob("*.sqlite"))

    @property
    def shop(self) -> Path:
        """Files of the made-up shop."""
        return self.root / "shop"


def make_folder(path: Path) -> Path:
    """Create `path` and its parents where they are absent. Raises HomeError."""
    with home_errors(f"create {path}"):
        path.mkdir(parents=True, exist_ok=True)
    return path


@contextmanager
def home_errors(doing: str) -> Iterator[None]:
    """Errors of the operating system within the block as HomeError, "cannot `doing`"."""
    try:
        yield
    except OSError as error:  # those that numpy and polars raise themselves have a text and no number
        reason = error.strerror or str(error) or type(error).__name__
        raise HomeError(f"cannot {doing}: {reason}; free the disk or set REPRISE_HOME") from None


@contextmanager
def write_whole(path: Path) -> Iterator[BinaryIO]:
    """Atomic write of a file: under a temporary name, synced, then renamed. Readers see the old file or the new one.

    Raises:
        HomeError: the disk is full or the folder cannot be written; the old file, if any, is untouched.
    """
    make_folder(path.parent)
    with (
        home_errors(f"write {path}"),
        tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file,
    ):
        temporary = Path(file.name)
        try:
            yield file  # type: ignore[misc]
            file.flush()
            os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def training_lock(home: DataDirectory) -> Iterator[None]:
    """Exclusive lock of trainings in `home`; the kernel frees it when the process dies.

    Raises:
        BusyError: another training holds it.
        HomeError: it cannot be written.
    """
    path = make_folder(home.root) / "training.lock"
    with home_errors(f"lock {path}"):
        opened = path.open("ab+", buffering=0)  # what a full disk refuses is not tried again at the end
    with opened as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise BusyError(
                f"a training is at work in {home.root} (process {file.read().decode() or 'unknown'}); wait for it"
            ) from None
        with home_errors(f"write {path}"):
            file.truncate(0)
            file.write(str(os.getpid()).encode())
        yield
