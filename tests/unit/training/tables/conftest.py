"""Files as tables, read whole."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from recommender.reading import ReadingOptions
from training.tables.files import BROKEN, LINE
from training.tables.scan import scan_file
from training.tables.workspace import Workspace


class Whole(NamedTuple):
    """All of a table: rows without those that are broken, line → what is broken, remarks."""

    names: list[str]
    rows: list[tuple[str | None, ...]]
    lines: list[int]
    broken: dict[int, str]
    remarks: dict[str, str]


@pytest.fixture
def scan(tmp_path: Path) -> Callable[..., Whole]:
    """Write bytes to a file of a name and read them as a table."""

    def scan(content: bytes | str, name: str = "p.csv", **options: str) -> Whole:
        file = tmp_path / name
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return scan_whole(file, **options)

    return scan


def scan_whole(file: Path, **options: str) -> Whole:
    with Workspace(file.parent / "home") as work:
        table = scan_file(file, ReadingOptions(**options), work)
        frame = table.frame.collect(engine="streaming")
    assert not list((file.parent / "home").rglob("*.*"))
    whole = frame.filter(frame[BROKEN].is_null())
    names = [name for name in frame.columns if name not in {LINE, BROKEN}]
    broken = {line: reason for line, reason in frame.select(LINE, BROKEN).rows() if reason}
    return Whole(names, whole.select(names).rows(), whole[LINE].to_list(), broken, dict(table.remarks))
