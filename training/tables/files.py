"""Purchase files as lazy frames: CSV (also gzipped), Parquet and JSON-lines; one file, a folder or a glob.

CSV and JSON-lines have no types that can be trusted, so every cell is read as text: `00123` stays. Two columns are
added: LINE, where the row stands in its file, and BROKEN, why the row cannot be split into columns (else null).
"""

import glob
import gzip
import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import polars as pl

from recommender.errors import UnreadableFileError

LINE = "__line__"
"""UInt32: line in the file, the header being line 1 (a row of Parquet: its number from 1)."""
BROKEN = "__broken__"
"""String: why the row cannot be split into columns; null where it can."""
_MORE = "__more__"
_SUFFIXES = (".csv", ".tsv", ".txt", ".parquet", ".jsonl", ".ndjson", ".csv.gz", ".tsv.gz", ".jsonl.gz", ".ndjson.gz")
_PEEK_BYTES = 100_000
_KEY_LINES = 1_000
_FOREIGN = {
    b"PK\x03\x04": "a ZIP archive or an Excel workbook; export it as CSV",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook; export it as CSV",
    b"\xff\xfe": "UTF-16 text; save it as UTF-8",
    b"\xfe\xff": "UTF-16 text; save it as UTF-8",
    b"[": "one JSON array; write one object per line (JSON-lines)",
    b"SQLite format 3": "a database; export the purchases as CSV",
}


def find_files(paths: Sequence[str | Path], leave_out: Iterable[Path] = ()) -> list[Path]:
    """The data files of `paths`, each once, sorted within each folder and glob; [] for no paths.

    Args:
        paths: files (of any name), folders (their own files with a known suffix) and globs.
        leave_out: files that a folder or glob may hold but that are read otherwise.

    Raises:
        UnreadableFileError: a path is absent, or a folder or glob holds no data file.
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
    return files


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


@contextmanager
def reading(file: Path) -> Iterator[None]:
    """A context that turns errors of polars and the system into an UnreadableFileError that names the remedy."""
    try:
        yield
    except (OSError, EOFError, zlib.error, pl.exceptions.PolarsError) as error:
        raise UnreadableFileError(f"{file} cannot be read: {_explain(file, error)}") from None


def _explain(file: Path, error: Exception) -> str:
    text = str(error)
    if "utf-8" in text.lower() or "utf8" in text.lower():
        return f"{_first_wrong_byte(file)}; save it as UTF-8 (for example: iconv -f WINDOWS-1252 -t UTF-8)"
    if "not properly escaped" in text or "could not parse" in text:
        start = text.partition("could not parse `")[2][:60].strip().splitlines() or [""]
        return f"a quoted cell that begins {start[0]!r} is not closed properly; double the quotes inside cells"
    first = (text.strip().splitlines() or [type(error).__name__])[0][:200]
    return f"{first}; is the file complete, and may you read it?"


def _first_wrong_byte(file: Path) -> str:
    # line by line, so that a multi-byte letter is never cut in two
    with _open(file) as lines:
        for number, line in enumerate(lines, start=1):
            try:
                line.decode()
            except UnicodeDecodeError as error:
                return f"line {number} holds byte 0x{line[error.start]:02x}, which is not UTF-8"
    return "it is not UTF-8"


def _open(file: Path) -> gzip.GzipFile:
    with file.open("rb") as start:
        packed = start.read(2) == b"\x1f\x8b"
    return gzip.open(file) if packed else file.open("rb")  # type: ignore[return-value]


def scan_file(file: Path) -> pl.LazyFrame:
    """A file as a lazy frame with LINE and BROKEN; its format is detected by its first bytes, not by its name.

    Raises:
        UnreadableFileError: it is empty, of a kind that is not read, or cannot be opened.
    """
    with reading(file), _open(file) as content:
        head = content.read(_PEEK_BYTES)
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not text:
        raise UnreadableFileError(f"{file} is empty; a header line and one line per purchase are needed")
    if foreign := next((kind for magic, kind in _FOREIGN.items() if text.startswith(magic)), None):
        raise UnreadableFileError(f"{file} is {foreign}")
    if head.startswith(b"PAR1"):
        frame = pl.scan_parquet(file, row_index_name=LINE, row_index_offset=1, glob=False)
        return frame.with_columns(pl.lit(None, pl.String).alias(BROKEN))
    with reading(file):
        return _scan_json_lines(file) if text.startswith(b"{") else _scan_csv(file, head)


def _scan_csv(file: Path, head: bytes) -> pl.LazyFrame:
    """All columns as text. One column more than the header catches rows that are too long; short rows end in nulls."""
    separator = max(",;\t|", key=head.partition(b"\n")[0].decode(errors="replace").count)
    names = pl.scan_csv(file, separator=separator, infer_schema=False, n_rows=0, glob=False).collect_schema().names()
    frame = pl.scan_csv(
        file,
        separator=separator,
        schema=dict.fromkeys([*names, _MORE], pl.String),
        truncate_ragged_lines=True,
        missing_columns="insert",
        row_index_name=LINE,
        row_index_offset=2,
        glob=False,
    )
    broken = pl.when(pl.col(_MORE).is_not_null()).then(pl.lit("more cells than the header"))
    return frame.with_columns(broken.alias(BROKEN)).drop(_MORE)


def _scan_json_lines(file: Path) -> pl.LazyFrame:
    """Every key of the first lines as a column of text; a value that is an object or a list stays JSON text."""
    line = pl.col("line")
    frame = pl.scan_lines(file, row_index_name=LINE, row_index_offset=1, glob=False)
    cells = [line.str.json_path_match(f"$['{key}']").alias(key) for key in _keys(file)]
    broken = pl.when(~line.str.json_path_match("$").str.starts_with("{").fill_null(value=False)).then(
        pl.lit("not a JSON object")
    )
    filled = frame.filter(line.str.strip_chars() != "")
    return filled.select(LINE, broken.alias(BROKEN), *cells)


def _keys(file: Path) -> list[str]:
    """Keys of the JSON objects in the first lines, in order of appearance."""
    keys: dict[str, None] = {}
    with _open(file) as lines:
        for text in islice(lines, _KEY_LINES):
            try:
                row = json.loads(text)
            except ValueError:
                continue
            keys.update(dict.fromkeys(row) if isinstance(row, dict) else {})
    return [key for key in keys if "'" not in key]
