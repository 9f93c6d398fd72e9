"""A survey of a text's bytes: whether polars can read it as it stands. It is as fast as the bytes come from memory."""

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

_BLOCK_BYTES = 4_000_000
_SAMPLE_BYTES = 50_000
_FEED, _RETURN, _QUOTE = b'\n\r"'
Positions = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Survey:
    """What the bytes of a text are.

    Attributes:
        utf8: whether all are UTF-8.
        quotes: whether there is a quote mark.
        lone_returns: whether a carriage return stands without a line feed.
        inner_marks: whether a byte order mark stands elsewhere than at the begin, as where files were joined.
    """

    utf8: bool
    quotes: bool
    lone_returns: bool
    inner_marks: bool


def survey(content: BinaryIO) -> Survey:
    """The survey of bytes, by one look at them."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    utf8, quotes, returns, pairs, pending, marks = True, False, 0, 0, False, 0
    for number, block in enumerate(_blocks(content)):
        if utf8 and (pending or not block.isascii()):
            try:
                decoder.decode(block)
                pending = decoder.getstate()[0] != b""
            except UnicodeDecodeError:
                utf8 = False
        if not block.isascii():
            marks += block.count(codecs.BOM_UTF8) - (number == 0 and block.startswith(codecs.BOM_UTF8))
        quotes = quotes or b'"' in block
        if b"\r" in block:
            returns += block.count(b"\r")
            pairs += block.count(b"\r\n")
    return Survey(utf8=utf8 and not pending, quotes=quotes, lone_returns=returns != pairs, inner_marks=marks > 0)


def _blocks(content: BinaryIO) -> Iterator[bytes]:
    """Blocks of bytes, of which none ends between a carriage return and a line feed."""
    while block := content.read(_BLOCK_BYTES):
        while block.endswith(b"\r") and (following := content.read(1)):
            block += following
        yield block


def lines_beyond_ascii(content: BinaryIO) -> tuple[list[bytes], int]:
    """The first lines that are not UTF-8, and how many others beyond ASCII are UTF-8 up to there."""
    foreign: list[bytes] = []
    fitting, size = 0, 0
    for line in content:
        if line.isascii():
            continue
        size += len(line)
        try:
            line.decode()
            fitting += 1
        except UnicodeDecodeError:
            foreign.append(line[:_SAMPLE_BYTES])
        if foreign and size > _SAMPLE_BYTES:
            break
    return foreign, fitting


def count_line_feeds(file: Path) -> int:
    """The line feeds of a file."""
    with file.open("rb") as opened:
        return sum(block.count(b"\n") for block in iter(lambda: opened.read(_BLOCK_BYTES), b""))


def line_breaks_in_cells(file: Path, separator: str) -> Positions | None:
    """The records in which quoted cells hold line breaks: an index from 0 for each such break, in order.

    None where a quote mark stands elsewhere than around a cell, or doubled inside one, or is not closed.
    """
    inside, records, found = False, 0, []
    with file.open("rb") as opened:
        opened.seek(len(codecs.BOM_UTF8) if opened.read(3) == codecs.BOM_UTF8 else 0)
        while block := opened.read(_BLOCK_BYTES) + opened.readline():
            bytes_ = np.frombuffer(block, np.uint8)
            quotes = np.flatnonzero(bytes_ == _QUOTE)
            if not _are_outer(bytes_, quotes, ord(separator), inside=inside):
                return None
            feeds = np.flatnonzero(bytes_ == _FEED)
            before = np.searchsorted(quotes, feeds) if len(quotes) else np.zeros(len(feeds), np.int64)
            within = (before + inside) % 2 == 1
            if within.any():
                found.append(records + np.cumsum(~within)[within])
            records += int(len(feeds) - within.sum())
            inside = (len(quotes) + inside) % 2 == 1
    if inside:
        return None
    return np.concatenate(found) if found else np.empty(0, np.int64)


def _are_outer(bytes_: npt.NDArray[Any], quotes: Positions, separator: int, *, inside: bool) -> bool:
    """Whether each quote mark opens or closes a cell, or is doubled inside one. A block ends with its line."""
    opening, closing = (quotes[1::2], quotes[0::2]) if inside else (quotes[0::2], quotes[1::2])
    before = bytes_[opening[opening > 0] - 1]
    after = bytes_[closing[closing + 1 < len(bytes_)] + 1]
    opens = (before == separator) | (before == _FEED) | (before == _QUOTE)
    closes = (after == separator) | (after == _FEED) | (after == _RETURN) | (after == _QUOTE)
    return bool(opens.all() and closes.all())
