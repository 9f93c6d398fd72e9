r"""Tables as CSV: plain (RFC 4180, UTF-8), and as a German spreadsheet opens it with a double click.

The German form has a byte-order mark, semicolons and decimal commas, and ids as `="00417"`, so that they stay text.
In both, a text that a spreadsheet would run as a formula begins with an apostrophe
(https://owasp.org/www-community/attacks/CSV_Injection).
"""

import csv
import io
from collections.abc import Callable
from typing import Any, Literal

from api.console.page import Column, Link, Table

CsvForm = Literal["csv", "csv-de"]
_RUN = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001 - full-width forms count as well
_LONGEST_QUOTED = 250
"""Characters of a text in a formula, for Excel; a longer id is a defused text."""


def to_csv(table: Table, label: Callable[[str], str], form: CsvForm = "csv", currency: str | None = None) -> bytes:
    """The bytes of the file with all rows.

    Args:
        table: what is written.
        label: gives the words of a column by its name.
        form: see above.
        currency: of money whose column has none of its own; the head of each column says it.
    """
    german = form == "csv-de"
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=";" if german else ",", quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n")
    writer.writerow([_defuse(_head(column, label, currency)) for column in table.columns])
    for row in table.rows:
        writer.writerow([_cell(column, value, german=german) for column, value in zip(table.columns, row, strict=True)])
    return out.getvalue().encode("utf-8-sig" if german else "utf-8", "replace")


def _head(column: Column, label: Callable[[str], str], currency: str | None) -> str:
    money = column.currency or currency if column.kind == "money" else None
    return f"{label(column.name)} ({money})" if money else label(column.name)


def _cell(column: Column, value: Any, *, german: bool) -> Any:
    value = value.text if isinstance(value, Link) else value
    if value is None:
        return ""
    if column.is_number and isinstance(value, int | float):
        return _german_number(value) if german else value
    text = str(value)
    if german and column.kind == "id" and len(text) <= _LONGEST_QUOTED and text.isprintable():
        return '="{}"'.format(text.replace('"', '""'))
    return _defuse(text)


def _german_number(value: float) -> str:
    return str(value).replace(".", ",")


def _defuse(text: str) -> str:
    return f"'{text}" if text.lstrip(" ").startswith(_RUN) else text
