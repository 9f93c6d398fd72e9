"""Event logs of codes, such as 1 to 4, and documents of several kinds, noticed by the name of their column."""

# ruff: noqa: RUF001 - letters of other scripts are meant

from collections.abc import Mapping, Sequence

import polars as pl

from training.cells.event_log import purchases_of
from training.cells.findings import Question
from training.cells.source_column import SAMPLE_ROWS
from training.cells.statuses import TAKEN_BACK, status_meaning
from training.cells.words import fold_words

_MOST_CODES = 12
_CODE = r"^(?:\d{1,3}(?:\.0)?|[A-Za-z])$"
_MOSTLY = 0.6
"""Share of the rows of one value from which a column of codes called `type` may be one of events."""
_EVENTS = frozenset(
    fold_words("""
    event events action actions activity behavior behaviour interaction ereignis ereignisse aktion verhalten evenement
    evento acción comportamiento azione comportamento ação gebeurtenis actie zdarzenie akcja действие событие поведение
    رویداد رفتار حدث olay eylem davranış 行为 事件 動作
""")
)
_TYPES = frozenset(fold_words("type kind typ art tipo tür тип نوع soort rodzaj"))
_DOCUMENT_TYPES = frozenset(fold_words("belegart belegtyp vorgangsart vorgangstyp dokumentart dokumenttyp"))
_DOCUMENTS = _DOCUMENT_TYPES | frozenset(
    fold_words("document doc voucher beleg documento docto pièce dokument dokumentu документа belge سند المستند مستند")
)
_BESIDE = frozenset({"de", "du", "di", "id", "code", "name", "user", "customer", "client", "flag"})


def find_event_codes(table: pl.LazyFrame, columns: Sequence[str]) -> list[Question]:
    """The columns whose name and few values are those of events, each as the question which of them are purchases.

    Args:
        table: the source.
        columns: that nobody named and whose words tell nothing (`training.cells.event_log`).

    A column called after events is asked about where a value is not known as one of a status; one called `type` where
    all of its values are codes, and most of its rows have the same; one of kinds of documents where more than one of
    them does not say that a row went back: the quote, the order and the invoice of one purchase would count as three.
    """
    known = _EVENTS | _TYPES | _DOCUMENTS
    counts = {name: _counts(table, name) for name in columns if _words(name) and _words(name) <= known}
    return [_question(name, each) for name, each in counts.items() if _are_events(_words(name), each)]


def _words(column: str) -> set[str]:
    return set(fold_words(column)) - _BESIDE


def _are_documents(words: set[str]) -> bool:
    return bool(words & _DOCUMENT_TYPES or (words & _DOCUMENTS and words & _TYPES))


def _counts(table: pl.LazyFrame, column: str) -> dict[str, int]:
    """Value → rows of the head, where empty cells have one; of the whole column where its head has one value only."""
    cells = table.select(pl.col(column).cast(pl.String).str.strip_chars().fill_null("").alias("value"))
    for rows in (cells.head(SAMPLE_ROWS), cells):
        found = rows.group_by("value").len().sort("len", "value", descending=[True, False]).collect(engine="streaming")
        if len(found) != 1:
            break
    return dict(found.head(_MOST_CODES + 1).iter_rows())


def _are_events(words: set[str], counts: Mapping[str, int]) -> bool:
    if not 1 < len(counts) <= _MOST_CODES:
        return False
    if _are_documents(words):
        return sum(status_meaning(value) != TAKEN_BACK for value in counts if value) > 1
    if words & _EVENTS:
        # beside one value, an empty cell is what did not happen
        alone = len(counts) == 2 and "" in counts
        return alone or any(status_meaning(value) == "unknown" for value in counts if value)
    codes = pl.Series(list(counts)).str.contains(_CODE).all()
    return bool(codes) and max(counts.values()) >= _MOSTLY * sum(counts.values())


def _question(column: str, counts: Mapping[str, int]) -> Question:
    rows = sum(counts.values())
    documents = _are_documents(_words(column))
    what = "a document" if documents else "an event"
    back = [value for value in counts if documents and status_meaning(value) == TAKEN_BACK]
    # the empty one stands last: `event=buy|`
    every = sorted(set(counts) - set(back), key=lambda value: (not value, -counts[value], value))
    choices = {
        purchases_of(column, [value], back): f"{what}, of which only {value[:40]!r} is a purchase ({share:.0%} of rows)"
        for value, share in ((value, n / rows) for value, n in counts.items())
        if value and value not in back
    }
    choices[purchases_of(column, every, back)] = "a purchase, as every row is"
    return Question("event_codes", column, every[0], choices)
