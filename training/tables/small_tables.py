"""Tables read row by row with nothing copied to the disk, such as lists of customers and of their addresses."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import TextIO

from recommender.errors import UnreadableFileError
from training.tables.files import reading
from training.tables.text.content import look_into
from training.tables.text.layout import LAYOUT_LINES, find_layout, find_layout_of_rows
from training.tables.text.plain_text import is_guessed, open_text
from training.tables.text.records import read_records
from training.tables.workbooks import read_sheet

FindColumns = Callable[[Sequence[str], Path], Mapping[str, str]]
"""Finds our columns, as our name → the table's, in the names of a file's columns."""


@dataclass(frozen=True)
class SmallTable:
    """A table that is read once, row by row.

    Attributes:
        names: of its columns.
        rows: line and cells, which may be fewer or more than the names; empty lines are left out.
        encoding: of the text; empty for a workbook.
        guessed: whether it may be another.
    """

    names: Sequence[str]
    rows: Iterator[tuple[int, Sequence[str]]]
    encoding: str
    guessed: bool


@contextmanager
def open_table(file: Path) -> Iterator[SmallTable]:
    """A file of delimited text, which may be packed, or a workbook as a table.

    Raises:
        UnreadableFileError: it is absent, empty, of another kind, or breaks off.
        UnclearInputError: it is a workbook with several tables.
    """
    with reading(file):
        content = look_into(file)
        if content.kind == "workbook":
            sheet, _ = read_sheet(file, None)
            layout = find_layout_of_rows(sheet[:LAYOUT_LINES])
            rows = ((line, cells) for line, cells in enumerate(sheet, start=1) if line > layout.first and any(cells))
            yield SmallTable(layout.names, rows, "", guessed=False)
            return
        with open_lines(file) as lines:
            head = list(islice(lines, LAYOUT_LINES))
            layout = find_layout(head)
            records = read_records(chain(head, lines), layout.separator, len(layout.cells))
            filled = ((each.line, each.cells) for each in records if each.line > layout.first and any(each.cells))
            yield SmallTable(layout.names, filled, lines.encoding, guessed=is_guessed(lines))


@contextmanager
def open_lines(file: Path) -> Iterator[TextIO]:
    """A file of text, which may be packed, as lines.

    Raises:
        UnreadableFileError: it is absent, empty, of another kind, or breaks off.
    """
    with reading(file):
        content = look_into(file)
        if content.kind != "text":
            raise UnreadableFileError(f"{file} is no CSV ({content.kind}); export it as CSV")
        with open_text(content, None) as lines:
            yield lines
