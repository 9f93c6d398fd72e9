"""Output of commands: a table or lines for people, one JSON document with `--json`."""

import json
from collections.abc import Sequence
from typing import Any

import click


def print_json(document: Any) -> None:
    """One JSON document on standard output."""
    click.echo(json.dumps(document, ensure_ascii=False, indent=2, default=str))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]], title: str | None = None) -> None:
    """A table that fits the terminal; plain where there is none. No rows: only the header."""
    from rich.console import Console  # noqa: PLC0415 - 60 ms that `reprise --help` does not need
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(*columns, title=title, title_justify="left")
    for row in rows:
        table.add_row(*(Text(str(cell)) for cell in row))
    console = Console()
    console.print(table) if console.is_terminal else Console(width=160).print(table)
