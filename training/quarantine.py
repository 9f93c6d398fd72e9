"""The quarantine file: bad rows with their file, line, reason and cells."""

import contextlib
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from recommender.data_dir import DataDirectory, home_errors, write_whole
from training.flat_files import frame_to_csv


def quarantine_path(home: DataDirectory, paths: Sequence[str | Path]) -> Path:
    """Path of a quarantine file: `quarantine/purchases.csv` for `purchases.csv.gz`, `…-and-2-more` for three paths."""
    name = Path(paths[0]).name.split(".")[0] if paths else ""
    plain = "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in name) or "purchases"
    return home.quarantine / f"{plain}{f'-and-{len(paths) - 1}-more' if len(paths) > 1 else ''}.csv"


def write_quarantine(path: Path, bad: pl.DataFrame) -> None:
    """Write file, line, reason and cells, made harmless; an earlier file of that name goes if none is bad.

    Raises:
        HomeError: it cannot be written.
    """
    if bad.is_empty():
        with home_errors(f"delete {path}"), contextlib.suppress(FileNotFoundError, NotADirectoryError):
            path.unlink()
        return
    with write_whole(path) as file:
        file.write(frame_to_csv(bad))
