"""Checkpoints: what a training has made so far, on disk, so that one that was killed goes on where it stopped."""

import hashlib
import shutil
from collections.abc import Collection
from io import BytesIO
from pathlib import Path

import polars as pl

from recommender.data_dir import home_errors, write_whole

_KEY = "key"
_ROWS = 1_000_000
"""Rows whose hashes are in memory at a time."""


class Checkpoints:
    """Frames in a folder, each in a file that names its checksum.

    Attributes:
        folder: that holds them, and other files that are needed until the training is over.
    """

    def __init__(self, folder: Path, key: str) -> None:
        """Open the folder; what was made for another key is deleted.

        Args:
            folder: may be absent.
            key: of all that a frame depends on.

        Raises:
            HomeError: it cannot be written.
        """
        self.folder = folder
        kept = folder / _KEY
        if folder.exists() and not (kept.is_file() and kept.read_text() == key):
            self.clear()
        with write_whole(kept) as file:
            file.write(key.encode())

    def find(self, name: str) -> pl.DataFrame | None:
        """The frame of a name; None where it was never kept, or cannot be read back as it was written."""
        for path in self.folder.glob(f"{name}.*"):
            try:
                wire = path.read_bytes()
            except OSError:
                continue
            if path.suffix[1:] == _checksum(wire):
                return pl.DataFrame.deserialize(BytesIO(wire))
        return None

    def keep(self, name: str, frame: pl.DataFrame) -> pl.DataFrame:
        """Write a frame, and give it back. Raises HomeError: those that were written before are still there."""
        wire = frame.serialize()
        with write_whole(self.folder / f"{name}.{_checksum(wire)}") as file:
            file.write(wire)
        return frame

    def keep_only(self, names: Collection[str]) -> None:
        """Delete the frames of all other names. Raises HomeError."""
        with home_errors(f"tidy up {self.folder}"):
            for path in self.folder.iterdir():
                if path.name != _KEY and path.stem not in names:
                    path.unlink()

    def clear(self) -> None:
        """Delete all. Raises HomeError."""
        with home_errors(f"delete {self.folder}"):
            shutil.rmtree(self.folder, ignore_errors=not self.folder.exists())


def hash_frame(frame: pl.DataFrame) -> str:
    """64 hex digits of all that a frame holds, in its order; ids as texts or coded differ."""
    coded = {name: kind for name, kind in frame.schema.items() if isinstance(kind, pl.Enum)}
    digest = hashlib.sha256(str([(name, str(kind.base_type())) for name, kind in frame.schema.items()]).encode())
    for kind in coded.values():
        digest.update(kind.categories.hash().to_numpy().tobytes())
    for rows in frame.with_columns(pl.col(*coded).to_physical() if coded else []).iter_slices(_ROWS):
        digest.update(rows.hash_rows().to_numpy().tobytes())
    return digest.hexdigest()


def _checksum(wire: bytes) -> str:
    return hashlib.sha256(wire).hexdigest()[:16]
