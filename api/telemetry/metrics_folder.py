"""Folder of the metrics that the workers of one server share; a killed server's is removed when the next one starts."""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import gettempdir, mkdtemp

_PREFIX = "reprise-metrics-"
_LOCK = "lock"
"""A file in it, locked while its server lives: the kernel frees it however that ends."""


@contextmanager
def metrics_folder() -> Iterator[Path]:
    """A new folder, which goes with the block."""
    _remove_left_behind(Path(gettempdir()))
    hidden = Path(mkdtemp(prefix=f".{_PREFIX}"))
    with (hidden / _LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        folder = hidden.rename(hidden.with_name(hidden.name.removeprefix(".")))  # nobody looks at it unlocked
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _remove_left_behind(parent: Path) -> None:
    for lock_file in parent.glob(f"{_PREFIX}*/{_LOCK}"):
        with suppress(OSError), lock_file.open("r+") as lock:  # another user's, or locked by a server that lives
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(lock_file.parent, ignore_errors=True)
