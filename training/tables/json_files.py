"""JSON files as lazy frames of text: JSON-lines, and documents that hold one array of objects."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

import polars as pl

from recommender.errors import UnreadableFileError
from training.tables.files import BROKEN, LINE

_KEY_LINES = 1_000
_MOST_KEYS = 10_000
_DEPTH = 3
_BLOCK_CHARACTERS = 1_000_000
_ARRAY_CHARACTERS = 10_000
_KEY = r'"(?:[^"\\]|\\.)*"\s*:'
_ARRAY = re.compile(r'"((?:[^"\\]|\\.)*)"\s*:\s*(?=\[\s*\{)')
_BETWEEN = re.compile(r"[\s,\ufeff]*")
Path_ = tuple[str, ...]


def is_document(head: str, *, whole: bool) -> bool:
    """Whether text is a JSON document rather than JSON-lines.

    Args:
        head: its first characters.
        whole: whether that is all of it.
    """
    if head.lstrip("\ufeff \r\n\t").startswith("["):
        return True
    first, _, rest = head.lstrip("\ufeff \r\n\t").partition("\n")
    try:
        row = json.loads(first)
    except ValueError:
        if first.rstrip().endswith("},"):
            return True
        if not rest and not whole:  # one line that is longer than the head: rows are long only where they hold others
            return _ARRAY.search(first, 0, _ARRAY_CHARACTERS) is not None
        # a line that breaks off is a bad row of JSON-lines where the next begins like one
        return not rest.lstrip().startswith("{")
    alone = whole and not rest.strip()
    return alone and isinstance(row, dict) and _holds_rows(row)


def _holds_rows(document: Mapping[str, Any]) -> bool:
    """Whether an object is around rows, being no row itself: its own cells are fewer than those of its rows."""
    rows = [value[0] for value in document.values() if isinstance(value, list) and value and isinstance(value[0], dict)]
    own = sum(not isinstance(value, list | dict) for value in document.values())
    return any(len(row) > own for row in rows) or (own == 0 and _nested(document) is not None)


def _nested(document: Mapping[str, Any]) -> str | None:
    """The key of the longest array of objects at any depth; None without one."""
    found: dict[str, int] = {}
    todo = list(document.items())
    for key, value in todo:
        if isinstance(value, dict):
            todo.extend(value.items())
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            found[key] = max(len(value), found.get(key, 0))
    return max(found, key=lambda key: found[key]) if found else None


def write_lines(document: TextIO, lines: TextIO, file: Path, *, whole: bool) -> str | None:
    """Write the objects of a document as JSON-lines, in bounded memory.

    Args:
        document: one array, objects one after another, or an object that holds an array of objects.
        lines: where to.
        file: for messages.
        whole: whether the document is short enough to look at all its arrays; else the first counts.

    Returns:
        The key of the array; None where it has none.

    Raises:
        UnreadableFileError: the document breaks off or is no JSON.
    """
    text = document.read(_BLOCK_CHARACTERS)
    key, start = _array_in(text, whole=whole)
    for value in _values(text[start:], document, file):
        lines.write(json.dumps(value, ensure_ascii=False) + "\n")
    return key


def _array_in(text: str, *, whole: bool) -> tuple[str | None, int]:
    """The key of the array of rows, and where the first row begins."""
    begin = _BETWEEN.match(text)
    at = begin.end() if begin else 0
    if text.startswith("[", at):
        return None, at + 1
    arrays = list(_ARRAY.finditer(text))
    wanted: str | None = None
    if whole:
        try:
            document = json.loads(text[at:])
        except ValueError:
            return None, at
        wanted = _nested(document) if _holds_rows(document) else ""
    chosen = next((array for array in arrays if wanted in {None, array[1]}), None)
    return (chosen[1], text.index("[", chosen.end()) + 1) if chosen else (None, at)


def _values(text: str, more: TextIO, file: Path) -> Iterator[object]:
    """The JSON values of a text one after another, up to the end of the array or text."""
    decoder, at = json.JSONDecoder(), 0
    while True:
        begin = _BETWEEN.match(text, at)
        at = begin.end() if begin else at
        try:
            if text[at : at + 1] == "]":
                return
            value, at = decoder.raw_decode(text, at)
        except ValueError as error:
            read = more.read(max(_BLOCK_CHARACTERS, len(text) - at))
            if not read and not text[at:].strip():
                return
            if not read:
                raise UnreadableFileError(f"{file} breaks off or is no JSON: {error}; export it anew") from None
            text, at = text[at:] + read, 0
            continue
        yield value


def scan_lines(lines: Path, file: Path) -> pl.LazyFrame:
    """Every key of JSON-lines as a column of text; nested ones are named `customer.id`.

    A value that is an object or a list stays JSON text.

    Args:
        lines: what to read.
        file: for messages.

    Raises:
        UnreadableFileError: no line has a key.
    """
    line = pl.col("line").str.strip_chars("\ufeff \t\r\n")
    frame = pl.scan_lines(lines, row_index_name=LINE, row_index_offset=1, glob=False)
    cells = [line.str.json_path_match(_json_path(path)).alias(".".join(path)) for path in _keys(lines)]
    if not cells:
        raise UnreadableFileError(f"{file} is empty: it holds no JSON object with keys")
    broken = pl.when(~line.str.json_path_match("$").str.starts_with("{").fill_null(value=False)).then(
        pl.lit("not a JSON object")
    )
    filled = frame.filter(line != "")
    return filled.select(LINE, broken.alias(BROKEN), *cells)


def _json_path(path: Path_) -> str:
    return "$" + "".join(f"['{key}']" if "'" not in key else f'["{key}"]' for key in path)


def _keys(file: Path) -> list[Path_]:
    """The keys of all lines, in order of appearance; those of late lines too."""
    with file.open(encoding="utf-8-sig") as lines:
        known = dict.fromkeys(_keys_of(islice(lines, _KEY_LINES)))
    names = {key for path in known for key in path}
    texts = pl.scan_lines(file, glob=False).select(
        "line", pl.col("line").str.extract_all(_KEY).list.unique().alias("key")
    )
    every = texts.select(pl.col("key").explode()).unique().head(_MOST_KEYS).collect(engine="streaming")["key"]
    late = [key for key in every.drop_nulls() if _unquoted(key) not in names]
    for key in late:
        if _unquoted(key) not in names:
            first = texts.filter(pl.col("line").str.contains(key, literal=True)).head(1).collect(engine="streaming")
            known |= dict.fromkeys(_keys_of(first["line"]))
            names = {name for path in known for name in path}
    return [path for path in known if len({"'", '"'} & set("".join(path))) < 2 and path[-1] not in {LINE, BROKEN}]


def _unquoted(key: str) -> str:
    try:
        return str(json.loads(key.rstrip().removesuffix(":").rstrip()))
    except ValueError:
        return key


def _keys_of(lines: Iterable[str]) -> Iterator[Path_]:
    for text in lines:
        try:
            row = json.loads(text.removeprefix("\ufeff"))
        except ValueError:
            continue
        if isinstance(row, dict):
            yield from _paths(row, ())


def _paths(row: Mapping[str, Any], under: Path_) -> Iterator[Path_]:
    for key, value in row.items():
        yield (*under, key)
        if isinstance(value, dict) and len(under) + 1 < _DEPTH:
            yield from _paths(value, (*under, key))
