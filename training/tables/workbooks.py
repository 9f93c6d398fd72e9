"""Workbooks (.xlsx, .xlsm, .xls, .ods): the rows of one sheet as text."""

from datetime import date, datetime, time, timedelta
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recommender.errors import UnclearInputError, UnreadableFileError, UsageError

if TYPE_CHECKING:
    from python_calamine import CalamineSheet, CalamineWorkbook

_LARGEST_EXACT = 2**53
_MOST_OF_DIRECTORY = 10_000_000
"""Bytes in which an encrypted workbook names its parts."""


def read_sheet(file: Path, wanted: str | None) -> tuple[list[list[str]], dict[str, str]]:
    """The rows of a workbook's sheet from its first line on, and code → sentence on what was chosen.

    Raises:
        UnreadableFileError: the library is not installed, or the workbook is broken or protected by a password.
        UnclearInputError: several sheets look like tables, and none is wanted.
        UsageError: the wanted sheet is not there.
    """
    try:
        from python_calamine import CalamineError, PasswordError, load_workbook  # noqa: PLC0415
    except ImportError:
        raise UnreadableFileError(
            f"{file} is a workbook: pip install 'reprise-recommender[excel]' to read it, or export it as CSV"
        ) from None
    try:
        workbook = load_workbook(str(file))
        name, remarks = _choose(workbook, file, wanted)
        return _rows(workbook.get_sheet_by_name(name)), remarks
    except (CalamineError, ValueError) as error:
        with file.open("rb") as opened:
            protected = "EncryptedPackage".encode("utf-16-le") in opened.read(_MOST_OF_DIRECTORY)
        if protected or isinstance(error, PasswordError):
            raise UnreadableFileError(f"{file} is protected by a password; save it without one") from None
        raise UnreadableFileError(f"{file} is no workbook that can be read ({error}); export it as CSV") from None


def _choose(workbook: "CalamineWorkbook", file: Path, wanted: str | None) -> tuple[str, dict[str, str]]:
    from python_calamine import SheetVisibleEnum  # noqa: PLC0415

    names = workbook.sheet_names
    if wanted is not None:
        if wanted not in names:
            raise UsageError(f"{file} has no sheet {wanted!r}; there are {', '.join(map(repr, names))}")
        return wanted, {}
    seen = [each.name for each in workbook.sheets_metadata if each.visible == SheetVisibleEnum.Visible]
    tables = [name for name in seen if _is_table(workbook.get_sheet_by_name(name))]
    if len(tables) > 1:
        shown = ", ".join(f"{name!r} ({workbook.get_sheet_by_name(name).height:,} rows)" for name in tables)
        raise UnclearInputError(
            f"{file} has several sheets that could be meant: {shown}; name one with --sheet, or save it alone"
        )
    if not tables:
        raise UnreadableFileError(f"{file} is empty: none of its sheets holds a header line and rows")
    others = [name for name in names if name != tables[0]]
    said = f"sheet {tables[0]!r} is read; left out: {', '.join(map(repr, others))}"
    return tables[0], {"sheet": said} if others else {}


def _is_table(sheet: "CalamineSheet") -> bool:
    """Whether two of its first lines have two cells or more, or it is one column of several lines."""
    filled = [sum(cell != "" for cell in row) for row in islice(sheet.iter_rows(), 50)]
    return sum(count > 1 for count in filled) > 1 or (sum(filled) > 1 and max(filled) == 1)


def _rows(sheet: "CalamineSheet") -> list[list[str]]:
    rows = [[_text(cell) for cell in row] for row in sheet.to_python(skip_empty_area=False)]
    for (top, left), (bottom, right) in sheet.merged_cell_ranges or ():
        for row in rows[top + 1 : bottom + 1]:  # what is merged over lines holds for each of them
            if left == right:
                row[left] = rows[top][left]
    return rows


def _text(cell: Any) -> str:
    """A cell as CSV would have it; whole numbers without decimals, dates and times in ISO 8601."""
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < _LARGEST_EXACT:
        return str(int(cell))
    if isinstance(cell, datetime | date | time):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        return str(cell)
    return str(cell)
