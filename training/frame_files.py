"""Files that polars writes: whole or not at all, with the errors of `recommender.errors`."""

import errno
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import polars as pl

from recommender.data_dir import write_whole
from recommender.errors import HomeError

_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def write_frame(path: Path) -> Iterator[BinaryIO]:
    """`recommender.data_dir.write_whole` for a block in which polars alone writes a frame that was made before.

    Raises:
        HomeError: as `write_whole`. Of a full disk polars makes an error of its own, which is no OSError.
    """
    with write_whole(path) as file:
        try:
            yield file
        except pl.exceptions.PolarsError as error:
            raise HomeError(f"cannot write {path}: {error_line(error)}; free the disk or set REPRISE_HOME") from None


def stream_frame(frame: pl.LazyFrame, path: Path) -> None:
    """Write a frame to a Parquet file while it is made; errors of its source pass. Raises HomeError on a full disk."""
    with _full_disk(path):
        frame.sink_parquet(path, compression="lz4")


def stream_parts(parts: Iterable[pl.DataFrame], path: Path) -> None:
    """Write frames of one schema, at least one, to one Parquet file, of which a part at a time is in memory.

    Errors of their source pass. Raises HomeError on a full disk.
    """
    written = []
    for number, part in enumerate(parts):
        written.append(path.with_name(f"{path.stem}-{number}.part"))
        stream_frame(part.lazy(), written[-1])
    stream_frame(pl.scan_parquet(written, glob=False), path)
    for one in written:
        one.unlink()


def stream_text(lines: pl.LazyFrame, path: Path) -> None:
    """Write lines to a file of text. Errors of their source pass. Raises HomeError on a full disk."""
    with _full_disk(path):
        lines.sink_csv(path, include_header=False, quote_style="never", null_value="")


def stream_lines(lines: pl.LazyFrame, folder: Path, key: str) -> list[Path]:
    """Write lines of text to a file for each value of `key`, in a folder named `key=VALUE`; the files, sorted.

    Errors of their source pass. Raises HomeError on a full disk.
    """
    target = pl.PartitionBy(folder, key=key, include_key=False, approximate_bytes_per_file=None)
    with _full_disk(folder):
        lines.sink_csv(target, include_header=False, quote_style="never", mkdir=True)
    return sorted(folder.glob(f"{key}=*/*"))


@contextmanager
def _full_disk(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, pl.exceptions.PolarsError) as error:
        if reason := next((os.strerror(code) for code in _DISK if os.strerror(code) in str(error)), None):
            raise HomeError(f"cannot write {path}: {reason}; free the disk or set REPRISE_HOME") from None
        raise


def error_line(error: Exception) -> str:
    """What an error of polars says, on one line, without the plan that may follow."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
