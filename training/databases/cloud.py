"""Objects of S3, Google Cloud Storage and Azure, copied by polars: `s3://bucket/orders/*.parquet`."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote

import polars as pl

from recommender.errors import DatabaseError, UnreadableFileError
from training.frame_files import error_line, stream_frame, stream_lines

_PATH = "__path__"
_SCHEMES = ("s3://", "s3a://", "gs://", "gcs://", "az://", "azure://", "abfs://", "abfss://", "adl://")

_CREDENTIALS = {
    "s3": "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION",
    "g": "GOOGLE_APPLICATION_CREDENTIALS, the file of a service account's key",
    "a": "AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY",
}
"""Beginning of a scheme → the variables that polars takes keys from."""
_NO_CREDENTIALS = ("Account must be specified", "169.254.169.254", "metadata.google.internal")
"""What the clients say without keys: at last they ask the machine's own cloud, which a machine elsewhere has not."""


def is_cloud_path(path: str | Path) -> bool:
    """Whether a path is one of an object store."""
    return str(path).startswith(_SCHEMES)


def copy_objects(path: str, folder: Path) -> dict[Path, str]:
    """Write an object, or each that a pattern names, to `folder`: Parquet as Parquet, all else as its lines.

    The environment says how the store is reached, such as AWS_ACCESS_KEY_ID, AWS_REGION and AWS_ENDPOINT_URL: not
    Google's, Amazon's or Microsoft's own packages, which polars would ask where they happen to be installed.

    Returns:
        Copy → what it is a copy of. Parquet becomes one file.

    Raises:
        DatabaseError: the store cannot be reached, there is no such object, or it is no text in UTF-8.
        UnreadableFileError: all objects are empty.
        HomeError: the disk is full.
    """
    # polars takes gcs:// for its own and its client for Google does not
    scheme, _, rest = path.partition("://")
    address = f"gs://{rest}" if scheme == "gcs" else path
    with _store_errors(path):
        if path.endswith((".parquet", ".pq")):
            file = folder / _plain_name(path)
            stream_frame(pl.scan_parquet(address, credential_provider=None), file)
            return {file: path}
        # a file for each object: each has a header of its own
        files = stream_lines(pl.scan_lines(address, include_file_paths=_PATH, credential_provider=None), folder, _PATH)
    copies = {
        file: scheme + unquote(file.parent.name.partition("=")[2]).removeprefix(address.partition(":")[0])
        for file in files
    }
    if not copies:
        raise UnreadableFileError(f"{path} is empty; a header line and one line per purchase are needed")
    return {file.rename(file.with_name(_plain_name(name))): name for file, name in copies.items()}


def _plain_name(path: str) -> str:
    """The name of an object as one of a file that is not compressed."""
    return path.rpartition("/")[2].replace("*", "_").removesuffix(".gz")


@contextmanager
def _store_errors(path: str) -> Iterator[None]:
    try:
        yield
    except (OSError, pl.exceptions.PolarsError) as error:
        reason = error_line(error).partition(": <?xml")[0][:600]
        if "utf8" in reason or "utf-8" in reason:
            reason += "; objects are read as UTF-8 or, where they are named so, as .parquet: copy it here first"
        if any(sign in str(error) for sign in _NO_CREDENTIALS):
            wanted = next(names for scheme, names in _CREDENTIALS.items() if path.startswith(scheme))
            reason = f"no keys were found; set {wanted}"
        raise DatabaseError(f"{path} cannot be read: {reason}") from None
