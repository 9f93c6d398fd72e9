"""Patterns of times that are proposed where a cell could mean several dates, or none that is known."""

import re
from collections.abc import Sequence
from datetime import datetime

import polars as pl

_ORDERS = (
    *(("%d", "%m", "%Y"), ("%m", "%d", "%Y"), ("%Y", "%m", "%d"), ("%Y", "%d", "%m")),
    *(("%d", "%m", "%y"), ("%m", "%d", "%y"), ("%y", "%m", "%d")),
)
_NEARLY_ALL = 0.9
_TRIED = 200
"""Cells on which patterns are tried."""
_FIRST_YEAR = 1700
"""chrono reads the year 26 for two digits."""


def pattern_of(cell: str, order: Sequence[str]) -> str:
    """The strptime pattern by which the first numbers of a cell are a date in this order, and others a time of day."""
    half = re.search(r"\d ?[ap]m\b", cell, re.IGNORECASE)
    parts = iter((*order, "%I" if half else "%H", "%M", "%S"))
    tokens = re.findall(r"\d+|[^\W\d]+|[\W_]", cell)
    return "".join(next(parts, token) if token.isdigit() else _letter(token) for token in tokens)


def _letter(token: str) -> str:
    return "%p" if token.lower() in {"am", "pm"} else token.replace("%", "%%")


def fitting_patterns(text: pl.Series) -> dict[str, datetime]:
    """The patterns in some order of day, month and year that nearly all cells fit, each with the first cell by it."""
    tried = text.head(_TRIED)
    if len(re.findall(r"\d+", tried[0])) < len(_ORDERS[0]):  # no day, or in digits without a sign
        return {}
    found: dict[str, datetime] = {}
    for order in _ORDERS:
        pattern = pattern_of(tried[0], order)
        moments = tried.str.to_datetime(pattern, strict=False)
        usual = moments.filter(moments.dt.year() >= _FIRST_YEAR)
        if len(usual) >= _NEARLY_ALL * len(tried):
            found[pattern] = usual[0]
    return found
