"""Zstandard: text that it packs, unpacked by polars, which brings it along and holds a part of it at a time."""

from pathlib import Path

import polars as pl

from recommender.errors import UnreadableFileError
from training.frame_files import stream_text
from training.tables.workspace import Workspace

MAGIC = b"\x28\xb5\x2f\xfd"
"""The first bytes of a packed file."""


def unpack_zstandard(file: Path, work: Workspace) -> Path:
    """A copy of the text of a file, in UTF-8; the file itself where it is not packed by Zstandard.

    Raises:
        UnreadableFileError: it is not UTF-8.
        OSError: it breaks off.
        HomeError: the copy cannot be written.
    """
    with file.open("rb") as opened:
        if opened.read(len(MAGIC)) != MAGIC:
            return file
    copy = work.new_file(".unpacked")
    try:
        stream_text(pl.scan_lines(file, glob=False), copy)
    except pl.exceptions.ComputeError as error:
        raise UnreadableFileError(
            f"{file} is packed by Zstandard and holds no text in UTF-8 ({error}); unpack it (zstd -d)"
        ) from None
    return copy
