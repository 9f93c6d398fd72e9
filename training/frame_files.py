"""Files that polars writes: whole or not at all, with the errors of `recommender.errors`."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import polars as pl

from recommender.data_dir import write_whole
from recommender.errors import HomeError


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


def error_line(error: Exception) -> str:
    """What an error of polars says, on one line, without the plan that may follow."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
