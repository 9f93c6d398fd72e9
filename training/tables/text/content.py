"""Content of a file: of which kind it is by its first bytes, and the bytes themselves, unpacked."""

import bz2
import gzip
import lzma
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal, cast

from recommender.errors import UnreadableFileError
from training.tables.text.encodings import encoding_of_head
from training.tables.text.zstandard import MAGIC

HEAD_BYTES = 1_000_000
Kind = Literal["parquet", "workbook", "json", "text"]
_PACKED: Mapping[bytes, Callable[[Path], object]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\x00": lzma.open,
}
_FOREIGN = {
    b"SQLite format 3": "a database; export the purchases as CSV",
    MAGIC: "packed with Zstandard; unpack it (zstd -d)",
    b"7z\xbc\xaf\x27\x1c": "packed with 7-Zip; unpack it",
    b"Rar!": "packed with RAR; unpack it",
    b"%PDF": "a PDF; export the purchases as CSV",
    b"\x89PNG": "a picture; export the purchases as CSV",
    b"<": "HTML or XML; export the purchases as CSV",
    b"version https://git-lfs": "a pointer of Git LFS and not the file; fetch it (git lfs pull)",
    b"{\\rtf": "a document; export the purchases as CSV",
}
_JSON = re.compile(rb'\{\s*(?:["}]|\Z)|\[\s*(?:[\[{"\]]|\d+\s*[\],]\s*\d|\Z)')
"""Begins JSON, and not a header whose names stand in brackets."""
_ZIP, _OLD_OFFICE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_TEXT_CONTROLS = b"\t\n\x0b\x0c\r\x1a\x1b"
_CONTROLS = bytes({*range(32), 127} - set(_TEXT_CONTROLS))


@dataclass(frozen=True)
class Content:
    """What a file holds.

    Attributes:
        file: as it is named in messages.
        stored: where its bytes are: the file, or an unpacked copy.
        kind: what it is read as.
        packed: whether `open_content` unpacks it.
        head: its first HEAD_BYTES, unpacked.
    """

    file: Path
    stored: Path
    kind: Kind
    packed: bool
    head: bytes


def look_into(file: Path, stored: Path | None = None) -> Content:
    """The content of a file; it is told by its first bytes, not by its name.

    Args:
        file: as it is named in messages.
        stored: where its bytes are; None: there.

    Raises:
        UnreadableFileError: it is empty, of a kind that is not read, or breaks off where it is packed.
        OSError: it cannot be opened.
    """
    stored = stored or file
    with stored.open("rb") as opened:
        magic = opened.read(8)
    if magic.startswith(_OLD_OFFICE) or (magic.startswith(_ZIP) and _is_workbook(stored)):
        return Content(file, stored, "workbook", packed=False, head=magic)
    with unpacking(stored), open_content(stored) as opened:
        head = opened.read(HEAD_BYTES)
    packed = magic.startswith((*_PACKED, _ZIP))
    told = encoding_of_head(head)
    text = (head.decode(told, "replace").lstrip("\ufeff").encode() if told else head).lstrip(b" \t\r\n\x0b\x0c\x1a")
    if not text:
        raise UnreadableFileError(f"{file} is empty; a header line and one line per purchase are needed")
    if foreign := next((what for start, what in _FOREIGN.items() if text.startswith(start)), None):
        raise UnreadableFileError(f"{file} is {foreign}")
    if head[257:262] == b"ustar":
        raise UnreadableFileError(f"{file} is a tar archive; unpack it and name what counts")
    if head.startswith(b"PAR1"):
        return Content(file, stored, "parquet", packed=packed, head=head)
    if told is None and len(head.translate(None, _CONTROLS)) < 0.95 * len(head):
        raise UnreadableFileError(f"{file} is no text: it is full of control bytes; export the purchases as CSV")
    return Content(file, stored, "json" if _JSON.match(text) else "text", packed=packed, head=head)


def open_content(file: Path) -> BinaryIO:
    """The bytes of a file, unpacked where it is packed by gzip, bzip2, xz or as the only file in a ZIP archive.

    Raises:
        UnreadableFileError: an archive does not hold exactly one file, or wants a password.
        OSError: it cannot be opened.
    """
    with file.open("rb") as opened:
        magic = opened.read(8)
    if magic.startswith(_ZIP):
        return _open_archive(file)
    unpack = next((unpack for start, unpack in _PACKED.items() if magic.startswith(start)), None)
    return cast("BinaryIO", unpack(file)) if unpack else file.open("rb")


_UNPACKING_ERRORS = (EOFError, OSError, zlib.error, lzma.LZMAError, zipfile.BadZipFile)


@contextmanager
def unpacking(file: Path) -> Iterator[None]:
    """A context in which a packed file is read; an error says down to which line that can be done."""
    try:
        yield
    except _UNPACKING_ERRORS as error:
        with file.open("rb") as opened:
            if not opened.read(8).startswith((*_PACKED, _ZIP)):
                raise
        raise UnreadableFileError(
            f"{file} is packed, and breaks off after line {_whole_lines(file):,}: {error}; copy it anew"
        ) from None


def _whole_lines(file: Path) -> int:
    lines = 0
    with suppress(*_UNPACKING_ERRORS), open_content(file) as opened:
        for _ in opened:
            lines += 1
    return lines


def _archive(file: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(file)
    except (zipfile.BadZipFile, NotImplementedError):
        raise UnreadableFileError(f"{file} is a ZIP archive or workbook that is cut off; copy it anew") from None


def _open_archive(file: Path) -> BinaryIO:
    archive = _archive(file)
    inside = [each for each in archive.infolist() if not each.is_dir() and not each.filename.startswith("__MACOSX/")]
    if len(inside) != 1:
        names = ", ".join(repr(each.filename) for each in inside[:10]) or "nothing"
        raise UnreadableFileError(f"{file} is a ZIP archive that holds {names}; unpack it and name what counts")
    if inside[0].flag_bits & 1:
        raise UnreadableFileError(f"{file} is protected by a password; unpack it")
    return cast("BinaryIO", archive.open(inside[0]))


def _is_workbook(file: Path) -> bool:
    with _archive(file) as archive:
        names = set(archive.namelist())
    return "content.xml" in names or any(name.startswith("xl/workbook") for name in names)
