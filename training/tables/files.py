"""Files that are to be read: which ones a path names, whether they stay as they are, and what errors of reading say.

Text has no types that can be trusted, so every cell is read as text: `00123` stays. Two columns are added to every
table: LINE, where the row stands in its file, and BROKEN, why it is no row (else null).
"""

import glob
import lzma
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from recommender.errors import UnclearInputError, UnreadableFileError

LINE = "__line__"
"""UInt32: line in the file, from 1 (a row of Parquet, an object of a JSON document: its number)."""
BROKEN = "__broken__"
"""String: why the row cannot be split into columns, or one of NO_ROWS; null where all is well."""
REPEATED_HEADER = "the header again"
CLOSING_LINE = "totals or end of the table"
NO_ROWS = (REPEATED_HEADER, CLOSING_LINE)
"""Lines that belong to a table and are no rows of it."""
_TEXTS = (".csv", ".tsv", ".txt", ".jsonl", ".ndjson")
_SUFFIXES = (
    *(*_TEXTS, ".parquet", ".json", ".xlsx", ".xlsm", ".xls", ".ods"),
    *(text + packing for text in _TEXTS for packing in (".gz", ".bz2", ".xz", ".zip", ".zst")),
)


def find_files(paths: Sequence[str | Path], leave_out: Iterable[Path] = ()) -> list[Path]:
    """The data files of `paths`, each once, sorted within each folder and glob; [] for no paths.

    Args:
        paths: files (of any name), folders (their own files with a known suffix) and globs.
        leave_out: files that a folder or glob may hold but that are read otherwise.

    Raises:
        UnreadableFileError: a path is absent, or a folder or glob holds no data file.
        UnclearInputError: a folder holds a file of the same name in two formats.
    """
    skipped = {path.resolve() for path in leave_out}
    found: dict[Path, Path] = {}
    for path in map(Path, paths):
        for file in [path] if path.is_file() else _files_of(path, skipped):
            found.setdefault(file.resolve(), file)
    return list(found.values())


def _files_of(path: Path, skipped: set[Path]) -> list[Path]:
    if path.is_dir():
        inside, what = sorted(path.iterdir()), f"folder {path}"
    elif any(letter in str(path) for letter in "*?["):
        # not Path.glob: that one refuses absolute patterns
        names = glob.glob(str(path), recursive=True)  # noqa: PTH207
        inside, what = sorted(map(Path, names)), f"pattern {path}"
    else:
        raise UnreadableFileError(f"{path} does not exist; check the path")
    files = [
        file for file in inside if file.is_file() and file.name.endswith(_SUFFIXES) and file.resolve() not in skipped
    ]
    if not files:
        raise UnreadableFileError(f"{what} holds no data file; known endings are {', '.join(_SUFFIXES)}")
    _refuse_twins(files, what)
    return files


def _refuse_twins(files: Sequence[Path], what: str) -> None:
    """Raise where two files differ in their ending alone: they are likely to hold the same purchases."""
    known: dict[str, Path] = {}
    for file in files:
        stem = file.name.removesuffix(max(filter(file.name.endswith, _SUFFIXES), key=len))
        twin = known.setdefault(stem, file)
        if twin is not file:
            raise UnclearInputError(
                f"{what} holds {twin.name} and {file.name}, which could be the same purchases in two formats; "
                "name the files that count, or move one of them away"
            )


@contextmanager
def unchanged(files: Sequence[Path]) -> Iterator[None]:
    """A context that refuses files whose size or modification time has changed at its end.

    Raises:
        UnreadableFileError: a file changed while it was read, or is gone.
    """
    before = [_stamp(file) for file in files]
    yield
    for file, stamp in zip(files, before, strict=True):
        if _stamp(file) != stamp:
            raise UnreadableFileError(f"{file} changed while it was read; wait until it is written, then run again")


def _stamp(file: Path) -> tuple[int, int]:
    try:
        status = file.stat()
    except OSError as error:
        raise UnreadableFileError(f"{file} cannot be read: {error.strerror}") from None
    return status.st_size, status.st_mtime_ns


_ERRORS = (
    *(OSError, EOFError, UnicodeError, NotImplementedError, zlib.error, lzma.LZMAError, zipfile.BadZipFile),
    pl.exceptions.PolarsError,
)


@contextmanager
def reading(file: Path) -> Iterator[None]:
    """A context that turns errors of polars and the system into an UnreadableFileError that names the remedy."""
    try:
        yield
    except _ERRORS as error:
        raise UnreadableFileError(f"{file} cannot be read: {_explain(error)}") from None


def _explain(error: Exception) -> str:
    first = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
    return f"{first}; is the file complete, and may you read it?"
