"""The layout of delimited text: what parts its columns, which line is the header, and what stands around the table."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from training.tables.text.records import BLANK, BLANKS, Record, read_records

LAYOUT_LINES = 400
"""Lines that `find_layout` wants to see."""
_SAMPLE_RECORDS = 200
_SEPARATORS = (",", ";", "\t", "|", "^", "~", "\x01", "\x1f")
_LEAST = {BLANKS: (0.2, 0.8), BLANK: (0.1, 1.0)}
"""Separator → its agreement, and the share of lines that must agree."""
_DECLARED = re.compile(r"sep=(.)", re.IGNORECASE)
_RULE = re.compile(r"[-=+|_:\s]*[-=_][-=+|_:\s]*")
"""A line that is drawn under a header, such as `-----+-----`."""
_FILLED_SHARE = 0.6
"""A header fills at least this share of the cells that the fullest line fills; a title fills fewer."""


@dataclass(frozen=True)
class Layout:
    """Where the columns of delimited text are.

    Attributes:
        separator: one character, or BLANKS, or BLANK.
        first: number of lines down to the first row, from 0: title lines and headers.
        records: number of records there; fewer than lines where headers hold line breaks.
        cells: of the header, as they stand.
        remarks: code → sentence on what is around the table.
    """

    separator: str
    first: int
    records: int
    cells: Sequence[str]
    remarks: Mapping[str, str]

    @property
    def names(self) -> list[str]:
        """A name for each column: its header without marks; `column 3` where it is empty, `price_2` where repeated."""
        seen: Counter[str] = Counter()
        names = []
        for number, cell in enumerate(self.cells, start=1):
            name = (_plain(cell).strip() if self.separator == "|" else _plain(cell)) or f"column {number}"
            seen[name] += 1
            names.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
        return names


def find_layout(lines: Sequence[str]) -> Layout:
    """The layout of text by its first lines.

    Args:
        lines: at least one that is not blank.
    """
    declared = _DECLARED.fullmatch(lines[0].strip('\ufeff" \r\n'))
    skipped = 1 if declared else 0
    parted = {
        separator: list(islice(read_records(lines[skipped:], separator), _SAMPLE_RECORDS))
        for separator in ((declared[1],) if declared else (*_SEPARATORS, BLANKS, BLANK))
    }
    separator = next(iter(parted)) if declared else _best(parted)
    records = parted[separator]
    at = _header_at(records)
    under = _lines_under(records, at)
    first = skipped + records[at + under].end
    return Layout(separator, first, skipped + at + under + 1, records[at].cells, _remarks(records, at, under))


def find_layout_of_rows(rows: Sequence[Sequence[str]]) -> Layout:
    """The layout of a workbook's sheet by its first rows, of which one is filled."""
    records = [Record(number, number, list(row)) for number, row in enumerate(rows, start=1)]
    at = _header_at(records)
    under = _lines_under(records, at)
    return Layout(",", at + under + 1, at + under + 1, records[at].cells, _remarks(records, at, under))


def _best(parted: Mapping[str, Sequence[Record]]) -> str:
    """The separator with which most lines have as many cells as the header; of equals, the first."""
    return max(parted, key=lambda separator: _agreement(parted[separator], separator))


def _agreement(records: Sequence[Record], separator: str) -> float:
    header = records[_header_at(records)]
    width = len(header.cells)
    same = sum(len(record.cells) == width for record in records)
    if separator in _LEAST:  # what other separators part may hold blanks too, and ids may
        least, share = _LEAST[separator]
        agree = same >= share * sum(_filled(record) > 0 for record in records) and not _is_row(header)
        return least if width > 2 and len(records) > 1 and agree else 0
    return same * (width - 1) * (0.1 if _is_row(header) else 1)


def _filled(record: Record) -> int:
    return sum(cell.strip() != "" for cell in record.cells)


def _header_at(records: Sequence[Record]) -> int:
    """Index of the header: the first line that is about as full as the fullest, or that names columns above it."""
    most = max(map(_filled, records), default=0)
    full = next((index for index, each in enumerate(records) if 0 < _filled(each) >= _FILLED_SHARE * most), 0)
    if not _is_row(records[full]):
        return full
    # a header that leaves cells empty is still one where the row below it has as many
    width = len(records[full].cells)
    names = [each for each in range(full) if len(records[each].cells) == width and _filled(records[each]) > 1]
    return max(names, key=lambda index: _filled(records[index]), default=full)


def _is_row(record: Record) -> bool:
    """Whether cells are numbers or dates."""
    return any(re.match(r"\s*[-+]?\d", cell) for cell in record.cells)


def _lines_under(records: Sequence[Record], at: int) -> int:
    """How many of the next lines belong to the header: one drawn under it, or a second one, without any digit."""
    under = 0
    following = [record for record in records[at + 1 : at + 12] if _filled(record)]
    if following and _RULE.fullmatch(" ".join(following[0].cells)) and _filled(following[0]):
        under, following = 1, following[1:]
    if len(following) > 2 and _is_second_header(following[0], following[1:], len(records[at].cells)):
        under += 1
    return under


def _is_second_header(record: Record, rows: Sequence[Record], width: int) -> bool:
    """Whether a line as full as a header has no digit although two columns or more are numbers or dates in all rows."""
    if len(record.cells) != width or _filled(record) < _FILLED_SHARE * width or re.search(r"\d", "".join(record.cells)):
        return False
    columns = zip(*(row.cells for row in rows if len(row.cells) == width), strict=True)
    return sum(all(re.match(r"\s*\d", cell) for cell in column) for column in columns) > 1


def _remarks(records: Sequence[Record], at: int, under: int) -> dict[str, str]:
    remarks = {}
    if above := [record for record in records[:at] if _filled(record)]:
        shown = _shown(" ".join(filter(None, above[0].cells)))
        remarks["title_lines"] = f"what stands above the header is left out (lines: {len(above)}), such as {shown}"
    if under:
        shown = _shown(" ".join(records[at + under].cells))
        remarks["second_header"] = f"the line under the header is left out, being no row: {shown}"
    repeated = [name for name, count in Counter(map(_plain, records[at].cells)).items() if name and count > 1]
    if repeated:
        name = repeated[0]
        remarks["repeated_column"] = f"column {name!r} stands there more than once; the next is called '{name}_2'"
    return remarks


def _shown(text: str) -> str:
    return repr(text.strip()[:60])


def _plain(cell: str) -> str:
    return cell.strip("\ufeff\u200b\r")
