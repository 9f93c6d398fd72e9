"""Frames of other libraries (pandas, polars, Arrow), read and given back in kind by narwhals."""

from typing import Any

import narwhals as nw
import polars as pl

from recommender.errors import UsageError


def to_polars(frame: Any) -> pl.DataFrame:
    """The frame as polars has it. Raises UsageError for what is no frame, or cannot be read."""
    native = _native(frame)
    try:
        read: pl.DataFrame = native.to_polars()
    except ImportError as error:
        raise UsageError(f"this frame cannot be read: {error}") from None
    return read


def in_kind(frame: pl.DataFrame, like: Any) -> Any:
    """The frame in the library of `like`."""
    library = _native(like).implementation
    return frame if library.is_polars() else nw.DataFrame.from_arrow(frame, backend=library).to_native()


def _native(frame: Any) -> nw.DataFrame[Any]:
    try:
        return nw.from_native(frame, eager_only=True)
    except TypeError:
        raise UsageError(
            f"{type(frame).__name__} is no frame; give one of pandas, polars or Arrow, and collect a lazy one first"
        ) from None
