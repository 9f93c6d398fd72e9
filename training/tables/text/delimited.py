"""Delimited text as lazy frames: as it stands where polars reads it rightly, else by a copy that it does."""

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import polars as pl

from training.tables.files import BROKEN, CLOSING_LINE, LINE, REPEATED_HEADER
from training.tables.text.layout import LAYOUT_LINES, Layout, find_layout, find_layout_of_rows
from training.tables.text.records import BLANK, BLANKS, Record, read_records
from training.tables.text.survey import Positions, count_line_feeds, line_breaks_in_cells
from training.tables.workspace import Workspace

_MORE = "__more__"
_TOO_LONG = "more cells than the header"
_TAIL_BYTES = 100_000
_TOTAL = re.compile(
    r"[\W_]*((grand|sub)[\s-]?)?(total|totals|sum|summe|gesamt\w*|insgesamt|somme|totale|totaal|summa|suma|toplam|razem|"
    r"celkem|итого|всего|المجموع|الإجمالي|جمع|合計|合计|总计)\b.{0,30}",
    re.IGNORECASE,
)
_NOTHING = " \t\0\x1a\N{REPLACEMENT CHARACTER}"
_NUMBER = re.compile(r"[-+(]?[$€£]?\s?\d[\d.,'\s]*[$€£)]?")
_ENDING = re.compile(r"[-=+|_\s]*[-=_][-=+|_\s]*|\(?\d[\d,.]* (rows?|records?|lines?)( .{0,20})?\)?", re.IGNORECASE)


def scan_delimited(file: Path, work: Workspace, *, quotes: bool) -> tuple[pl.LazyFrame, Mapping[str, str]]:
    """A UTF-8 file of delimited text as a frame of text with LINE and BROKEN, and code → sentence on what is around it.

    Args:
        file: with line feeds; not empty.
        work: where a copy goes if one is needed.
        quotes: whether the file holds a quote mark.

    Raises:
        HomeError: the copy cannot be written.
    """
    with file.open(encoding="utf-8-sig") as lines:
        layout = find_layout(list(islice(lines, LAYOUT_LINES)))
    ends = _unusual_ends(file, layout)
    breaks: Positions | None = np.empty(0, np.int64)
    if quotes or layout.separator in {BLANKS, BLANK}:
        breaks = line_breaks_in_cells(file, layout.separator) if len(layout.separator.strip(" ")) else None
    if breaks is not None:
        return _scan_as_it_is(file, layout, breaks, ends, quotes=quotes), layout.remarks
    literal: Counter[str] = Counter()
    with file.open(encoding="utf-8-sig") as lines:
        records = read_records(lines, layout.separator, len(layout.cells))
        frame = _scan_copy(_noting_literal(records, literal), layout, ends, work)
    return frame, {**layout.remarks, **_quote_remark(literal)}


def scan_rows(rows: Sequence[Sequence[str]], work: Workspace) -> tuple[pl.LazyFrame, Mapping[str, str]]:
    """Rows from the first line on, of which one is filled, as `scan_delimited` returns them."""
    layout = find_layout_of_rows(rows[:LAYOUT_LINES])
    records = [Record(number, number, list(row)) for number, row in enumerate(rows, start=1)]
    ends = {record.line: CLOSING_LINE for record in records[-3:] if _is_closing(record.cells, len(layout.cells))}
    return _scan_copy(records, layout, ends, work), layout.remarks


def _scan_as_it_is(
    file: Path, layout: Layout, breaks: Positions, ends: Mapping[int, str], *, quotes: bool
) -> pl.LazyFrame:
    """All columns as text. One column more than the header catches rows that are too long; short rows end in nulls."""
    frame = pl.scan_csv(
        file,
        separator=layout.separator,
        has_header=False,
        skip_lines=layout.first,
        schema=dict.fromkeys([*layout.names, _MORE], pl.String),
        quote_char='"' if quotes else None,
        truncate_ragged_lines=True,
        extra_columns="ignore",
        missing_columns="insert",
        row_index_name=LINE,
        row_index_offset=layout.first + 1,
        glob=False,
    )
    if len(breaks):
        frame = frame.with_columns(_true_line(breaks, layout.records, layout.first))
    return frame.with_columns(_broken(layout, ends).alias(BROKEN)).drop(_MORE)


def _true_line(breaks: Positions, records: int, first: int) -> pl.Expr:
    """LINE where cells hold line breaks: each one before a record moves it one line on."""

    def lines(numbers: pl.Series) -> pl.Series:
        record = numbers.to_numpy().astype(np.int64) - (first + 1) + records
        return pl.Series(record + 1 + np.searchsorted(breaks, record), dtype=pl.UInt32)

    return pl.col(LINE).map_batches(lines, return_dtype=pl.UInt32, is_elementwise=True)


def _broken(layout: Layout, ends: Mapping[int, str]) -> pl.Expr:
    head = list(zip(layout.names, layout.cells, strict=True))[:2]
    repeated = pl.all_horizontal(pl.col(name) == cell for name, cell in head if cell.strip())
    flaws = {_TOO_LONG: pl.col(_MORE).is_not_null(), REPEATED_HEADER: repeated}
    for reason in set(ends.values()):
        flaws[reason] = pl.col(LINE).is_in([line for line, why in ends.items() if why == reason])
    return pl.coalesce(pl.when(flaw).then(pl.lit(reason)) for reason, flaw in flaws.items())


def _scan_copy(records: Iterable[Record], layout: Layout, ends: Mapping[int, str], work: Workspace) -> pl.LazyFrame:
    """Records as a CSV file that says of each its line and what is broken in it."""
    width = len(layout.cells)
    copy = work.new_file(".csv")
    with copy.open("w", encoding="utf-8", newline="") as target:
        writer = csv.writer(target, lineterminator="\n")
        for record in records:
            if record.line > layout.first and any(record.cells):
                cells = [cell.replace("\0", "\N{REPLACEMENT CHARACTER}") for cell in record.cells]
                missing = [""] * (width - len(cells))
                writer.writerow((record.line, _flaw(record, layout, ends), *cells[:width], *missing))
    schema = {LINE: pl.UInt32, BROKEN: pl.String, **dict.fromkeys(layout.names, pl.String)}
    return pl.scan_csv(copy, has_header=False, schema=schema, glob=False)


def _flaw(record: Record, layout: Layout, ends: Mapping[int, str]) -> str:
    width = len(layout.cells)
    if any(record.cells[width:]):
        return _TOO_LONG
    if record.cells == layout.cells:
        return REPEATED_HEADER
    if layout.separator in {BLANKS, BLANK} and len(record.cells) < width and record.line not in ends:
        return "fewer cells than the header"
    return ends.get(record.line, "")


def _unusual_ends(file: Path, layout: Layout) -> dict[int, str]:
    """Line → why it is no row, for the last lines of a file: totals, and a row that the end of the file cuts."""
    with file.open("rb") as opened:
        size = opened.seek(0, 2)
        opened.seek(max(0, size - _TAIL_BYTES))
        lines = opened.read().decode(errors="replace").split("\n")
    whole = size <= _TAIL_BYTES
    records = [record for record in read_records(lines if whole else lines[1:], layout.separator) if any(record.cells)]
    records = [record for record in records if not whole or record.line > layout.first]
    width = len(layout.cells)
    ends = {record.line: CLOSING_LINE for record in records[-3:] if _is_closing(record.cells, width)}
    others = [len(record.cells) for record in records[:-1] if record.line not in ends]
    if lines[-1] and others and min(others) == width > len(records[-1].cells) and records[-1].line not in ends:
        ends[records[-1].line] = "the file ends in the middle of it"
    if not ends or whole:
        return ends
    before = count_line_feeds(file) + 1 - len(lines) + 1
    return {line + before: reason for line, reason in ends.items()}


def _is_closing(cells: Sequence[str], width: int) -> bool:
    """Whether a line sums the rows up or ends the table."""
    filled = [cell.strip() for cell in cells if cell.strip(_NOTHING)]
    if width < 2 or len(filled) >= width:
        return False
    if not filled:
        return True
    ending = _ENDING.fullmatch(" ".join(filled)) is not None or _TOTAL.fullmatch(filled[0]) is not None
    sums = not cells[0].strip() and 2 * len(filled) <= width and all(map(_NUMBER.fullmatch, filled))
    words = width > 2 and len(filled) == 1 and " " in cells[0].strip()
    return ending or sums or words


def _noting_literal(records: Iterable[Record], literal: Counter[str]) -> Iterator[Record]:
    for record in records:
        if record.literal:  # all are counted under the first
            literal[next(iter(literal), next(cell for cell in record.cells if '"' in cell)[:40])] += 1
        yield record


def _quote_remark(literal: Counter[str]) -> dict[str, str]:
    if not literal:
        return {}
    said = f"quote marks that CSV would double are read as they stand, such as {next(iter(literal)).strip()!r}"
    return {"quote_marks": f"{said} (lines: {literal.total():,})"}
