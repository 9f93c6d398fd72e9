"""Plain text: what a text file holds, as UTF-8 with line feeds; a file that is so already is taken as it is."""

import codecs
import io
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TextIO

from recommender.errors import UnclearInputError, UnreadableFileError
from training.tables.text.content import Content, open_content, unpacking
from training.tables.text.encodings import encoding_of_head, known_encoding, likely_encodings
from training.tables.text.survey import lines_beyond_ascii, survey
from training.tables.workspace import Workspace

GUESSED = "encoding_guessed"
"""Code of the remark that an encoding may be wrong."""
_UTF8 = ("utf-8", "utf-8-sig")
_BLOCK_CHARACTERS = 4_000_000
_FEW_BYTES, _UNSURE = 6, 0.03
"""A text of so few bytes beyond ASCII is not guessed where another encoding is as likely but for so much."""


@dataclass(frozen=True)
class PlainText:
    """Text in UTF-8.

    Attributes:
        file: where it is.
        quotes: whether it holds a quote mark.
        remarks: code → sentence on how it was written.
    """

    file: Path
    quotes: bool
    remarks: Mapping[str, str]


@dataclass(frozen=True)
class _Writing:
    """How a text is written: encoding, what to do with bytes that are not of it, and what its survey tells.

    Where it was guessed, `readings` holds a cell as each encoding reads it that is about as likely.
    """

    encoding: str
    errors: str
    plain: bool
    quotes: bool
    remarks: Mapping[str, str]
    readings: Mapping[str, str] = field(default_factory=dict)


def plain_text(content: Content, encoding: str | None, work: Workspace) -> PlainText:
    """The text of a file, copied to the workspace where it is packed, of another encoding or of other line ends.

    Raises:
        UnreadableFileError: it is not of the given encoding.
        UnclearInputError: it holds few letters beyond ASCII, which could be of several encodings.
        UsageError: there is no such encoding.
        HomeError: the copy cannot be written.
    """
    if content.packed:
        unpacked = work.new_file(".unpacked")
        with unpacking(content.stored), open_content(content.stored) as source, unpacked.open("wb") as target:
            shutil.copyfileobj(source, target, _BLOCK_CHARACTERS)
        return plain_text(replace(content, stored=unpacked, packed=False), encoding, work)
    writing = _find_writing(content, encoding)
    if len(writing.readings) > 1:
        choices = ", or ".join(f"--encoding {name} ({cell!r})" for name, cell in writing.readings.items())
        raise UnclearInputError(
            f"{content.file} is unclear: its few letters beyond ASCII could be of several encodings; add the option "
            f"that is right: {choices}"
        )
    if writing.plain:
        return PlainText(content.stored, writing.quotes, writing.remarks)
    copy = work.new_file(".text")
    with _open(content, writing) as source, copy.open("w", encoding="utf-8", newline="\n") as target:
        try:
            while block := source.read(_BLOCK_CHARACTERS):
                target.write(block.replace("\0", "\N{REPLACEMENT CHARACTER}").replace("\ufeff", ""))
        except UnicodeError as error:
            said = (
                f"{content.file} is not {writing.encoding.removesuffix('-sig')}: {error}; name its --encoding, or none"
            )
            raise UnreadableFileError(said) from None
    return PlainText(copy, True, writing.remarks)


def open_text(content: Content, encoding: str | None) -> TextIO:
    """The decoded text of a file with line feeds, read as it is needed; nothing is copied to the disk.

    Raises:
        UsageError: there is no such encoding.
    """
    return _open(content, _find_writing(content, encoding))


def is_guessed(text: TextIO) -> bool:
    """Whether the encoding of what `open_text` opened is the likeliest one, not one that the bytes tell."""
    return text.errors != "strict"


def _open(content: Content, writing: _Writing) -> TextIO:
    return io.TextIOWrapper(open_content(content.stored), encoding=writing.encoding, errors=writing.errors)


def _find_writing(content: Content, given: str | None) -> _Writing:
    told = known_encoding(given) if given else encoding_of_head(content.head)
    if told and told not in _UTF8:
        remarks = {} if given else {"encoding": f"read as {told}, as its first bytes say"}
        return _Writing(told, "strict", plain=False, quotes=True, remarks=remarks)
    with open_content(content.stored) as opened:
        found = survey(opened)
    if found.utf8 or given:
        plain = found.utf8 and not found.lone_returns and not found.inner_marks
        return _Writing("utf-8-sig", "strict", plain=plain, quotes=found.quotes, remarks={})
    return _guess(content)


def _guess(content: Content) -> _Writing:
    """The writing of a text that is not UTF-8: one other encoding, or UTF-8 with lines of another."""
    with open_content(content.stored) as opened:
        foreign, fitting = lines_beyond_ascii(opened)
    sample = b"".join(foreign)
    guessed, *others = likely_encodings(sample, _UNSURE)
    mixed = fitting > len(foreign) / 10
    writing = ("utf-8-sig", f"reprise.{guessed}") if mixed else (guessed, "replace")
    codecs.register_error(f"reprise.{guessed}", _decode_alone(guessed))
    shown = _foreign_cell(foreign[0], *writing)
    read_as = f"UTF-8 and, where it is not that, {guessed}" if mixed else guessed
    said = f"not UTF-8, read as {read_as}, such as {shown!r}; if that is wrong, name it with --encoding"
    few = not mixed and sum(byte > 127 for byte in sample) <= _FEW_BYTES
    readings = {name: _foreign_cell(foreign[0], name) for name in (guessed, *others[:3])} if few else {}
    return _Writing(*writing, plain=False, quotes=True, remarks={GUESSED: said}, readings=readings)


def _foreign_cell(line: bytes, encoding: str, errors: str = "replace") -> str:
    """The first cell of a line with letters beyond ASCII."""
    cells = re.split(r'[,;\t|"\r\n]', line.decode(encoding, errors))
    return next((cell for cell in cells if not cell.isascii()), "").strip()[:40]


def _decode_alone(encoding: str) -> Callable[[UnicodeError], tuple[str, int]]:
    """A handler of errors that decodes wrong bytes by another encoding."""

    def decode(error: UnicodeError) -> tuple[str, int]:
        if not isinstance(error, UnicodeDecodeError):
            raise error
        return error.object[error.start : error.end].decode(encoding, "replace"), error.end

    return decode
