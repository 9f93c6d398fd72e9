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
    def reports(self) -> Path:
        """HTML reports, one file per version."""
        return self.root / "reports"

    @property
    def ledger(self) -> Path:
        """Archived events, a folder per shop and day."""
        return self.root / "ledger"

    @property
    def unfinished_picks(self) -> Path:
        """Where parts of picks files are that a run has not joined yet: a file for each, which holds their folder."""
        return self.root / "unfinished-picks"

    @property
    def keys_made(self) -> Path:
        """There since API keys were seen for the first time: a Redis without any has lost them."""
        return self.root / "keys-made"

    @property
    def shop(self) -> Path:
        """Files of the made-up shop."""
        return self.root / "shop"


def make_folder(path: Path) -> Path:
    """Create `path` and its parents where they are absent. Raises HomeError."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise HomeError(f"cannot create {path}: {error.strerror}; free the disk or set REPRISE_HOME") from None
    return path


@contextmanager
def write_whole(path: Path) -> Iterator[BinaryIO]:
    """Atomic write of a file: under a temporary name, synced, then renamed. Readers see the old file or the new one.

    Raises:
        HomeError: the disk is full or the folder cannot be written; the old file, if any, is untouched.
    """
    make_folder(path.parent)
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            temporary = Path(file.name)
            try:
                yield file  # type: ignore[misc]
                file.flush()
                os.fsync(file.fileno())
                temporary.replace(path)
            finally:
                temporary.unlink(missing_ok=True)
    except OSError as error:
        raise HomeError(f"cannot write {path}: {error.strerror}; free the disk or set REPRISE_HOME") from None


@contextmanager
def training_lock(home: DataDirectory) -> Iterator[None]:
    """Exclusive lock of trainings in `home`; the kernel frees it when the process dies.

    Raises:
        BusyError: another training holds it.
    """
    path = make_folder(home.root) / "training.lock"
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise BusyError(
                f"a training is at work in {home.root} (process {file.read().strip() or 'unknown'}); wait for it"
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
