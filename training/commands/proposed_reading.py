"""What is proposed where a header is not ours: asked for on a terminal, else said as the command to type."""

import shlex
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from recommender.cli.console import echo
from recommender.cli.main import TYPED
from recommender.errors import MissingColumnError
from recommender.settings import load_settings
from training.ingest.formats.known import FORMATS
from training.ingest.ingest import PurchaseSource


def read_or_ask(command: Callable[[PurchaseSource], None], source: PurchaseSource, *, silent: bool) -> None:
    """Run a command; where columns are missing, ask on a terminal whether they are those that are proposed.

    Args:
        command: what is done with the source.
        source: as it was asked for.
        silent: whether nothing may be asked.

    Raises:
        MissingColumnError: nobody can be asked, or the answer is no; it ends with the whole command to type.
    """
    try:
        command(source)
    except MissingColumnError as error:
        if not error.options:
            raise
        proposed = propose_source(source, error.proposed)
        if silent or not error.proposed or not _agrees(error):
            raise MissingColumnError(f"{error.problem}, run: {retyped(error.options, source, proposed)}") from None
        command(proposed)


def propose_source(source: PurchaseSource, proposed: Mapping[str, Any]) -> PurchaseSource:
    """The source with the reading options that are proposed; a format of several files reads the whole folder."""
    named = ("columns", "product_columns")
    merged = {name: {**getattr(source.reading, name), **proposed.get(name, {})} for name in named}
    reading = source.reading.model_copy(update={**proposed, **merged})
    format_ = {**FORMATS, **load_settings().formats}.get(proposed.get("format", ""))
    if format_ is None or not (format_.combine or format_.join) or format_.alone:
        return replace(source, reading=reading)
    folders = [path.parent if path.is_file() else path for path in map(Path, source.paths)]
    return replace(source, paths=list(dict.fromkeys(folders)), reading=reading)


def retyped(options: str, source: PurchaseSource, proposed: PurchaseSource) -> str:
    """The command that was typed, with options added, and with the paths that are proposed."""
    context = click.get_current_context(silent=True)
    typed = context.meta.get(TYPED, ["…"]) if context else ["…"]
    before, after = list(map(str, source.paths)), list(map(str, proposed.paths))
    if before != after:
        typed = [word for word in typed if word not in before]
        typed[1:1] = after
    return f"reprise {shlex.join(typed)} {options}".strip()


def may_ask() -> bool:
    """Whether somebody sits at a terminal."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def _agrees(error: MissingColumnError) -> bool:
    if not may_ask():
        return False
    echo(error.problem.removesuffix("; if that is right"), err=True)
    return click.confirm(f"Read it with {error.options}?", err=True)
