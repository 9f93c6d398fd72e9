"""Headers with a cell of each column, of files whose columns nobody knows yet."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from recommender.reading import FormatSettings, ReadingOptions
from training.ingest.columns import first_cells
from training.ingest.formats.known import find_format
from training.ingest.rows import open_sources
from training.tables.files import BROKEN, LINE, find_files, reading
from training.tables.workspace import Workspace


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
