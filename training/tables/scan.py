"""Files as tables: lazy frames of text with LINE and BROKEN, and what was found around them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from recommender.reading import ReadingOptions
from training.tables.files import BROKEN, LINE, reading
from training.tables.json_files import is_document, scan_lines, write_lines
from training.tables.text.content import Content, look_into
from training.tables.text.delimited import scan_delimited, scan_rows
from training.tables.text.plain_text import PlainText, plain_text
from training.tables.text.zstandard import unpack_zstandard
from training.tables.workbooks import read_sheet
from training.tables.workspace import Workspace


@dataclass(frozen=True)
class Table:
    """A file as a table.

    Attributes:
        frame: its rows, with LINE and BROKEN.
        content: what tells whether two files are copies: the file, or its unpacked text.
        remarks: code → sentence on how it was read, and what was left out around it.
    """

    frame: pl.LazyFrame
    content: Path
    remarks: Mapping[str, str] = field(default_factory=dict)


def scan_file(file: Path, options: ReadingOptions, work: Workspace) -> Table:
    """A file as a table; its kind is told by its first bytes, not by its name.

    Args:
        file: CSV or other delimited text of any encoding, JSON-lines, a JSON document, Parquet or a workbook; text may
            be packed by gzip, bzip2, xz, ZIP or Zstandard.
        options: encoding and sheet.
        work: where copies go that the frame reads; it must be open as long as the frame is in use.

    Raises:
        UnreadableFileError: it is empty, of a kind that is not read, or cannot be opened.
        UnclearInputError: a workbook has several tables.
        UsageError: there is no such encoding or sheet.
        HomeError: a copy cannot be written.
    """
    with reading(file):
        content = look_into(file, unpack_zstandard(file, work))
        if content.kind == "parquet":
            frame = pl.scan_parquet(content.stored, row_index_name=LINE, row_index_offset=1, glob=False)
            return Table(frame.with_columns(pl.lit(None, pl.String).alias(BROKEN)), file)
        if content.kind == "workbook":
            return _scan_workbook(file, options, work)
        text = plain_text(content, options.encoding, work)
        if content.kind == "json":
            return _scan_json(text, content, work)
        frame, remarks = scan_delimited(text.file, work, quotes=text.quotes)
        return Table(frame, text.file, {**text.remarks, **remarks})


def _scan_json(text: PlainText, content: Content, work: Workspace) -> Table:
    whole = text.file.stat().st_size <= len(content.head)
    with text.file.open(encoding="utf-8-sig") as document:
        if not is_document(document.read(len(content.head)), whole=whole):
            return Table(scan_lines(text.file, content.file), text.file, text.remarks)
        document.seek(0)
        copy = work.new_file(".jsonl")
        with copy.open("w", encoding="utf-8") as lines:
            key = write_lines(document, lines, content.file, whole=whole)
    said = {"json_array": f"the objects under {key!r} are read; what is around them is left out"} if key else {}
    return Table(scan_lines(copy, content.file), text.file, {**text.remarks, **said})


def _scan_workbook(file: Path, options: ReadingOptions, work: Workspace) -> Table:
    rows, remarks = read_sheet(file, options.sheet)
    frame, around = scan_rows(rows, work)
    return Table(frame, file, {**remarks, **around})
