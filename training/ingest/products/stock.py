"""What a product file says about stock: words in many languages, and numbers of pieces."""

import math
import tomllib
from collections.abc import Sequence
from functools import cache, lru_cache
from importlib.resources import files
from typing import Literal, cast

import polars as pl

from training.cells.findings import Note
from training.ingest.headers.folding import fold, spellings

Stock = Literal["in_stock", "out_of_stock", "on_order", "unknown"]
_SHOWN = 5


@cache
def _words() -> dict[str, Stock]:
    tables = cast("dict[Stock, list[str]]", tomllib.loads((files(__package__) / "stock_words.toml").read_text("utf-8")))
    return {spelling: meaning for meaning, words in tables.items() for word in words for spelling in spellings(word)}


@lru_cache(maxsize=4096)
def stock_of(cell: str) -> Stock:
    """What a cell says: a number above 0 is in stock, any other number is not."""
    try:
        pieces = float(cell.replace("\u2212", "-").replace(",", ".").replace(" ", ""))
    except ValueError:
        return _words().get(fold(cell.rpartition("/")[2]), "unknown")  # the end of https://schema.org/InStock
    return "unknown" if math.isnan(pieces) else "in_stock" if pieces > 0 else "out_of_stock"


def in_stock(cell: pl.Expr) -> pl.Expr:
    """Whether cells of text say that a product can be bought, as Boolean; null where they are empty or unknown.

    What is on order can be bought.
    """
    meaning = cell.map_elements(stock_of, return_dtype=pl.String)
    return pl.when(meaning != "unknown").then(meaning != "out_of_stock")


def stock_notes(column: str, cells: pl.Series) -> list[Note]:
    """Notes on cells of text whose words are unknown, or say that a product is on order."""
    words = cells.drop_nulls()
    counts = words.value_counts(sort=True).rows()
    return [
        note
        for meaning, taken in (
            ("unknown", "are not known as words for stock, and are taken as in stock"),
            ("on_order", "are taken as in stock: they can be ordered"),
        )
        if (note := _note(column, f"stock_{meaning}", taken, [each for each in counts if stock_of(each[0]) == meaning]))
    ]


def _note(column: str, code: str, taken: str, counts: Sequence[tuple[str, int]]) -> Note | None:
    if not counts:
        return None
    shown = ", ".join(f"{word[:40]!r} ({n:,})" for word, n in counts[:_SHOWN]) + (" …" if len(counts) > _SHOWN else "")
    return Note(code, f"products, column {column!r}: {shown} {taken}", sum(n for _, n in counts))
