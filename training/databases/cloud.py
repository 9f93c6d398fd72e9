"""Objects of S3, Google Cloud Storage and Azure, copied by polars: `s3://bucket/orders/*.parquet`."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from recommender.errors import DatabaseError
from training.frame_files import error_line

_SCHEMES = ("s3://", "s3a://", "gs://", "gcs://", "az://", "azure://", "abfs://", "abfss://", "adl://")


def is_cloud_path(path: str | Path) -> bool:
    """Whether a path is one of an object store."""
    return str(path).startswith(_SCHEMES)


def copy_object(path: str, file: Path) -> None:
    """Write an object, or all that a pattern names, to a file: Parquet as Parquet, everything else line by line.

    The environment says how the store is reached, such as AWS_ACCESS_KEY_ID, AWS_REGION and AWS_ENDPOINT_URL.

    Raises:
        DatabaseError: the store cannot be reached, or there is no such object.
    """
    with _store_errors(path):
        if path.endswith((".parquet", ".pq")):
            pl.scan_parquet(path).sink_parquet(file, compression="lz4")
        else:
            pl.scan_lines(path).sink_csv(file, include_header=False, quote_style="never")


@contextmanager
def _store_errors(path: str) -> Iterator[None]:
    try:
        yield
    except (OSError, pl.exceptions.PolarsError) as error:
        raise DatabaseError(f"{path} cannot be read: {error_line(error)[:600]}") from None
