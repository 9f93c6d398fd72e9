"""Records of delimited text: lines as cells, with quote marks as CSV has them or as people leave them."""

import re
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

BLANKS, BLANK = "  ", " "
"""The separators of columns that runs of blanks part: of two or more, or of any number."""
_MOST_LINES = 1_000
"""A cell over more lines is one whose quote mark was never closed."""
_QUOTED = re.compile(r'"([^"]*(?:""[^"]*)*)(")?')
_RUNS = {BLANKS: re.compile(r"\s{2,}|\t"), BLANK: re.compile(r"\s+")}


class Record(NamedTuple):
    """A line, or the lines that a cell with line breaks holds together.

    Attributes:
        line: the first, from 1.
        end: the last.
        cells: text.
        literal: whether a quote mark stands where CSV would double it, and was taken as it is.
    """

    line: int
    end: int
    cells: list[str]
    literal: bool = False


def read_records(lines: Iterable[str], separator: str, width: int | None = None) -> Iterator[Record]:
    """The records of lines; an empty line has one empty cell.

    Args:
        lines: each may end with a line feed.
        separator: one character, or BLANKS, or BLANK.
        width: cells of the header: a record over several lines is one only if it has as many. None: of any width.
    """
    rest = _Lines(enumerate(lines, start=1))
    for number, line in rest:
        text = line.rstrip("\n")
        if run := _RUNS.get(separator):
            yield Record(number, number, run.split(text.strip()))
        elif '"' not in text:
            yield Record(number, number, text.split(separator))
        else:
            cells, literal, left_open = _split(text, separator)
            if literal and '\\"' in text:  # some programs put a backslash before what CSV doubles
                escaped, flawed, unclosed = _split(text.replace('\\"', '""'), separator)
                cells, literal, left_open = (cells, literal, left_open) if flawed else (escaped, flawed, unclosed)
            joined = _join(number, text, rest, separator, width) if left_open else None
            yield joined or Record(number, number, cells, literal)


class _Lines:
    """Numbered lines of which some can be put back."""

    def __init__(self, lines: Iterator[tuple[int, str]]) -> None:
        self._lines = lines
        self._waiting: deque[tuple[int, str]] = deque()

    def __iter__(self) -> Iterator[tuple[int, str]]:
        return self

    def __next__(self) -> tuple[int, str]:
        return self._waiting.popleft() if self._waiting else next(self._lines)

    def put_back(self, lines: list[tuple[int, str]]) -> None:
        self._waiting.extendleft(reversed(lines))


def _join(number: int, text: str, rest: _Lines, separator: str, width: int | None) -> Record | None:
    """The record whose last cell goes on over the next lines; None, and they are put back, where it never ends well."""
    taken: list[tuple[int, str]] = []
    parts = [text]
    for following in islice(rest, _MOST_LINES):
        taken.append(following)
        parts.append(following[1].rstrip("\n"))
        if '"' not in following[1]:
            continue
        cells, literal, left_open = _split("\n".join(parts), separator)
        if left_open:
            continue
        if literal or (width is not None and len(cells) != width):
            break
        return Record(number, following[0], cells)
    rest.put_back(taken)
    return None


def _split(text: str, separator: str) -> tuple[list[str], bool, bool]:
    """Cells; whether a quote mark was taken as it is; whether the last quoted cell is not closed.

    A cell is quoted where its first character is a quote mark and the one that closes it ends the cell.
    """
    cells: list[str] = []
    at, literal, left_open = 0, False, False
    while True:
        quoted = _QUOTED.match(text, at)
        if quoted and quoted[2] and (quoted.end() == len(text) or text.startswith(separator, quoted.end())):
            end = quoted.end()
            cells.append(quoted[1].replace('""', '"'))
        else:
            end = text.find(separator, at)
            end = len(text) if end < 0 else end
            cells.append(text[at:end])
            literal = literal or '"' in cells[-1]
            left_open = left_open or (quoted is not None and not quoted[2])
        if end == len(text):
            return cells, literal, left_open
        at = end + 1
