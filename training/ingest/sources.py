"""Sources of purchases: scanned files, and what their headers and first cells are where nobody knows their columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import polars as pl

from recommender.reading import FormatSettings, ReadingOptions
from training.cells.findings import Note
from training.ingest.columns import first_cells
from training.ingest.formats.format import Format
from training.ingest.formats.known import find_format
from training.tables.copies import without_copies
from training.tables.files import BROKEN, LINE, find_files, reading
from training.tables.scan import scan_file
from training.tables.workspace import Workspace


@dataclass(frozen=True)
class PurchaseFile:
    """A purchase file as one table; or the files that a format joins.

    Attributes:
        file: for messages and the quarantine.
        frame: the table with LINE and BROKEN.
        notes: on how it was opened.
    """

    file: Path
    frame: pl.LazyFrame
    notes: Sequence[Note] = ()


def open_sources(
    files: Sequence[Path], format_: Format, options: ReadingOptions, work: Workspace
) -> list[PurchaseFile]:
    """The scanned files, each content once; a format that joins files makes one of them, named after their folder.

    Raises:
        UnreadableFileError: a file is empty, of a kind that is not read, or missing from those to join.
        UnclearInputError, UsageError, HomeError: see `training.tables.scan.scan_file`.
    """
    tables = without_copies({file: scan_file(file, options, work) for file in files})
    notes = {
        file: [Note(code, f"{file.name}: {said}") for code, said in table.remarks.items()]
        for file, table in tables.items()
    }
    stems = {file.name.split(".")[0]: table.frame for file, table in tables.items()}
    if format_.combine is None or not format_.joins(stems):
        return [PurchaseFile(file, format_.prepare(table.frame), notes[file]) for file, table in tables.items()]
    folder = files[0].parent
    with reading(folder):
        return [PurchaseFile(folder, format_.combine(stems), list(chain.from_iterable(notes.values())))]


def header_cells(
    paths: Sequence[str | Path], options: ReadingOptions, own: Mapping[str, FormatSettings], work: Workspace
) -> dict[str, dict[str, str]]:
    """File → column → its first filled cell; empty where there is none.

    Args:
        paths: files, folders and globs.
        options: how they are to be read.
        own: formats of the settings.
        work: for copies of files.

    Raises:
        UnreadableFileError: a file cannot be read.
    """
    headers = {}
    for opened in open_sources(find_files(paths), find_format(options.format, own), options, work):
        with reading(opened.file):
            names = [name for name in opened.frame.collect_schema().names() if name not in {LINE, BROKEN}]
            cells = first_cells(opened.frame, {name: name for name in names})
        headers[str(opened.file)] = {name: cells.get(name, "") for name in names}
    return headers
