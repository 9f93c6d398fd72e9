"""Columns of ids and times of small files, such as assignments and events, read like purchase files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from recommender.errors import UnclearInputError
from recommender.reading import ReadingOptions
from training.cells.findings import refuse_questions
from training.cells.forms.time_text import UTC_MOMENT
from training.cells.ids import hash_customers, read_ids
from training.cells.source_column import SourceColumn
from training.cells.texts import text_of
from training.cells.times import read_times
from training.ingest.columns import side_kind, take_own_columns
from training.tables.files import BROKEN, LINE, NO_ROWS, reading, unchanged
from training.tables.scan import scan_file
from training.tables.text.plain_text import GUESSED
from training.tables.workspace import Workspace

_IDS = ("customer_id", "product_id")
_TOLD = "__told__"
_BEYOND_ASCII = r"[^\x00-\x7f]"


@dataclass(frozen=True)
class SideFile:
    """How a file of assignments or events is to be read.

    Attributes:
        named: our column → the file's.
        option: of the command line that names them.
        salt: of the digests that stand for customer ids; None: ids stay.
    """

    named: Mapping[str, str] = field(default_factory=dict)
    option: str = "--event-columns"
    salt: bytes | None = None


AS_IT_IS = SideFile()


def read_columns(
    file: Path,
    texts: Sequence[str],
    work: Workspace,
    *,
    moment: str | None = None,
    optional: Sequence[str] = (),
    how: SideFile = AS_IT_IS,
) -> tuple[pl.DataFrame, int]:
    """The wanted columns of a file of any kind that `scan_file` reads.

    Args:
        file: what to read; other columns are ignored.
        texts: columns of text.
        work: for copies of the file.
        moment: a column of times in any form that a purchase file may have; last in the result. None: no such column.
        optional: those of `texts` and `moment` that the file need not have, and whose cells may be empty.
        how: it is to be read; a customer id that looks like a digest stays.

    Returns:
        The rows whose other cells are all filled and readable, and how many are not so. A time that is there but
        cannot be read counts as unusable even if it is optional.

    Raises:
        UnreadableFileError: the file is absent, empty, of the wrong kind or encoding, or changed while it was read.
        MissingColumnError: a column that is not optional is absent; it proposes what could be meant.
        UsageError: a column is named that is not ours.
        UnclearInputError: the times could mean two things, or ids hold letters whose encoding would have to be guessed.
    """
    names = [*texts, *([moment] if moment else [])]
    with unchanged([file]), reading(file):
        table = scan_file(file, ReadingOptions(), work)
        required = [name for name in names if name not in optional]
        frame = _named(table.frame, names, required, file, how)
        schema = frame.collect_schema()
        columns = [_cell(frame, name, schema).alias(name) for name in texts]
        kept = frame.filter(~pl.col(BROKEN).is_in(NO_ROWS).fill_null(value=False))
        times = _moment(frame, moment, schema, file) if moment else ()
        rows = kept.select(*columns, *times).collect(engine="streaming")
    if GUESSED in table.remarks and rows.select(pl.col(texts).str.contains(_BEYOND_ASCII).any()).to_numpy().any():
        raise UnclearInputError(f"{file} is not UTF-8, and its ids hold letters beyond ASCII; save it as UTF-8")
    usable = rows.filter(pl.all_horizontal(pl.col(required).is_not_null()))
    if moment:
        usable = usable.filter(pl.col(moment).is_not_null() | ~pl.col(_TOLD)).drop(_TOLD)
    return hash_customers(usable, how.salt, digests_stay=True), len(rows) - len(usable)


def _named(
    frame: pl.LazyFrame, names: Sequence[str], required: Sequence[str], file: Path, how: SideFile
) -> pl.LazyFrame:
    """The taken columns under our names, with LINE and BROKEN."""
    seen = [name for name in frame.collect_schema().names() if name not in {LINE, BROKEN}]
    taken = take_own_columns(seen, how.named, str(file), side_kind(names, required, how.option))
    return frame.select(LINE, BROKEN, *(pl.col(theirs).alias(ours) for ours, theirs in taken.items()))


def _cell(frame: pl.LazyFrame, name: str, schema: pl.Schema) -> pl.Expr:
    """The column's text; an id as in a purchase file, so that both name the same."""
    if name in _IDS and name in schema:
        return read_ids(name, SourceColumn(frame, name)).value.fill_null(_text(name, schema))
    return _text(name, schema)


def _text(name: str, schema: pl.Schema) -> pl.Expr:
    return text_of(name, schema[name]) if name in schema else pl.lit(None, pl.String)


def _moment(frame: pl.LazyFrame, name: str, schema: pl.Schema, file: Path) -> tuple[pl.Expr, pl.Expr]:
    """The time, and whether the cell says anything."""
    if name not in schema:
        return pl.lit(None, UTC_MOMENT).alias(name), pl.lit(value=False).alias(_TOLD)
    moment = read_times(SourceColumn(frame, name), ReadingOptions())
    refuse_questions(str(file), moment.questions)
    return moment.value.alias(name), _text(name, schema).is_not_null().alias(_TOLD)
