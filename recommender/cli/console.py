"""Output of commands: a table or lines for people, one JSON document with `--json`."""

import json
import re
from collections.abc import Sequence
from typing import Any

import click

CONTROL = r"[\x00-\x08\x0b-\x1f\x7f-\x9f]"
"""Characters that a terminal obeys, but for line feeds and tabs."""


def print_json(document: Any) -> None:
    """One JSON document on standard output."""
    text = json.dumps(document, ensure_ascii=False, indent=2, default=str)
    click.echo(re.sub(CONTROL, lambda found: f"\\u{ord(found[0]):04x}", text))  # JSON escapes but half of them


def printable(text: str) -> str:
    """`text` without what a terminal obeys: escape sequences of a title or an id must do nothing there."""
    return re.sub(CONTROL, "\ufffd", text)


def echo(text: str, *, err: bool = False, nl: bool = True) -> None:
    """Print a text for people, without control characters other than line feeds and tabs."""
    click.echo(printable(text), err=err, nl=nl)


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]], title: str | None = None) -> None:
    """A table that fits the terminal; plain where there is none. No rows: only the header."""
    from rich.console import Console  # noqa: PLC0415 - 60 ms that `reprise --help` does not need
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(*columns, title=title, title_justify="left")
    for row in rows:
        table.add_row(*(Text(printable(str(cell))) for cell in row))
    console = Console()
    console.print(table) if console.is_terminal else Console(width=160).print(table)
