"""The workspace: files that a reading needs only while it reads, such as what a packed file holds."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from recommender.data_dir import DataDirectory, home_errors, make_folder

_KEPT = DataDirectory(Path()).training.name
"""A killed training goes on from it."""


class Workspace:
    """A folder under `REPRISE_HOME/work`, made when it is first needed and deleted at the end of the context.

    What a killed process left is deleted by the next that needs one.
    """

    def __init__(self, home: Path) -> None:
        self._parent = DataDirectory(home).work
        self._stack = ExitStack()
        self._folder: Path | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def new_file(self, suffix: str) -> Path:
        """An empty file of its own. Raises HomeError."""
        if self._folder is None:
            self._folder = self._stack.enter_context(work_folder(self._parent))
        with home_errors(f"write to {self._folder}"):
            number, name = tempfile.mkstemp(dir=self._folder, suffix=suffix)  # mode 0600
        os.close(number)
        return Path(name)


def delete_leftovers(parent: Path) -> None:
    """Delete folders whose process is gone. Raises HomeError."""
    if parent.exists():
        with home_errors(f"look through {parent}"), _locked(parent):
            _delete_unlocked(parent)


@contextmanager
def work_folder(parent: Path) -> Iterator[Path]:
    """A folder that this process has locked, so that nobody takes it for a dead process's; it goes at the end.

    What killed processes left in `parent` goes at the beginning. Raises HomeError.
    """
    make_folder(parent)
    with home_errors(f"write to {parent}"), _locked(parent):
        _delete_unlocked(parent)
        folder = Path(tempfile.mkdtemp(dir=parent))
        held = _locked(folder)
        held.__enter__()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        held.__exit__(None, None, None)


@contextmanager
def _locked(folder: Path, operation: int = fcntl.LOCK_EX) -> Iterator[None]:
    number = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(number, operation)
        yield
    finally:
        os.close(number)


def _delete_unlocked(parent: Path) -> None:
    for folder in parent.iterdir():
        if folder.name == _KEPT:
            continue
        with suppress(BlockingIOError), _locked(folder, fcntl.LOCK_EX | fcntl.LOCK_NB):  # else it is at work
            shutil.rmtree(folder, ignore_errors=True)
