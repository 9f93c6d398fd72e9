"""Cells of ids: of customers, products and orders, with words for nothing and what spreadsheets make of numbers."""

# ruff: noqa: RUF001 - letters of other scripts are meant

import re
from collections.abc import Collection, Mapping, Sequence
from functools import partial

import polars as pl

from recommender.customer_salt import digest_of_customer, known_as
from recommender.errors import MissingColumnError
from training.cells.findings import READ, CountedNote, Note, ReadCells
from training.cells.source_column import SourceColumn
from training.cells.texts import text_of
from training.tables.files import BROKEN, LINE

_WORDS = """
    nan null none nil na n/a #n/a #na n.a. n.a <na> (null) [null] undefined missing empty unknown unbekannt anonymous
    anonym anonyme guest gast invité invitado ospite convidado gość гость misafir مهمان زائر walk-in walkin laufkunde
    laufkundschaft k.a. n.v.t. n.v.t entfällt ندارد nobody
    barverkauf barkunde kassenkunde laufkunden
    noname \\n - -- --- — – _ ? ?? ??? . .. ... {} [] -1 #ref! #value! #name? #div/0! #null!
    00000000-0000-0000-0000-000000000000
"""
_PHRASES = (
    *("walk-in customer", "walk in customer", "cash customer", "consumidor final", "data deleted", "[object object]"),
    *("anonymous user", "anonymous customer", "no customer id", "keine angabe", "kein kunde", "k. a.", "не указан"),
    *(
        "not set",
        "not provided",
        "not available",
        "guest user",
        "guest checkout",
        "guest customer",
        "no customer",
        "sin datos",
        "не задано",
    ),
)
_PLAIN = (*_WORDS.split(), *_PHRASES, *(phrase.replace(" ", "_") for phrase in _PHRASES))
_LOWER = ("", *_PLAIN, *(f"({word})" for word in (*_PLAIN, "other")))
NOTHING = tuple(
    {form for word in _LOWER for form in (word, word.upper(), word.title(), word.capitalize())}
    | {"NaN", "[object Object]", "k.A.", "k. A.", "keine Angabe", "kein Kunde"}
)
"""What exports write where there is no customer, product or order."""
ZERO = ("0.0", *("0" * length for length in (*range(1, 13), 32)))
"""Nothing, too, but where ids are numbered from 0."""
_GUARDS = (('="', '"'), ("'", "'"))
"""What keeps a spreadsheet from taking an id for a number."""
SCIENTIFIC = r"""^\s*(?:'|=")?-?\d(?:[.,]\d+[eE]\+?|[eE]\+)\d+['"]?\s*$"""
"""A number that a spreadsheet cut, such as 9.23E+11: its last digits are lost. It may be guarded."""
_PLAIN_ID = r"^(?:(?:[0A-Za-z_][0A-Za-z_-]*)?[1-9][0-9A-Za-z_-]*|[0-9A-Za-z][^\s'=@]*@[^\s@]*[A-Za-z])$"
"""Ids that nothing is to be done about: letters and digits, of which one is no 0, or an e-mail address."""
_DECIMAL = r"^-?\d+[.,]\d*[1-9]\d*$"
_PERSONAL = {
    "e-mail addresses": r"^[^@\s]+@[^@\s]+\.[^@\s]+$",
    "phone numbers": r"^(?:(?:\+|00)[\d\s()./-]{8,}|\(?0\d+[ ()./-][\d ()./-]{5,})$",
}
_ZERO_DECIMALS = (".0", ",0", ".00")
_WITH_ZERO_DECIMALS = r"^(-?\d+)[.,]00?$"
_FEWEST_NUMBERED = 10


def read_ids(ours: str, column: SourceColumn) -> ReadCells:
    """A column of ids as trimmed text; null where a cell is empty, holds a word for nothing or a number that was cut.

    Guards of spreadsheets (`'7001`, `="7001"`) are taken off. `7001.0` becomes `7001`, unless the column has other
    decimals, and `0` is nothing, unless the column counts from it.

    Args:
        ours: our name of the column, for the notes.
        column: of any type.
    """
    is_text = column.dtype == pl.String
    text = pl.col(column.name) if is_text else text_of(column.name, column.dtype)
    head = column.head.to_frame(column.name).select(text).to_series()
    bare = _unguarded(head.str.strip_chars()).drop_nulls()
    decimals = bool(bare.str.contains(_DECIMAL).any())
    words = NOTHING if _is_numbered_from_zero(bare) else NOTHING + ZERO
    clean = partial(_clean, words=words, keep_decimals=decimals)
    value, read = pl.col(ours), pl.col(READ + ours)
    no_id = pl.when(value.is_null()).then(read)
    changed = pl.when(value != read).then(read)
    counted = [
        CountedNote(
            "nothing",
            f"{ours}: a word for nothing, such as guest, N/A or 0, counts as empty",
            (no_id.str.strip_chars() != "") & ~no_id.str.contains(SCIENTIFIC),
        ),
        CountedNote(
            "guarded_ids",
            f'{ours}: \' or ="…" round an id is taken off',
            changed.str.starts_with("'") | changed.str.starts_with('="'),
        ),
        CountedNote(
            "decimal_ids",
            f"{ours}: ids such as 7001.0 are read as 7001",
            pl.any_horizontal(changed.str.ends_with(end) & ~value.str.ends_with(end) for end in _ZERO_DECIMALS),
        ),
    ]
    cleaned = text.map_batches(clean, return_dtype=pl.String, is_elementwise=True)
    return ReadCells(cleaned, notes=_personal(bare) if ours == "customer_id" else (), counted=counted)


def _clean(cells: pl.Series, *, words: Sequence[str], keep_decimals: bool) -> pl.Series:
    """Ids as `read_ids` returns them. What is rare is only done where a cell asks for it."""
    if cells.str.contains(_PLAIN_ID).all():
        return cells
    bare = _unguarded(cells.str.strip_chars())
    if not keep_decimals and any(bare.str.ends_with(end).any() for end in _ZERO_DECIMALS):
        bare = bare.str.replace(_WITH_ZERO_DECIMALS, "${1}")
    nothing = (bare.is_in(words) | bare.str.contains(SCIENTIFIC)).fill_null(value=False)
    return bare.set(nothing, None) if nothing.any() else bare


def add_first_filled(table: pl.LazyFrame, named: Mapping[str, str], file: str) -> pl.LazyFrame:
    """A table with a column for each name such as `Email|Phone`: the first of these that holds an id, as text.

    Raises:
        MissingColumnError: one of them is not there.
    """
    seen = table.collect_schema().names()
    for name in named.values():
        if "|" in name and name not in seen:
            parts = [part.strip() for part in name.split("|")]
            if absent := [part for part in parts if part not in seen]:
                shown = ", ".join(repr(each[:60]) for each in seen[:30] if each not in {LINE, BROKEN})
                raise MissingColumnError(f"{file} has no column {absent[0]!r} of {name!r}; its columns are {shown}")
            table = table.with_columns(pl.coalesce(filled(part) for part in parts).alias(name))
    return table


def filled(column: str) -> pl.Expr:
    """The text of a column of ids, null where it is blank or a word for nothing."""
    cell = pl.col(column).cast(pl.String)
    nothing = cell.str.strip_chars().is_in([*NOTHING, *ZERO])
    return pl.when(~nothing).then(cell)


def plain_id(cell: str) -> str:
    """One id without blanks, guards and `.0`, as `read_ids` reads it; a word for nothing stays."""
    bare = cell.strip()
    for start, end in _GUARDS:
        if bare.startswith(start):
            bare = bare.removeprefix(start).removesuffix(end).strip()
    return re.sub(_WITH_ZERO_DECIMALS, r"\1", bare)


def hash_customers(rows: pl.DataFrame, salt: bytes | None, *, digests_stay: bool = False) -> pl.DataFrame:
    """`rows` with the digest of each customer instead of its id; as they are without a salt.

    Args:
        rows: customer_id.
        salt: of the digests.
        digests_stay: whether an id that looks like a digest is one, as in lists that Reprise wrote.
    """
    if salt is None:
        return rows
    ids = rows["customer_id"].unique().drop_nulls()
    digest = known_as if digests_stay else digest_of_customer
    digests = pl.Series([digest(one, salt) for one in ids], dtype=pl.String)
    return rows.with_columns(pl.col("customer_id").replace_strict(ids, digests, return_dtype=pl.String))


def used_columns(taken: Collection[str]) -> set[str]:
    """Names of columns, and those that a name such as `Email|Phone` is made of."""
    return {part.strip() for name in taken for part in (name, *name.split("|"))}


def _unguarded(cells: pl.Series) -> pl.Series:
    """Trimmed ids without what keeps a spreadsheet from taking them for numbers."""
    for start, end in _GUARDS:
        guarded = cells.str.starts_with(start)
        if guarded.any():
            bare = cells.str.strip_prefix(start).str.strip_suffix(end).str.strip_chars()
            cells = bare.zip_with(guarded.fill_null(value=False), cells)
    return cells


def _is_numbered_from_zero(head: pl.Series) -> bool:
    """Whether ids are 0, 1, 2, … without a gap, so that 0 is one of them; or nothing but 0."""
    numbers = head.unique().cast(pl.Int64, strict=False)
    n_ids = len(numbers)
    if numbers.null_count() or 1 < n_ids < _FEWEST_NUMBERED:
        return False
    return (numbers.min(), numbers.max()) == (0, n_ids - 1)


def _personal(head: pl.Series) -> list[Note]:
    """A note where most ids are personal data that must not stand in addresses, keys and archives."""
    found = [what for what, pattern in _PERSONAL.items() if len(head) and head.str.contains(pattern).mean() > 0.2]  # type: ignore[operator]
    if not found:
        return []
    what = " or ".join(found)
    text = (
        f"customer_id: many ids are {what}; --hash-customers keeps salted digests instead, in every URL, key and file"
    )
    return [Note("personal_ids", text)]
