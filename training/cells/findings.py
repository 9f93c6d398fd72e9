"""Findings of reading: notes, which say what was changed or left out, and questions, which only the user can answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import polars as pl

from recommender.errors import UnclearInputError

READ = "__read__"
"""Before our name of a column: its cell as it was read."""


@dataclass(frozen=True)
class Note:
    """What reading changed, left out or took for something, in one sentence.

    Attributes:
        code: for programs, such as `decimal_comma`.
        text: for people, such as "unit_price: 1.234,50 is read as 1234.50".
        rows: how many rows it touches; None where that is not counted.
        names_customers: whether the text holds ids of customers, so that no manifest may keep it.
    """

    code: str
    text: str
    rows: int | None = None
    names_customers: bool = False


@dataclass(frozen=True)
class CountedNote:
    """A note whose rows are counted while the file is read; it is told where there are any.

    Attributes:
        code: see Note.
        text: see Note.
        where: which rows it touches, over our columns and the cells as read (READ before our name).
    """

    code: str
    text: str
    where: pl.Expr


@dataclass(frozen=True)
class Question:
    """What a cell could mean, and the options that settle it.

    Attributes:
        code: for programs, such as `day_or_month_first`.
        column: the source's column.
        cell: one of its cells.
        choices: options as they can be typed on the command line → what the cell means with them.
        remedy: what the cell could be that no option reads, and what to do then; empty: nothing else.
    """

    code: str
    column: str
    cell: str
    choices: Mapping[str, str]
    remedy: str = ""

    def __str__(self) -> str:
        meanings = [f"{meaning} ({option})" for option, meaning in self.choices.items()]
        could_be = ", or ".join([*meanings, self.remedy] if self.remedy else meanings)
        return f"column {self.column!r}: {self.cell!r} could be {could_be}"


@dataclass(frozen=True)
class ReadCells:
    """How the cells of a column are read.

    Attributes:
        value: what they mean, as an expression over the source's columns.
        found: what the report says about them; empty: nothing.
        notes: what of them was taken for something, changed or left out.
        questions: what is unclear; what depends on the answer is null.
        currency: of each cell, as text, as an expression over the source's columns; None: no cell of the head has one.
        counted: notes whose rows are counted while the file is read.
        decimal: the sign before decimals, where numbers of the head show it.
    """

    value: pl.Expr
    found: str = ""
    notes: Sequence[Note] = ()
    questions: Sequence[Question] = ()
    currency: pl.Expr | None = None
    counted: Sequence[CountedNote] = ()
    decimal: Literal[".", ","] | None = None


def merge_notes(notes: Sequence[Note]) -> list[Note]:
    """Notes of several files, each of the same code and text once, with the sum of their rows."""
    merged: dict[tuple[str, str], Note] = {}
    for note in notes:
        same = merged.get((note.code, note.text))
        rows = note.rows if same is None or same.rows is None or note.rows is None else same.rows + note.rows
        merged[note.code, note.text] = replace(note, rows=rows)
    return list(merged.values())


def refuse_questions(file: str, questions: Sequence[Question]) -> None:
    """Raise where something is unclear.

    Raises:
        UnclearInputError: there is a question; the message holds them all.
    """
    if questions:
        choose = "; add the option that is right" if any(question.choices for question in questions) else ""
        raise UnclearInputError(f"{file} is unclear: {'; '.join(map(str, questions))}{choose}")
